"""A person who edits calendars on a server, one small change after the other."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

NAMES = ("Review", "Lunch", "Dentist", "Training", "Call", "Planning")
MORNING = datetime(2026, 11, 24, 8)  # noqa: DTZ001 - wall time


class Server(Protocol):
    """What a person needs of a CalDAV server."""

    async def mkcalendar(self, calendar: str) -> None: ...

    async def put(self, calendar: str, name: str, ics: str) -> None: ...

    async def delete(self, calendar: str, name: str) -> None: ...


class Person:
    """Adds, renames, moves, repeats and removes events."""

    def __init__(self, server: Server, calendars: Sequence[str], chance: random.Random) -> None:
        self.server = server
        self.calendars = calendars
        self.chance = chance
        self.files: set[tuple[str, str]] = set()
        self.made = 0

    @classmethod
    @asynccontextmanager
    async def editing(
        cls, server: Server, calendars: Sequence[str], chance: random.Random
    ) -> AsyncIterator["Person"]:
        person = cls(server, calendars, chance)
        for calendar in calendars:
            await server.mkcalendar(calendar)
        for _ in range(30):
            await person.add()
        yield person

    async def edit(self, pause_seconds: float = 0.02) -> None:
        """Go on for ever."""
        while True:
            await self.once()
            await asyncio.sleep(pause_seconds)

    async def once(self) -> None:
        kind = self.chance.choices(["add", "change", "remove"], [3, 5, 2])[0]
        if kind == "add" or len(self.files) < 10:
            await self.add()
            return
        calendar, name = self.chance.choice(sorted(self.files))
        if kind == "change":
            await self.server.put(calendar, name, self._ics(name))
        else:
            self.files.remove((calendar, name))
            await self.server.delete(calendar, name)

    async def add(self) -> None:
        self.made += 1
        calendar, name = self.chance.choice(self.calendars), f"event{self.made}.ics"
        await self.server.put(calendar, name, self._ics(name))
        self.files.add((calendar, name))

    def _ics(self, name: str) -> str:
        start = MORNING + timedelta(minutes=30 * self.chance.randrange(2000))
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//a person//EN",
            *self._vevent(name, start, series=self.chance.random() < 0.3),
            "END:VCALENDAR",
        ]
        return "\r\n".join([*lines, ""])

    def _vevent(self, name: str, start: datetime, *, series: bool) -> list[str]:
        base = [f"UID:{name}@example.org", "DTSTAMP:20261120T080000Z"]
        title = f"SUMMARY:{self.chance.choice(NAMES)} {self.chance.randrange(1000)}"
        lines = ["BEGIN:VEVENT", *base, title, *_times(start)]
        if not series:
            return [*lines, "END:VEVENT"]
        lines += ["RRULE:FREQ=WEEKLY;COUNT=6", f"EXDATE;TZID=Europe/Berlin:{_text(start, 2)}"]
        moved = [
            "BEGIN:VEVENT",
            *base,
            title,
            f"RECURRENCE-ID;TZID=Europe/Berlin:{_text(start, 1)}",
        ]
        moved += _times(start + timedelta(weeks=1, hours=2))
        return [*lines, "END:VEVENT", *moved, "END:VEVENT"]


def _text(start: datetime, weeks: int = 0) -> str:
    return (start + timedelta(weeks=weeks)).strftime("%Y%m%dT%H%M%S")


def _times(start: datetime) -> list[str]:
    end = _text(start + timedelta(hours=1))
    return [f"DTSTART;TZID=Europe/Berlin:{_text(start)}", f"DTEND;TZID=Europe/Berlin:{end}"]
