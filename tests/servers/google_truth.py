"""What is true of one calendar at the Google fake, and the log of what changed."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.servers.discovery import Json

_births = count(1)
_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def is_cancelled(event: Json) -> bool:
    return bool(event.get("status") == "cancelled")


def patched(before: Json, patch: Json) -> Json:
    """Return what a PATCH makes: objects are merged, arrays replaced, null clears."""
    after = dict(before)
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict):
            after[name] = patched(after.get(name, {}), value)
        else:
            after[name] = value
    return after


def answered(before: Json, patch: Json) -> Json:
    """Return the patch; one whose ``attendeesOmitted`` says so brings answers, and no list."""
    if not patch.get("attendeesOmitted"):
        return patch
    given = {one["email"]: one["responseStatus"] for one in patch["attendees"]}
    people = [
        {**one, "responseStatus": given[one["email"]]} if one["email"] in given else one
        for one in before["attendees"]
    ]
    rest = {name: value for name, value in patch.items() if name != "attendeesOmitted"}
    return {**rest, "attendees": people}


class CalendarTruth:
    """One calendar; whatever is written comes to the end of ``log``."""

    def __init__(self, name: str, *, role: str, primary: bool, **members: str) -> None:
        self.name = name
        self.role = role
        self.primary = primary
        self.members: Json = {"timeZone": "Europe/Berlin", **members}
        self.listed: Json = {"backgroundColor": "#9fe1e7", "foregroundColor": "#000000"}
        self.events: dict[str, Json] = {}
        self.log: list[str] = []
        self.born = next(_births)

    @property
    def position(self) -> int:
        return len(self.log)

    def stamp(self) -> str:
        return f"{_BEGIN + timedelta(seconds=self.position):%Y-%m-%dT%H:%M:%S}.000Z"

    def entry(self) -> Json:
        told = {"kind": "calendar#calendarListEntry", "etag": '"1"', "id": self.name}
        told |= {"accessRole": self.role, **self.members, **self.listed}
        return {**told, "primary": True} if self.primary else told

    def resource(self) -> Json:
        return {"kind": "calendar#calendar", "etag": '"1"', "id": self.name, **self.members}

    def put(self, name: str, **members: Any) -> Json:  # noqa: ANN401
        """Write an event, or change the members given."""
        self.log.append(name)
        plain: Json = {
            "kind": "calendar#event",
            "id": name,
            "status": "confirmed",
            "iCalUID": f"{name}@google.com",
            "created": "2026-11-01T00:00:00.000Z",
            "creator": {"email": "ada@example.org", "self": True},
            "organizer": {"email": "ada@example.org", "self": True},
            "reminders": {"useDefault": True},
        }
        held = self.events.get(name) or self.instance(name) or plain
        event = {**held, **members}
        for gone in held.keys() - members.keys() if "kind" in members else ():
            del event[gone]
        event |= {"etag": f'"{self.position}"', "updated": self.stamp(), "id": name}
        self.events[name] = event
        return event

    def cancel(self, name: str) -> None:
        """Delete an event: only a stub is left, and none of a series' exceptions lives."""
        event = self.events.get(name) or self.instance(name) or {}
        kept = ("kind", "etag", "id", "recurringEventId", "originalStartTime")
        self.log.append(name)
        stub = {key: event[key] for key in kept if key in event}
        self.events[name] = {**stub, "status": "cancelled", "etag": f'"{self.position}"'}
        self.events[name]["iCalUID"] = event.get("iCalUID", "")
        for other in list(self.events.values()):
            if other.get("recurringEventId") == name and not is_cancelled(other):
                self.cancel(other["id"])

    def shown(self, event: Json) -> Json:
        """Return an event as a list shows it: of what is cancelled only what is promised (G4)."""
        if not is_cancelled(event):
            return event
        kept = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")
        return {key: event[key] for key in kept if key in event}

    def everything(self) -> list[Json]:
        """Return a full listing: no tombstones, but cancelled instances of living series."""
        return [one for one in self.events.values() if not is_cancelled(one) or self._lives(one)]

    def _lives(self, stub: Json) -> bool:
        series = self.events.get(stub.get("recurringEventId", ""))
        return series is not None and not is_cancelled(series)

    def since(self, position: int) -> list[Json]:
        names = dict.fromkeys(reversed(self.log[position:]))
        return [self.events[name] for name in reversed(names)]

    def instance(self, name: str) -> Json | None:
        """Return the instance of a series that an id names, if the rule yields it."""
        series, _, slot = name.rpartition("_")
        master = self.events.get(series)
        if master is None or is_cancelled(master) or not master.get("recurrence"):
            return None
        day = "date" in master["start"]
        form = "%Y%m%d" if day else "%Y%m%dT%H%M%SZ"
        wanted = datetime.strptime(slot, form)  # noqa: DTZ007 - made aware below
        begin = _moment(master["start"])
        length = _moment(master["end"]) - begin
        start = wanted if day else wanted.replace(tzinfo=UTC)
        naive = begin.replace(tzinfo=None)
        rule = rrulestr(master["recurrence"][0].split(":", 1)[1].split(";UNTIL")[0], dtstart=naive)
        wall = start if day else start.astimezone(ZoneInfo(master["start"]["timeZone"]))
        if wall.replace(tzinfo=None) not in rule.between(
            wall.replace(tzinfo=None), wall.replace(tzinfo=None), inc=True
        ):
            return None
        kept = {key: value for key, value in master.items() if key != "recurrence"}
        return {
            **kept,
            "id": name,
            "recurringEventId": series,
            "originalStartTime": _told(wall, master["start"]),
            "start": _told(wall, master["start"]),
            "end": _told(wall + length, master["start"]),
        }

    def instance_at(self, series: str, original: str) -> Json | None:
        start = datetime.fromisoformat(original)
        form = f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}" if "T" in original else f"{start:%Y%m%d}"
        name = f"{series}_{form}"
        return self.events.get(name) or self.instance(name)


def _moment(told: Json) -> datetime:
    if "date" in told:
        return datetime.fromisoformat(told["date"])
    return datetime.fromisoformat(told["dateTime"]).astimezone(ZoneInfo(told["timeZone"]))


def _told(wall: datetime, like: Json) -> Json:
    if "date" in like:
        return {"date": f"{wall:%Y-%m-%d}"}
    return {"dateTime": wall.isoformat(), "timeZone": like["timeZone"]}


def move(source: CalendarTruth, target: CalendarTruth, name: str) -> Json:
    """Give an event to a calendar's owner, a series with its exceptions; stubs stay behind."""
    whole = source.events[name]
    parts = [one for one in source.events.values() if one.get("recurringEventId") == name]
    source.cancel(name)
    owner = {"email": target.name, "self": target.primary}
    for one in (whole, *parts):
        target.put(one["id"], **{**one, "organizer": owner})
    return target.events[name]
