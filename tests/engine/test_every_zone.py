"""Every zone of the IANA base around its own transitions: what is written is what is read.

The truth here is zoneinfo alone, and the icalendar package for the bytes: no code of ours says
what a time should be.
"""

import os
import time
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest

from syncd.engine.draft import EventDraft
from syncd.engine.timing import settle_times
from syncd.formats.expand import Recurring, expand_series
from syncd.formats.ical_read import read_resource
from syncd.formats.ical_write import created, rewritten
from syncd.model.content import event_document
from syncd.model.edit import EventEdit
from syncd.model.event import Event
from syncd.model.ids import WHOLE, CalendarId, EventId, ProfileId, ResourceKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGIN, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ODD = ("Pacific/Kiritimati", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca")
NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
HOUR = timedelta(hours=1)
AROUND = [timedelta(minutes=minutes) for minutes in (-90, -45, -1, 0, 1, 45, 90)]
AT = AROUND[2:4]
NAMES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


@pytest.fixture(params=ODD)
def names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Run as on a machine that stands elsewhere; return the zones to look at from there.

    By night all of them from each place, else each from one of the places.
    """
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield NAMES if NIGHTLY else NAMES[ODD.index(request.param) :: len(ODD)]
    monkeypatch.undo()
    time.tzset()


@cache
def transitions(name: str) -> tuple[datetime, ...]:
    """Return the instants, in UTC, at which the clocks of a zone change in two years."""
    zone, found, at = ZoneInfo(name), list[datetime](), BEGIN
    while at < END:
        later = at + timedelta(days=7)
        if at.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset():
            low, high = at, later
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                middle = middle.replace(microsecond=0)
                same = low.astimezone(zone).utcoffset() == middle.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        at = later
    return tuple(found)


@cache
def unlike() -> frozenset[str]:
    """Return one zone of each kind: most have the clocks of another in these years."""
    kinds = dict[object, str]()
    for name in NAMES:
        zone, changes = ZoneInfo(name), transitions(name)
        kinds.setdefault(
            tuple((at, at.astimezone(zone).utcoffset()) for at in (BEGIN, *changes)), name
        )
    return frozenset(kinds.values())


def moments(name: str) -> Iterator[datetime]:
    """Yield instants around the transitions of a zone; of one without any, new year's.

    By day a zone whose clocks are those of another is looked at only where they change.
    """
    steps = AROUND if NIGHTLY or name in unlike() else AT
    for at in transitions(name) or (BEGIN,):
        yield from (at + step for step in steps)


def instant(when: date) -> datetime:
    """Return what compares: in Python a time that comes twice equals nothing of another zone."""
    assert isinstance(when, datetime)
    return when.astimezone(UTC)


def kept(draft: EventDraft) -> tuple[bytes, Event]:
    """Return the file that a new event becomes, and the event as it is read from there."""
    times = settle_times(draft, None, "UTC")
    assert times is not None
    edit = EventEdit(
        name="Call",
        start=times.start,
        end=times.end,
        start_zone=times.start_zone,
        end_zone=times.end_zone,
    )
    raw = created(edit, uid="one@example.org", now=NOW)
    (event,) = read_resource(ResourceKey("/one.ics"), raw).events
    return raw, event


def shown(event: Event) -> dict[str, object]:
    profile, calendar = ProfileId(1), CalendarId("cal_aaab_2")
    return event_document(
        event, event_id=EventId("e"), profile=profile, calendar=calendar, series=None
    )


def seen_by_a_stranger(raw: bytes) -> tuple[Any, Any]:
    """Return start and end as the icalendar package reads them, with the zone base as its zones."""
    (event,) = icalendar.Calendar.from_ical(raw).walk("VEVENT")
    times: Any = event
    return times["DTSTART"].dt, times["DTEND"].dt


@pytest.mark.timeout(120)
def test_an_instant_stays_that_instant_in_every_zone(names: list[str]) -> None:
    """Given with its offset, also in the hour that comes twice."""
    wrong = list[str]()
    for name in names:
        zone = ZoneInfo(name)
        for at in moments(name):
            here, later = at.astimezone(zone), (at + HOUR).astimezone(zone)
            raw, event = kept(EventDraft(start=here, end=later, start_zone=name, end_zone=name))
            told = shown(event)
            same = (instant(event.start), instant(event.end)) == (at, at + HOUR)
            says = instant(datetime.fromisoformat(str(told["start"]))) == at
            if not (same and says):
                wrong.append(f"{name} {here.isoformat()} is kept as {told['start']} by\n{raw!r}")
    assert not wrong, "\n".join(wrong[:5]) + f"\n… {len(wrong)} in all"


@pytest.mark.timeout(120)
def test_a_wall_time_is_the_wall_time_in_every_zone(names: list[str]) -> None:
    """Given without an offset: the first of two, and that much later where there is none."""
    for name in names:
        zone = ZoneInfo(name)
        for at in moments(name):
            wall = at.astimezone(zone).replace(tzinfo=None, fold=0)
            first = wall.replace(tzinfo=zone).astimezone(UTC)
            raw, event = kept(EventDraft(start=wall, end=wall + timedelta(hours=5),
                                         start_zone=name, end_zone=name))  # fmt: skip
            assert instant(event.start) == first, (name, wall)
            stranger, _ = seen_by_a_stranger(raw)
            assert instant(stranger) == first, (name, wall, raw)


@pytest.mark.timeout(120)
def test_a_daily_meeting_keeps_its_wall_time_over_every_transition(names: list[str]) -> None:
    for name in names:
        zone = ZoneInfo(name)
        for at in transitions(name):
            begin = (at.astimezone(zone) - timedelta(days=3)).replace(tzinfo=None)
            start = begin.replace(tzinfo=zone)
            end = (start.astimezone(UTC) + HOUR).astimezone(zone)
            series = Recurring(start=start, end=end, zone=name, recurrence=("RRULE:FREQ=DAILY",))
            early, late = at - timedelta(hours=47), at + timedelta(hours=47)
            found = expand_series(series, early + HOUR, late)
            assert found is not None
            told = {instant(one): instant(until) for one, until in found.occurrences}
            walls = [begin + timedelta(days=number) for number in range(1, 6)]
            starts = {instant(wall.replace(tzinfo=zone)) for wall in walls}
            assert {one for one in starts if early < one < late} == told.keys(), (name, at)
            assert all(until - one == HOUR for one, until in told.items()), (name, at)


@pytest.mark.timeout(120)
def test_a_day_is_that_day_whatever_zone_is_said(names: list[str]) -> None:
    """All-day never moves: no zone of the field, the calendar or the machine touches a date."""
    for name in names:
        for at in transitions(name)[:2] or (BEGIN,):
            day = at.astimezone(ZoneInfo(name)).date()
            after = day + timedelta(days=1)
            draft = EventDraft(start=day, end=after, all_day=True, start_zone=name, end_zone=name)
            raw, event = kept(draft)
            told = shown(event)
            assert (told["start"], told["end"]) == (day.isoformat(), after.isoformat())
            assert (told["start_time_zone"], told["end_time_zone"]) == (None, None)
            assert seen_by_a_stranger(raw) == (day, after)
            (elsewhere,) = read_resource(ResourceKey("/"), raw, calendar_zone=name).events
            assert (elsewhere.start, elsewhere.end) == (day, after)
            renamed = rewritten(raw, WHOLE, EventEdit(name="Trip"), now=NOW, calendar_zone=name)
            assert seen_by_a_stranger(renamed) == (day, after)
            series = Recurring(start=day, end=after, zone=name,
                               recurrence=("RRULE:FREQ=DAILY;COUNT=3",))  # fmt: skip
            found = expand_series(series, at - timedelta(days=9), at + timedelta(days=9))
            assert found is not None
            days = [one for one, _ in found.occurrences]
            assert days == [day + timedelta(days=number) for number in range(3)]


def test_there_are_zones_and_transitions_to_look_at() -> None:
    assert len(NAMES) > 400
    assert 50 < len(unlike()) < len(NAMES) / 2
    assert len(transitions("Europe/Berlin")) == 4
    assert len(transitions("Africa/Casablanca")) == 4
    assert transitions("Asia/Tokyo") == ()
    assert transitions("Australia/Lord_Howe")[0] == datetime(2025, 4, 5, 15, tzinfo=UTC)
