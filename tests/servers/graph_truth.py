"""What is true of one calendar at the Graph fake, and the log of what changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from tests.servers.graph_dates import days_of, length_of, moment, original_on, start_on, told

Json = dict[str, Any]
OWNER = "ada@example.org"
EXTENSION = "dev.syncd.properties"
NEVER = "0001-01-01T00:00:00Z"
_GLOBAL_ID = "040000008200E00074C5B7101A82E008"  # begins every iCalUId of Exchange
_BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
_LATEST = timedelta(days=60)  # how far an exception may be before its day
_numbers = count(1)


class CalendarTruth:
    """One calendar; whatever is written comes to the end of ``log``.

    ``events`` holds single events, series and exceptions by id, ``gaps`` the days of removed
    occurrences by series.
    """

    def __init__(self, key: str, name: str, *, primary: bool = False) -> None:
        self.key = key
        self.members: Json = {
            "name": name,
            "color": "auto",
            "hexColor": "",
            "isDefaultCalendar": primary,
            "isRemovable": not primary,
            "canEdit": True,
            "owner": {"name": "Ada", "address": OWNER},
        }
        self.events: dict[str, Json] = {}
        self.gaps: dict[str, set[date]] = {}
        self.log: list[str] = []

    def resource(self) -> Json:
        return {"id": self.key, **self.members}

    def put(self, key: str, **members: Any) -> Json:  # noqa: ANN401
        """Write an event or a series, or change the members given; times in any zone."""
        held = self.events.get(key) or _new(key)
        item = self._write(key, {**held, **_normal(members)})
        if any(held.get(name) != item.get(name) for name in ("start", "end", "recurrence")):
            self._forget(key)  # what differed from the old pattern is no more
        return item

    def put_exception(self, series: str, day: date, **members: Any) -> Json:  # noqa: ANN401
        """Make the occurrence of a day an exception, or change it."""
        key = occurrence_id(series, day)
        held = self.events.get(key) or self.occurrence(series, day)
        assert held is not None, f"{series} does not occur on {day}"
        return self._write(key, {**held, **_normal(members), "type": "exception"})

    def drop(self, series: str, day: date) -> None:
        """Remove an occurrence, which leaves no trace, or an exception, which does (MG7)."""
        key = occurrence_id(series, day)
        if self.events.pop(key, None) is not None:
            self.log.append(key)
        self.gaps.setdefault(series, set()).add(day)

    def remove(self, key: str) -> None:
        del self.events[key]
        self.log.append(key)
        self._forget(key)

    def touch(self, key: str) -> None:
        """Let an event be told of again."""
        self.log.append(key)

    def find(self, key: str) -> Json | None:
        """Return an event, or an occurrence that a series yields."""
        series, _, text = key.rpartition("@")
        if key in self.events or series not in self.events_of_series():
            return self.events.get(key)
        return self.occurrence(series, date.fromisoformat(text))

    def occurrence(self, series: str, day: date) -> Json | None:
        master = self.events[series]
        if day in self.gaps.get(series, ()) or day not in days_of(master["recurrence"], day):
            return None
        return self._yielded(series, day)

    def _yielded(self, series: str, day: date) -> Json:
        master = self.events[series]
        start = start_on(master, day)
        kept = {name: one for name, one in master.items() if name not in _OF_MASTER}
        return {
            **kept,
            "id": occurrence_id(series, day),
            "type": "occurrence",
            "seriesMasterId": series,
            "recurrence": None,
            "iCalUId": _uid(master["iCalUId"][40:], day),
            "originalStart": f"{original_on(master, day):%Y-%m-%dT%H:%M:%SZ}",
            "start": told(start),
            "end": told(start + length_of(master)),
        }

    def instances(self, series: str, after: datetime, before: datetime) -> Iterator[Json]:
        """Yield occurrences and exceptions that meet a window, in the order of their days."""
        gone = self.gaps.get(series, set())
        for day in days_of(self.events[series]["recurrence"], before.date() + _LATEST):
            if day not in gone:
                found = self.events.get(occurrence_id(series, day)) or self._yielded(series, day)
                if meets(found, after, before):
                    yield found

    def within(self, key: str, after: datetime, before: datetime) -> bool:
        """Tell whether an event, or some instance of a series, meets a window."""
        if key in self.events_of_series():
            return next(self.instances(key, after, before), None) is not None
        return meets(self.events[key], after, before)

    def events_of_series(self) -> set[str]:
        return {key for key, one in self.events.items() if one["type"] == "seriesMaster"}

    def _write(self, key: str, item: Json) -> Json:
        self.log.append(key)
        if item["type"] != "exception":
            item["type"] = "seriesMaster" if item.get("recurrence") else "singleInstance"
        number = next(_numbers)
        item["changeKey"] = f"ck{number}"
        item["@odata.etag"] = f'W/"{number}"'
        item["lastModifiedDateTime"] = f"{_BEGIN + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}"
        self.events[key] = item
        return item

    def _forget(self, series: str) -> None:
        self.gaps.pop(series, None)
        for key, one in list(self.events.items()):
            if one.get("seriesMasterId") == series:
                del self.events[key]
                self.log.append(key)


_OF_MASTER = frozenset({"recurrence", "extensions", "transactionId"})


def occurrence_id(series: str, day: date) -> str:
    return f"{series}@{day.isoformat()}"


def meets(item: Json, after: datetime, before: datetime) -> bool:
    start, end = moment(item["start"]), moment(item["end"])
    return start < before and (end > after or start >= after)


def sparse(item: Json) -> Json:
    """Return an occurrence as a change feed has it (MG4)."""
    kept = ("@odata.etag", "id", "type", "seriesMasterId", "start", "end")
    return {name: item[name] for name in kept}


def _uid(rest: str, day: date | None) -> str:
    told = "00000000" if day is None else f"{day.year:04X}{day.month:02X}{day.day:02X}"
    return f"{_GLOBAL_ID}{told}{rest}"


def _new(key: str) -> Json:
    number = next(_numbers)
    return {
        "id": key,
        "type": "singleInstance",
        "iCalUId": _uid(f"{number:024X}", None),
        "createdDateTime": "2026-11-01T00:00:00Z",
        "subject": "",
        "body": {"contentType": "text", "content": ""},
        "bodyPreview": "",
        "categories": [],
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "organizer": {"emailAddress": {"name": "Ada", "address": OWNER}},
        "responseStatus": {"response": "organizer", "time": NEVER},
        "attendees": [],
        "location": {"displayName": "", "locationType": "default"},
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "sensitivity": "normal",
        "showAs": "busy",
        "recurrence": None,
        "seriesMasterId": None,
        "originalStart": None,
        "hasAttachments": False,
    }


def _normal(members: Json) -> Json:
    """Return members as Graph keeps them: times in UTC, their zones beside them."""
    made = dict(members)
    for name, zone in (("start", "originalStartTimeZone"), ("end", "originalEndTimeZone")):
        if name in members:
            made[zone] = members[name]["timeZone"]
            made[name] = told(moment(members[name]))
            if members.get("isAllDay"):
                made[name] = told(moment({**members[name], "timeZone": "UTC"}))
    if "attendees" in members:
        plain = {"type": "required", "status": {"response": "none", "time": NEVER}}
        made["attendees"] = [{**plain, **one} for one in members["attendees"]]
    if members.get("recurrence") and "start" in members:
        extent = {"recurrenceTimeZone": members["start"]["timeZone"], "numberOfOccurrences": 0}
        extent |= {"endDate": "0001-01-01"} | members["recurrence"]["range"]
        made["recurrence"] = {**members["recurrence"], "range": extent}
    return made
