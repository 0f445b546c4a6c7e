"""What systemd hears (sd_notify(3))."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.runtime.notify import Notifier


def test_assignments_arrive_as_one_datagram(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        Notifier().tell("READY=1", "STATUS=well")
        assert systemd.recv(100) == b"READY=1\nSTATUS=well"


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0syncd-test-notify")
        systemd.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", "@syncd-test-notify")
        Notifier().tell("WATCHDOG=1")
        assert systemd.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_without_systemd_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    Notifier().tell("READY=1")


@pytest.mark.parametrize(
    ("told", "meant"), [("60000000", timedelta(seconds=30)), ("", None), ("soon", None)]
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(
    told: str, meant: timedelta | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", told)
    assert Notifier().watchdog == meant
