"""Large calendars, written as the files that the servers keep, as no client would wait for them."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.servers.caldav import CalDavServer, Xandikos


def ics(number: int, title: str = "Event") -> str:
    """Return an ordinary event of about 400 bytes."""
    day, hour = 1 + number % 28, 8 + number % 10
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//bench//EN",
        "BEGIN:VEVENT",
        f"UID:bench-{number}@example.org",
        "DTSTAMP:20261101T080000Z",
        f"DTSTART:2026{1 + number % 12:02}{day:02}T{hour:02}0000Z",
        f"DTEND:2026{1 + number % 12:02}{day:02}T{hour:02}3000Z",
        f"SUMMARY:{title} {number}",
        f"LOCATION:Room {number % 40}",
        "DESCRIPTION:Agenda as last time\\, minutes to follow.",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


def seed(server: CalDavServer, calendar: str, count: int) -> None:
    """Fill a calendar that the server has made; the server should be stopped."""
    seed_files(server, calendar, {f"bench-{one}.ics": ics(one).encode() for one in range(count)})


def seed_files(server: CalDavServer, calendar: str, files: Mapping[str, bytes]) -> None:
    """Put files into a calendar that the server has made; the server should be stopped."""
    home = _home(server, calendar)
    for name, body in files.items():
        (home / name).write_bytes(body)
    if isinstance(server, Xandikos):  # its calendars are git work trees
        person = ("-c", "user.name=seed", "-c", "user.email=seed@example.org")
        git = ["git", "-C", str(home), *person]
        for command in (["add", "--all"], ["commit", "--quiet", "--message", "seed"]):
            subprocess.run([*git, *command], check=True, capture_output=True)  # noqa: S603


def _home(server: CalDavServer, calendar: str) -> Path:
    if isinstance(server, Xandikos):
        return server.folder / "files" / "alice" / "calendars" / calendar
    return server.folder / "collections" / "collection-root" / server.username / calendar
