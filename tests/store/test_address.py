"""What an address of a database must be, told before anything is opened."""

import socket
from pathlib import Path

import pytest

from syncd.model.errors import MisconfiguredError, TransientError
from syncd.store import address
from syncd.store.open import open_store
from tests.fakes.clock import FakeClock
from tests.store.opening import SERVER


async def test_without_the_driver_of_postgresql_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "find_spec", lambda _: None)
    with pytest.raises(MisconfiguredError, match=r"pip install 'syncd\[postgres\]'"):
        await open_store("postgresql://db/x", state_dir=tmp_path, clock=FakeClock())


@pytest.mark.parametrize("url", ["mysql://db/x", "sqlite://", "nothing"])
async def test_another_database_is_a_fault_of_the_configuration(url: str, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match=r"store\.url"):
        await open_store(url, state_dir=tmp_path, clock=FakeClock())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("foo=bar", "foo"),
        ("autocommit=1", "autocommit"),
        ("prepare_threshold=0", "prepare_threshold"),
        ("sslmode=disable&sslmode=prefer", "sslmode"),
        ("port=abc", "port"),
        ("sslmode=sometimes", "sslmode"),
        ("connect_timeout=abc", "connect_timeout"),
        ("keepalives=x", "keepalives"),
        ("target_session_attrs=x", "target_session_attrs"),
        ("client_encoding=foo", "client_encoding"),
    ],
)
async def test_an_option_of_postgresql_that_is_none_is_a_fault_of_the_configuration(
    options: str, named: str, tmp_path: Path
) -> None:
    with pytest.raises(MisconfiguredError, match=rf"store\.url: .*{named}"):
        await open_store(f"{SERVER}?{options}", state_dir=tmp_path, clock=FakeClock())


@pytest.mark.timeout(15)
@pytest.mark.parametrize("options", ["", "?connect_timeout=1"])
async def test_a_server_that_says_nothing_is_not_waited_for_long(
    options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop would wait for it as long as the driver does: more than two minutes."""
    assert int(address._CONNECT_SECONDS) < 35, "of systemd/syncd.service"
    if not options:
        monkeypatch.setattr(address, "_CONNECT_SECONDS", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/syncd{options}"
        with pytest.raises(TransientError, match="does not answer"):
            await open_store(url, state_dir=tmp_path, clock=FakeClock())


@pytest.mark.parametrize("path", ["", "nowhere/syncd.db", "syncd.db?mode=ro", "syncd.db?timeout=x"])
async def test_a_file_that_cannot_be_one_is_a_fault_of_the_configuration(
    path: str, tmp_path: Path
) -> None:
    with pytest.raises(MisconfiguredError, match=r"store\.url: "):
        await open_store(f"sqlite:///{tmp_path}/{path}", state_dir=tmp_path, clock=FakeClock())
    assert not (tmp_path / "syncd.db").exists()
