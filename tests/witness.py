"""What a server holds as the independent ``caldav`` client reads it, and what our stream says.

Both are brought to one neutral form, calendar name → list of events, by code that shares nothing
with syncd: the server's side runs in another interpreter, ours looks only at JSON records.
"""

import asyncio
import atexit
import json
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from tests.peers import peer_python

Neutral = dict[str, list[dict[str, Any]]]


class Witness:
    """The other client, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    @asynccontextmanager
    async def running(cls):  # type: ignore[no-untyped-def]  # noqa: ANN206
        python = await asyncio.to_thread(peer_python)
        process = await asyncio.create_subprocess_exec(
            str(python),
            "-W",
            "ignore",
            str(Path(__file__).with_name("witness_script.py")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2**26,
        )
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def read(self, *, url: str, username: str, password: str) -> Neutral:
        """Return everything the server holds for this user."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"url": url, "username": username, "password": password}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        return _calendars(await self.process.stdout.readline(), url)


class SharedWitness:
    """The same for any event loop, so that one process serves a whole run of tests."""

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("witness_script.py"))
        self._process = subprocess.Popen(  # noqa: S603
            [str(peer_python()), "-W", "ignore", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self._end)

    async def read(self, *, url: str, username: str, password: str) -> Neutral:
        """Return everything the server holds for this user."""
        asked = {"url": url, "username": username, "password": password}
        return _calendars(await asyncio.to_thread(self._ask, asked), url)

    def _ask(self, asked: Mapping[str, str]) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def _end(self) -> None:
        self._process.communicate()


@cache
def shared_witness() -> SharedWitness:
    """Return the one of this process."""
    return SharedWitness()


def _calendars(line: bytes, url: str) -> Neutral:
    answer = json.loads(line)
    if "error" in answer:
        raise AssertionError(f"the witness could not read {url}: {answer['error']}")
    return answer["calendars"]  # type: ignore[no-any-return]


class Replay:
    """A reader that applies records one by one and objects to any that makes no sense."""

    def __init__(self) -> None:
        self.calendars: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.position = 0
        self.counts = {"add": 0, "update": 0, "delete": 0}

    def apply(self, records: Iterable[Mapping[str, Any]]) -> None:
        for record in records:
            self._place(record)
            kind, held = record["metadata"]["type"], self._held(record)
            if held is None:
                continue
            name, present = record["metadata"]["id"], record["metadata"]["id"] in held
            if present != (record["type"] != "add"):
                raise AssertionError(f"{record['type']} of {kind} {name}, present: {present}")
            self.counts[record["type"]] += 1
            if record["type"] == "delete":
                del held[name]
            else:
                held[name] = record["metadata"]

    def neutral(self) -> Neutral:
        found: Neutral = {str(one["name"]): [] for one in self.calendars.values()}
        for event in self.events.values():
            found[self.calendars[event["calendar_id"]]["name"]].append(_neutral(event))
        return {name: in_order(events) for name, events in found.items()}

    def _place(self, record: Mapping[str, Any]) -> None:
        position = int(record["id"].rpartition("-")[2])
        if position != self.position + 1:
            raise AssertionError(f"position {position} follows {self.position}")
        self.position = position

    def _held(self, record: Mapping[str, Any]) -> dict[str, dict[str, Any]] | None:
        return {"calendar": self.calendars, "event": self.events}.get(record["metadata"]["type"])


def in_order(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events in the one order that does not depend on who read them."""
    return sorted(events, key=lambda one: json.dumps(one, sort_keys=True))


def _neutral(event: Mapping[str, Any]) -> dict[str, Any]:
    lines = [one["rrule"] for one in event["recurrence"]]
    rules = [line.partition(":")[2] for line in lines if line.startswith("RRULE")]
    return {
        "uid": event["ical_uid"],
        "original": _told(event["original_start"]) if "original_start" in event else None,
        "name": event["name"],
        "description": event["description"],
        "location": event["location"],
        "start": _told(event["start"]),
        "end": _told(event["end"]),
        "rule": sorted(part for rule in rules for part in rule.split(";")),
        "excluded": sorted(excluded_of(lines)),
        "attendees": sorted(one["email"].lower() for one in event["attendees"]),
        "transparent": event["transparent"],
        "cancelled": event["status"] == "cancelled",
    }


def _told(text: str) -> str:
    return told_in_utc(text) if "T" in text else text


def told_in_utc(text: str) -> str:
    """Return a time with an offset as the neutral form has it."""
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def excluded_of(lines: Iterable[str]) -> Iterable[str]:
    """Yield the starts that EXDATE lines exclude (RFC 5545 §3.8.5.1)."""
    from dateutil.tz import gettz  # noqa: PLC0415 - a zone base that is not the product's

    for line in lines:
        head, _, values = line.partition(":")
        if not head.startswith("EXDATE"):
            continue
        zone = next((gettz(part[5:]) for part in head.split(";") if part.startswith("TZID=")), UTC)
        for value in values.split(","):
            if "T" not in value:
                yield datetime.strptime(value, "%Y%m%d").date().isoformat()  # noqa: DTZ007
                continue
            naive = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
            aware = naive.replace(tzinfo=UTC if value.endswith("Z") else zone)
            yield aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
