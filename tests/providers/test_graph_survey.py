"""Whatever is removed from a series or differs in it, what is left is what Graph yields (MG7, MG8).

The other side works days out one by one (tests/servers/graph_dates.py).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.formats.expand import Recurring, expand_series
from syncd.model.ids import ResourceKey, Slot
from syncd.model.resource import Resource, slot
from syncd.providers.graph.series import (
    Whole,
    etag_of,
    is_series_etag,
    newest,
    resource_of,
    whole_of,
)
from syncd.providers.graph.survey import concerns, surveyed
from syncd.providers.graph.window import Window
from tests.servers.graph_dates import days_of, start_on
from tests.servers.graph_truth import CalendarTruth

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
WINDOW = Window.around(NOW)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST = date(2028, 10, 1)  # what comes then is not compared
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Pacific/Auckland")
Json = dict[str, Any]


@st.composite
def series(draw: st.DrawFn) -> Json:
    """Return a series as a client of Graph writes it: it begins on a day of its pattern."""
    first = date(2026, 9, 1) + timedelta(days=draw(st.integers(0, 120)))
    kind = draw(st.sampled_from(["daily", "weekly", "absoluteMonthly", "relativeMonthly"]))
    pattern: Json = {"type": kind, "interval": draw(st.integers(1, 3))}
    if kind == "weekly":
        others = draw(st.lists(st.sampled_from(DAYS), max_size=3))
        pattern |= {"daysOfWeek": list({*others, DAYS[first.weekday()]})}
        pattern["firstDayOfWeek"] = draw(st.sampled_from(["sunday", "monday"]))
    elif kind == "absoluteMonthly":
        pattern["dayOfMonth"] = first.day
    elif kind == "relativeMonthly":
        first = first.replace(day=draw(st.integers(1, 28)))
        index = ("first", "second", "third", "fourth")[(first.day - 1) // 7]
        pattern |= {"index": index, "daysOfWeek": [DAYS[first.weekday()]]}
    extent: Json = {"type": "numbered", "startDate": first.isoformat()}
    extent["numberOfOccurrences"] = draw(st.integers(1, 30))
    hour, zone = draw(st.integers(0, 22)), draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        begin, end = f"{first}T00:00:00", f"{first + timedelta(days=1)}T00:00:00"
        times = {"isAllDay": True}
    else:
        begin, end = f"{first}T{hour:02}:30:00", f"{first}T{hour + 1:02}:00:00"
        times = {"isAllDay": False}
    return {
        "start": {"dateTime": begin, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        "recurrence": {"pattern": pattern, "range": extent},
        **times,
    }


def survey(truth: CalendarTruth, before: Whole | None = None) -> Whole:
    """Survey the series ``w`` as a read does that has all exceptions."""
    entries = list(truth.instances("w", WINDOW.after, WINDOW.before))
    exceptions = {key: one for key, one in truth.events.items() if key != "w"}
    whole = Whole(master=truth.events["w"], exceptions=exceptions)
    return surveyed(whole, entries, WINDOW, before)


def read(whole: Whole) -> Resource:
    return resource_of(ResourceKey("w"), whole, {}, own=frozenset())


def left(resource: Resource) -> set[str]:
    """Return the starts that a reader of the resource sees: occurrences and exceptions."""
    event = resource.events[0]
    recurring = Recurring(
        start=event.start, end=event.end, zone=event.start_zone, recurrence=event.recurrence
    )
    found = expand_series(recurring, WINDOW.after, WINDOW.before, 4000)
    assert found is not None
    return {text for start, _ in found.occurrences if (text := slot_text(start)) < f"{LAST:%Y%m%d}"}


def slot_text(start: date) -> str:
    if not isinstance(start, datetime):
        return f"{start:%Y%m%d}"
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def expected(truth: CalendarTruth, day: date) -> str:
    master = truth.events["w"]
    return slot_text(day if master["isAllDay"] else start_on(master, day))


@settings(max_examples=40, deadline=None)
@given(series(), st.data())
def test_what_is_left_of_a_series_is_what_graph_yields(given_: Json, data: st.DataObject) -> None:
    truth = CalendarTruth("c", "Work")
    truth.put("w", **given_)
    days = list(days_of(truth.events["w"]["recurrence"], LAST + timedelta(days=2)))
    gone = data.draw(st.sets(st.sampled_from(days), max_size=4))
    other = data.draw(st.sets(st.sampled_from(days), max_size=3)) - gone
    for day in gone:
        truth.drop("w", day)
    for day in other:
        truth.put_exception("w", day, subject="Other")
    whole = survey(truth)
    resource = read(whole)
    there = {expected(truth, day) for day in days if day not in gone}
    assert left(resource) == {text for text in there if text < f"{LAST:%Y%m%d}"}
    assert {slot(one) for one in resource.events[1:]} == {expected(truth, day) for day in other}
    assert whole_of(resource.raw) == whole
    assert survey(truth, before=whole) == whole
    assert concerns(truth.events["w"], WINDOW)


def test_the_version_of_a_series_is_that_of_all_its_parts() -> None:
    """F6: an older version is told from a newer one also where only a part of it changed."""
    truth = CalendarTruth("c", "Work")
    pattern = {"type": "daily", "interval": 1}
    extent = {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 9}
    times = {name: {"dateTime": f"2026-11-24T{hour}:00:00", "timeZone": "UTC"}
             for name, hour in (("start", "09"), ("end", "10"))}  # fmt: skip
    truth.put("w", **times, recurrence={"pattern": pattern, "range": extent})
    etags = [etag_of(survey(truth))]
    truth.put_exception("w", date(2026, 11, 25), subject="Other")
    etags.append(etag_of(survey(truth)))
    truth.put_exception("w", date(2026, 11, 25), subject="Another")
    etags.append(etag_of(survey(truth)))
    truth.drop("w", date(2026, 11, 25))
    etags.append(etag_of(survey(truth)))
    truth.drop("w", date(2026, 11, 26))
    etags.append(etag_of(survey(truth)))
    assert len(set(etags)) == 5
    assert all(map(is_series_etag, etags))
    single = Whole(master=truth.put("a", **times))
    assert etag_of(single) == truth.events["a"]["@odata.etag"]
    assert not is_series_etag(etag_of(single))


@pytest.mark.parametrize("stamp", ["soon", "", None, 7, "2026-11-31T00:00:00Z"])
def test_of_two_versions_that_do_not_compare_the_last_counts(stamp: object) -> None:
    """P4."""
    known = {"id": "a", "lastModifiedDateTime": "2026-11-20T09:00:00.1234567Z"}
    strange = {"id": "a", "lastModifiedDateTime": stamp}
    assert newest(known, strange) is strange
    assert newest(strange, known) is known


def test_an_exception_that_says_nothing_is_a_fault_and_not_a_guess() -> None:
    """MG8, I10: where nothing is uncovered, no start can be its own."""
    truth = CalendarTruth("c", "Work")
    times = {name: {"dateTime": f"2026-11-24T{hour}:00:00", "timeZone": "UTC"}
             for name, hour in (("start", "09"), ("end", "10"))}  # fmt: skip
    extent = {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 3}
    truth.put(
        "w", **times, recurrence={"pattern": {"type": "daily", "interval": 1}, "range": extent}
    )
    stray = {**truth.events["w"], "id": "x", "type": "exception", "recurrence": None}
    whole = Whole(master=truth.events["w"], exceptions={"x": {**stray, "iCalUId": ""}})
    entries = list(truth.instances("w", WINDOW.after, WINDOW.before))
    found = surveyed(whole, entries, WINDOW, None)
    assert found.slots == {}
    assert found.excluded == frozenset[Slot]()
    resource = read(found)
    assert len(resource.events) == 1
    assert resource.faults == ("event x does not say which start it replaces",)
