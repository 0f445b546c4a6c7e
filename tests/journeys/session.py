"""A person and an application at one calendar, and what must hold of each of their writes."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from tests.journeys.daemon import Daemon
from tests.servers.caldav import CalDavServer
from tests.servers.dav_client import DavClient
from tests.witness import Replay, Witness

STAMPS = {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "CREATED"}
TIMES = {"DTSTART", "DTEND", "DURATION", "RDATE", "EXDATE", "RRULE", "RECURRENCE-ID"}
TOUCHED = {
    "name": {"SUMMARY"},
    "description": {"DESCRIPTION"},
    "location": {"LOCATION"},
    "start": TIMES,
    "end": TIMES,
    "attendees": {"ATTENDEE"},
    "reminders": {"VALARM"},
    "transparent": {"TRANSP"},
    "visibility": {"CLASS"},
    "custom_properties": {"X-SYNCD-PROPERTY"},
    "recurrence": {"RRULE", "RDATE", "EXDATE"},
}
PERSON = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//a person's phone//EN
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T080000Z
DTSTART;TZID=Europe/Berlin:202611{day:02}T090000
DURATION:PT1H
{rule}SUMMARY;LANGUAGE=de:Besprechung, {uid}
DESCRIPTION:Zeile eins\\nund eine sehr lange zweite Zeile, die gefaltet werden muss, weil sie es ist
{organizer}ATTENDEE;CN="Bo, B.";PARTSTAT=ACCEPTED;X-NUM-GUESTS=2:mailto:bo@example.org
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
X-UNKNOWN;X-P=1:kept\\, as it is
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Gleich
TRIGGER:-PT15M
ACKNOWLEDGED:20261101T080000Z
X-WR-ALARMUID:A-1
END:VALARM
END:VEVENT
{exception}END:VCALENDAR
"""
ORGANIZER = 'ORGANIZER;CN=Chef;SENT-BY="mailto:b@example.org":mailto:chef@example.org\n'
EXCEPTION = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T080000Z
RECURRENCE-ID;TZID=Europe/Berlin:{day}T090000
DTSTART;TZID=Europe/Berlin:{day}T120000
DURATION:PT1H
SUMMARY:Später
X-EXCEPTION:yes
END:VEVENT
"""

Json = dict[str, Any]
Files = dict[str, str]


@dataclass
class Desk:
    """One daemon, one server, one application's token, one person's other client."""

    daemon: Daemon
    server: CalDavServer
    person: DavClient
    witness: Witness
    http: aiohttp.ClientSession
    account: str
    replay: Replay = field(default_factory=Replay)
    cursor: str = ""
    sessions: int = 0
    done: Counter[str] = field(default_factory=Counter)  # what came to something

    async def ask(self, method: str, path: str, body: Json | None = None, *, ok: int = 0) -> Any:  # noqa: ANN401 - JSON
        url = path if path.startswith("http") else f"{self.daemon.address}/v1{path}"
        async with self.http.request(method, url, json=body) as answer:
            told = await answer.json() if answer.content_type == "application/json" else None
            if ok:
                assert answer.status == ok, (method, path, body, answer.status, told)
            return told

    async def poll(self) -> int:
        """Poll now; return how many activities came."""
        await asyncio.sleep(1.05)  # on demand a profile is polled once a second (N13)
        told = await self.ask("POST", f"/profiles/{self.account}/sync?wait=30", ok=200)
        assert told["last_error"] is None, told
        return int(told["activities"])

    async def drain(self) -> None:
        while True:
            path = f"/accounts/{self.account}/events?page_size=1000&cursor={self.cursor}"
            page = await self.ask("GET", path.removesuffix("&cursor="), ok=200)
            self.replay.apply(page["objects"])
            self.cursor = page["cursor"]
            if not page["objects"]:
                return

    async def listed(self, calendar: str) -> dict[str, Json]:
        """Return the snapshot of a calendar: events by id, as the API lists them."""
        path: str | None = None
        found = dict[str, Json]()
        base = f"/accounts/{self.account}/cal/calendars/{calendar}/events?instances=false"
        while True:
            told = await self.ask("GET", base + (f"&page={path}" if path else ""), ok=200)
            found |= {one["id"]: one for one in told["objects"]}
            path = told["next_page"]
            if path is None:
                return found

    async def agree(self, calendar: str) -> None:
        """The snapshot, the stream and the server say the same."""
        await self.drain()
        listed = await self.listed(calendar)
        told = {
            key: {**one, "href": listed[key]["href"]} if key in listed else one
            for key, one in self.replay.events.items()
            if one["calendar_id"] == calendar
        }
        assert told == listed
        held = await self.witness.read(
            url=self.server.url, username=self.server.username, password=self.server.password
        )
        assert self.replay.neutral() == held


class Session:
    """One calendar, and what the two of them do there."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder = f"s{desk.sessions}"
        self.calendar = ""
        self.puts = 0
        desk.sessions += 1

    @property
    def path(self) -> str:
        return f"/accounts/{self.desk.account}/cal/calendars/{self.calendar}"

    async def open(self) -> None:
        await self.desk.person.mkcalendar(self.folder, name=self.folder)
        await self.put(2)
        await self.put(None)
        await self.desk.poll()
        told = await self.desk.ask("GET", f"/accounts/{self.desk.account}/cal/calendars", ok=200)
        self.calendar = next(one["id"] for one in told["objects"] if one["name"] == self.folder)

    async def close(self) -> None:
        await self.desk.poll()
        await self.desk.agree(self.calendar)
        assert await self.desk.poll() == 0
        await self.desk.ask("DELETE", self.path, ok=204)
        await self.desk.drain()
        assert self.folder not in self.desk.replay.neutral()
        assert await self.desk.poll() == 0

    async def files(self) -> Files:
        """Return every file of the calendar as the server holds it."""
        return await asyncio.to_thread(_read, self.desk.server.folder, self.folder)

    async def create(self, member: Json) -> None:
        before = await self.files()
        await self.desk.ask("POST", f"{self.path}/events", member, ok=201)
        after = await self.files()
        assert {key: after[key] for key in before} == before
        assert len(after) == len(before) + 1

    async def known(self, number: int, *, series: bool = False) -> Json | None:
        """Return one of the events that the application knows of."""
        told = await self.desk.listed(self.calendar)
        found = [
            one
            for _, one in sorted(told.items())
            if not series or one["recurrence_type"] == "recurring_master"
        ]
        return found[number % len(found)] if found else None

    async def occurrence(self, number: int, nth: int) -> Json | None:
        master = await self.known(number, series=True)
        if master is None:
            return None
        start = datetime.fromisoformat(master["start"])
        start = start if start.tzinfo else start.replace(tzinfo=UTC)
        until = (start + timedelta(days=9)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = await self.desk.ask("GET", f"{self.path}/events?end={until}", ok=200)
        mine = [one for one in told["objects"] if one.get("recurring_master_id") == master["id"]]
        return mine[nth % len(mine)] if mine else None

    async def change(self, number: int, member: Json) -> None:
        await self._change(await self.known(number), member)

    async def change_occurrence(self, number: int, nth: int, member: Json) -> None:
        await self._change(await self.occurrence(number, nth), member)

    async def delete(self, number: int) -> None:
        await self._delete(await self.known(number))

    async def delete_occurrence(self, number: int, nth: int) -> None:
        await self._delete(await self.occurrence(number, nth))

    async def poll(self) -> None:
        await self.desk.poll()

    async def _change(self, event: Json | None, member: Json) -> None:
        """Change an event, which may have changed or gone at the server meanwhile."""
        if event is None:
            return
        before = await self.files()
        told = await self.desk.ask("PATCH", f"{self.path}/events/{event['id']}", member)
        after = await self.files()
        if "error_code" in told:
            assert told["error_code"] in {"not_found", "conflict", "invalid_parameters"}, told
            self.desk.done[told["error_code"]] += 1
            assert after == before
            return
        occurrence = event["recurrence_type"] == "recurring"
        self.desk.done["changed occurrence" if occurrence else "changed"] += before != after
        for name, value in member.items():
            if name in {"name", "description", "location", "transparent"}:
                assert told[name] == value
        allowed = STAMPS.union(*(TOUCHED[name] for name in member))
        assert_untouched(before, after, allowed, occurrence=occurrence)

    async def _delete(self, event: Json | None) -> None:
        if event is None:
            return
        before = await self.files()
        told = await self.desk.ask("DELETE", f"{self.path}/events/{event['id']}")
        after = await self.files()
        if told is not None:
            assert told["error_code"] in {"not_found", "conflict"}, told
            return
        if event["recurrence_type"] == "recurring":
            self.desk.done["deleted occurrence"] += 1
            assert after.keys() == before.keys()
        else:
            self.desk.done["deleted"] += 1
            assert len(after) >= len(before) - 1
            assert all(before[key] == text for key, text in after.items())

    async def put(self, excepted: int | None) -> None:
        """The person makes an event, or a series; of that, from 1 on, an occurrence is another."""
        self.puts += 1
        day = 1 + self.puts % 20
        uid = f"{self.folder}-{self.puts}@example.org"
        rule = "" if excepted is None else "RRULE:FREQ=DAILY;COUNT=6\n"
        other = f"202611{day + (excepted or 0):02}"
        exception = EXCEPTION.format(uid=uid, day=other) if excepted else ""
        organizer = ORGANIZER if self.puts % 2 else ""
        text = PERSON.format(uid=uid, day=day, rule=rule, organizer=organizer, exception=exception)
        await self.desk.person.put(self.folder, f"{self.puts}.ics", text.replace("\n", "\r\n"))

    async def edit(self, number: int, words: str) -> None:
        """The person renames something, and says so in every part of it."""
        files = await self.files()
        if not files:
            return
        name = sorted(files)[number % len(files)]
        lines = files[name].split("\r\n")
        renamed = [f"SUMMARY:{words}" if one.startswith("SUMMARY") else one for one in lines]
        await self.desk.person.put(self.folder, name, "\r\n".join(renamed))

    async def remove(self, number: int) -> None:
        files = await self.files()
        if files:
            await self.desk.person.delete(self.folder, sorted(files)[number % len(files)])


def _read(server: Path, calendar: str) -> Files:
    """Return Radicale's files, off its disk."""
    (folder,) = server.glob(f"collections/collection-root/*/{calendar}")
    return {one.name: one.read_bytes().decode() for one in folder.glob("*.ics")}


def parts(text: str) -> dict[str, Counter[str]]:
    """Return the lines of each VEVENT by its RECURRENCE-ID, an alarm as one line."""
    rows = text.replace("\r\n ", "").replace("\r\n\t", "").split("\r\n")
    found = dict[str, Counter[str]]()
    lines, alarm = list[str](), list[str]()
    for row in rows:
        if row == "BEGIN:VEVENT":
            lines = []
        elif row == "END:VEVENT":
            original = next((one for one in lines if one.startswith("RECURRENCE-ID")), "")
            found[original.rpartition(":")[2]] = Counter(lines)
        elif row == "BEGIN:VALARM":
            alarm = [row]
        elif row == "END:VALARM":
            lines.append("VALARM:" + "|".join(sorted(alarm)))
            alarm = []
        elif alarm:
            alarm.append(row)
        else:
            lines.append(row)
    return found


def assert_untouched(before: Files, after: Files, allowed: set[str], *, occurrence: bool) -> None:
    """At most one file differs, and there only the allowed properties of one event."""
    assert after.keys() == before.keys()
    changed = [key for key in after if after[key] != before[key]]
    assert len(changed) <= 1
    for key in changed:
        old, new = parts(before[key]), parts(after[key])
        if occurrence:
            came = new.keys() - old.keys()
            assert len(came) <= 1
            assert not old.keys() - new.keys()
        differ = [one for one in old if old[one] != new.get(one, old[one])]
        assert not occurrence or "" not in differ
        moved = "DTSTART" in allowed and not occurrence
        for one in differ:
            if not moved:
                assert one in new
            here = new.get(one, Counter())
            gone, come = old[one] - here, here - old[one]
            names = {line.partition(":")[0].partition(";")[0] for line in (*gone, *come)}
            assert names <= allowed or moved, (names, allowed)
