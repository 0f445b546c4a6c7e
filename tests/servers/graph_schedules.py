"""Free time at the Graph fake: what ``getSchedule`` tells of a mailbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.servers.graph_dates import moment
from tests.servers.graph_feed import Habits
from tests.servers.graph_truth import CalendarTruth, Json, meets

LONGEST_SCHEDULE = timedelta(days=62)
MOST_SCHEDULES = 20
_STATES = {"free": "0", "tentative": "1", "busy": "2", "oof": "3", "workingElsewhere": "4"}


def schedule(
    name: str,
    truth: CalendarTruth,
    window: tuple[datetime, datetime],
    slot: timedelta,
    habits: Habits,
) -> Json:
    """Return the items of a mailbox and their merged view."""
    found = list(_within(truth, *window))
    items = [
        {name: one[name] for name in ("start", "end")} | {"status": one["showAs"]} for one in found
    ]
    return {
        "scheduleId": name,
        "availabilityView": _merged(items, *window, slot),
        "scheduleItems": [] if habits.merged_schedules else items,
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "W. Europe Standard Time"},
        },
    }


def no_schedule(name: str, *, known: bool) -> Json:
    """Return what stands in the place of a schedule that is not shown, or of nobody's."""
    code = "ErrorNoFreeBusyAccess" if known else "ErrorMailRecipientNotFound"
    return {
        "scheduleId": name,
        "availabilityView": "",
        "scheduleItems": [],
        "error": {"message": f"{code} it is.", "responseCode": code},
    }


def _within(truth: CalendarTruth, after: datetime, before: datetime) -> Iterator[Json]:
    for key, one in truth.events.items():
        if one["type"] == "seriesMaster":
            yield from truth.instances(key, after, before)
        elif one["type"] == "singleInstance" and meets(one, after, before):
            yield one


def _merged(items: list[Json], after: datetime, before: datetime, slot: timedelta) -> str:
    """Return a digit for each slot: the one that is most in the way."""
    slots = list[str]()
    while after < before:
        states = [
            _STATES[one["status"]]
            for one in items
            if moment(one["start"]) < after + slot and moment(one["end"]) > after
        ]
        busy = max((one for one in states if one != "4"), default="0")
        slots.append("4" if busy == "0" and "4" in states else busy)
        after += slot
    return "".join(slots)
