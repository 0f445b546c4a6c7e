"""Log lines: JSON or for people, on stderr, and never a secret (F41, I16)."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from syncd.ports.vault import Secret
from syncd.runtime.log import configure

CANARY = "CANARY8f3a91"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_is_json_on_stderr_with_its_noun_under_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("info", terminal=False)
    structlog.get_logger().info("profile.disconnected", profile_id=7)
    (line,) = lines(capsys)
    assert line.pop("at").endswith("Z")
    assert line == {"level": "info", "what": "profile.disconnected", "profile_id": 7}


def test_polls_are_debug_and_silent_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    configure(terminal=False)
    structlog.get_logger().debug("poll.finished", profile_id=7)
    assert lines(capsys) == []


def test_lines_of_libraries_have_the_same_shape_and_only_when_they_warn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(terminal=False)
    logging.getLogger("aiosqlite.core").info("ran")
    logging.getLogger("aiosqlite.core").warning("late %s", "answer")
    logging.getLogger("apscheduler.scheduler").warning("a tick was skipped")
    logging.getLogger("apscheduler.executors").error("a tick failed")
    first, second = lines(capsys)
    assert (first["what"], first["logger"]) == ("late answer", "aiosqlite.core")
    assert second["what"] == "a tick failed"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY},
        {"access_token": CANARY},
        {"Authorization": f"Basic {CANARY}"},
        {"relink": CANARY},
        {"key": CANARY},
        {"ics_path": CANARY},
        {"headers": {"Cookie": CANARY, "nested": [{"client_secret": CANARY}]}},
        {"why": f"got Bearer {CANARY} back"},
        {"why": f"http://ada:{CANARY}@example.org/"},
        {"why": f"GET https://example.org/a?code={CANARY} failed"},
        {"why": f"https://example.org/relink/{CANARY}"},
        {"why": f"GET /oauth/callback/google?code={CANARY}&state={CANARY} HTTP/1.1"},
        {"why": f"GET /calendars/{CANARY:x<40} HTTP/1.1"},
        {"why": f"the token syncd_abc123_{CANARY}"},
        {"why": f"whsec_{CANARY}"},
        {"why": f"ya29.{CANARY}"},
        {"why": f"1//{CANARY}"},
        {"why": Secret(CANARY)},
        {"why": ValueError(f"postgresql://syncd:{CANARY}@db/syncd")},
    ],
)
@pytest.mark.parametrize("terminal", [True, False])
def test_no_secret_is_written(
    *, terminal: bool, fields: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(terminal=terminal)
    structlog.get_logger().warning("credential.refreshed", **fields)
    logging.getLogger("somebody").warning("%s", fields.get("why", ""))
    err = capsys.readouterr().err
    assert "credential.refreshed" in err
    assert CANARY not in err


def test_a_planted_canary_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """The negative control of the test above."""
    configure(terminal=False)
    structlog.get_logger().warning("credential.refreshed", title=CANARY)
    assert CANARY in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [True, False])
def test_a_traceback_shows_no_locals_and_no_secret(
    *, terminal: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(terminal=terminal)

    def sign_in(typed: str) -> None:
        raise ValueError(f"refused: Bearer {typed}")

    try:
        sign_in(CANARY)
    except ValueError:
        structlog.get_logger().exception("poll.broken")
    err = capsys.readouterr().err
    assert "sign_in" in err
    assert "ValueError" in err
    assert CANARY not in err


def test_what_is_no_secret_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    configure(terminal=False)
    structlog.get_logger().info(
        "profile.changed", profile_id=7, status_code=200, url="https://example.org/dav/", n=None
    )
    (line,) = lines(capsys)
    assert (line["status_code"], line["url"], line["n"]) == (200, "https://example.org/dav/", None)
    assert sys.stderr is not sys.stdout
