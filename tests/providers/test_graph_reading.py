"""Reading Microsoft Graph, over the fake that the OpenAPI document judges."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from syncd.model.errors import (
    SyncTokenExpiredError,
)
from syncd.model.ids import ResourceKey, SyncToken
from syncd.model.resource import slot
from tests.providers.graph import GraphDesk, graph_desk
from tests.servers.graph import GraphServer, at

WEEKLY: dict[str, Any] = {
    "subject": "Weekly",
    "start": at(24, 10),
    "end": at(24, 11),
    "recurrence": {
        "pattern": {
            "type": "weekly",
            "interval": 1,
            "daysOfWeek": ["tuesday"],
            "firstDayOfWeek": "monday",
        },
        "range": {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 8},
    },
}
RULE = "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=8"
SECOND, THIRD = date(2026, 12, 1), date(2026, 12, 8)
EARLY: dict[str, Any] = {"start": {"dateTime": "2020-01-01T09:00:00", "timeZone": "UTC"},
         "end": {"dateTime": "2020-01-01T10:00:00", "timeZone": "UTC"}}  # fmt: skip

PAST = {
    **WEEKLY["recurrence"],
    "range": {**WEEKLY["recurrence"]["range"], "startDate": "2020-01-01"},
}


@pytest.fixture
async def server() -> AsyncIterator[GraphServer]:
    async with GraphServer().running() as running:
        yield running
        assert running.complaints == []


@pytest.fixture
async def desk(server: GraphServer) -> AsyncIterator[GraphDesk]:
    async with graph_desk(server) as one:
        yield one


def single(desk: GraphDesk, name: str, summary: str = "", **members: Any) -> None:  # noqa: ANN401
    times = {"start": at(24), "end": at(24, 10)}
    desk.work.put(name, **{"subject": summary or name, **times, **members})


async def test_the_first_read_brings_all_and_the_next_nothing(desk: GraphDesk) -> None:
    """MG2, MG3, MG6."""
    for number in range(7):
        single(desk, f"single{number}")
    single(desk, "early", **EARLY)
    desk.work.put("w", **WEEKLY)
    desk.server.page_size = 3
    read = await desk.read()
    assert len(desk.held) == 9
    assert read.last.complete
    desk.asked()
    again = await desk.read()
    assert again.empty
    assert not again.last.complete
    assert desk.asked() == [f"GET /me/calendars/{desk.key}/calendarView/delta"]


async def test_single_events_come_change_move_and_go(desk: GraphDesk) -> None:
    await desk.read()
    single(desk, "a", "First")
    assert (await desk.read()).changed == {"a"}
    single(desk, "a", "Second", location={"displayName": "Room 1"})
    assert (await desk.read()).changed == {"a"}
    single(desk, "a", "Second", start=at(26), end=at(26, 10))
    await desk.read()
    assert desk.events("a")[0].start == datetime(2026, 11, 26, 8, tzinfo=UTC)
    assert desk.events("a")[0].start_zone == "Europe/Berlin"
    desk.work.remove("a")
    assert (await desk.read()).deleted == {"a"}


async def test_a_series_and_its_exceptions_are_one_resource(desk: GraphDesk) -> None:
    """P8, MG4: occurrences are neither stored nor fetched."""
    desk.work.put("w", **WEEKLY)
    await desk.read()
    assert list(desk.held) == ["w"]
    desk.work.put_exception("w", SECOND, start=at(31, 14), end=at(31, 15), subject="Later")
    assert (await desk.read()).upserts == {"w"}
    series, exception = desk.events("w")
    assert series.recurrence == (RULE,)
    assert (slot(exception), exception.name) == ("20261201T090000Z", "Later")
    assert exception.uid == series.uid
    desk.work.put_exception("w", THIRD, subject="Other")
    await desk.read()
    assert [slot(one) for one in desk.events("w")] == ["", "20261201T090000Z", "20261208T090000Z"]
    whole = desk.held[ResourceKey("w")]
    await desk.read(full=True)
    assert desk.held[ResourceKey("w")] == whole
    desk.work.remove("w")
    assert (await desk.read()).deleted == {"w"}
    assert desk.held == {}


@pytest.mark.parametrize("full", [True, False], ids=["listing", "feed"])
async def test_a_removed_occurrence_is_an_excluded_start_of_its_series(
    desk: GraphDesk, *, full: bool
) -> None:
    """P8, MG7: the feed says nothing of it before something of the series changes."""
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", THIRD, subject="Other")
    await desk.read()
    desk.work.drop("w", SECOND)
    assert (await desk.read()).empty
    if not full:
        desk.work.put("w", subject="Renamed")
    await desk.read(full=full)
    series, exception = desk.events("w")
    line = "EXDATE;TZID=Europe/Berlin:20261201T100000"
    assert series.recurrence == (RULE, line)
    assert exception.name == "Other"
    desk.work.drop("w", THIRD)
    await desk.read(full=full)
    (series,) = desk.events("w")
    assert series.recurrence == (RULE, line, "EXDATE;TZID=Europe/Berlin:20261208T100000")


async def test_days_are_excluded_as_days(desk: GraphDesk) -> None:
    """P9, MG11."""
    extent = {"type": "endDate", "startDate": "2026-11-24", "endDate": "2026-11-28"}
    times = {"start": at(24, 0), "end": at(25, 0), "isAllDay": True}
    daily = {"pattern": {"type": "daily", "interval": 1}, "range": extent}
    desk.work.put("d", **times, recurrence=daily)
    desk.work.drop("d", date(2026, 11, 26))
    await desk.read()
    (series,) = desk.events("d")
    assert (series.start, series.end) == (date(2026, 11, 24), date(2026, 11, 25))
    rule = "RRULE:FREQ=DAILY;UNTIL=20261128"
    assert series.recurrence == (rule, "EXDATE;VALUE=DATE:20261126")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland"])
async def test_an_exception_to_days_replaces_its_day(desk: GraphDesk, zone: str) -> None:
    """MG8, F17: it says which by a time, the midnight in the zone of its series."""
    first, second = ({"dateTime": f"2026-11-{day}T00:00:00", "timeZone": zone} for day in (24, 25))
    times = {"start": first, "end": second, "isAllDay": True}
    desk.work.put("w", **{**WEEKLY, **times})
    desk.work.put_exception("w", SECOND, subject="Other")
    await desk.read()
    series, exception = desk.events("w")
    assert series.recurrence == (RULE,)
    assert (exception.original_start, exception.start) == (SECOND, SECOND)


async def test_a_series_keeps_its_hour_over_a_change_of_clocks(desk: GraphDesk) -> None:
    """MG11: no start is missed, although in UTC the hour is another one from March on."""
    extent = {"type": "noEnd", "startDate": "2026-11-24"}
    desk.work.put("w", **{**WEEKLY, "recurrence": {**WEEKLY["recurrence"], "range": extent}})
    desk.work.drop("w", date(2027, 6, 1))
    await desk.read()
    line = "EXDATE;TZID=Europe/Berlin:20270601T100000"
    assert desk.events("w")[0].recurrence == ("RRULE:FREQ=WEEKLY;BYDAY=TU", line)


async def test_an_exception_that_goes_leaves_an_excluded_start(desk: GraphDesk) -> None:
    """MG5: its tombstone names an id that is no resource's own."""
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Other")
    single(desk, "a")
    await desk.read()
    desk.work.drop("w", SECOND)
    assert (await desk.read()).upserts == {"w"}
    (series,) = desk.events("w")
    assert len(series.recurrence) == 2


async def test_instances_without_exceptions_prove_nothing(desk: GraphDesk) -> None:
    """MG7: an exception that they leave out is asked for by its id."""
    desk.server.habits.bare_instances = True
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Other")
    await desk.read()
    desk.work.put("w", subject="Renamed")
    await desk.read()
    assert [one.name for one in desk.events("w")] == ["Renamed", "Other"]
    assert desk.events("w")[0].recurrence == (RULE,)
    desk.work.put("w", start=at(24, 12), end=at(24, 13))  # which ends what differs from it
    await desk.read()
    assert [(one.name, one.recurrence) for one in desk.events("w")] == [("Renamed", (RULE,))]


async def test_the_original_start_is_found_where_it_is_not_told(desk: GraphDesk) -> None:
    """MG8: by the day in iCalUId, else the nearest start that nothing covers; it cannot flip."""
    desk.server.habits.no_original_start = True
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, start=at(32), end=at(32, 10), subject="One day later")
    await desk.read()
    assert slot(desk.events("w")[1]) == "20261201T090000Z"
    desk.server.habits.no_day_in_uid = True
    desk.work.put_exception("w", date(2026, 12, 15), start=at(47), end=at(47, 10), subject="Third")
    desk.work.put_exception("w", THIRD, start=at(37), end=at(37, 10), subject="A day before")
    await desk.read()
    places = ["", "20261201T090000Z", "20261208T090000Z", "20261215T090000Z"]
    names = ["Weekly", "One day later", "A day before", "Third"]
    assert [slot(one) for one in desk.events("w")] == places
    assert [one.name for one in desk.events("w")] == names
    desk.work.put_exception("w", THIRD, start=at(46), end=at(46, 10))
    await desk.read()
    assert [one.name for one in desk.events("w")] == names
    assert [slot(one) for one in desk.events("w")] == places


async def test_what_is_excluded_before_the_window_stays(desk: GraphDesk) -> None:
    """MG7: nobody says it again."""
    extent = {"type": "noEnd", "startDate": "2026-11-24"}
    desk.work.put("w", **{**WEEKLY, "recurrence": {**WEEKLY["recurrence"], "range": extent}})
    desk.work.put_exception("w", THIRD, subject="Old")
    desk.work.drop("w", SECOND)
    await desk.read()
    whole = desk.held[ResourceKey("w")]
    desk.wait(days=500)
    await desk.read(full=True)
    assert desk.held[ResourceKey("w")] == whole
    desk.work.put("w", subject="Renamed")
    await desk.read()
    assert [one.name for one in desk.events("w")] == ["Renamed", "Old"]
    assert len(desk.events("w")[0].recurrence) == 2


async def test_a_tombstone_is_not_believed(desk: GraphDesk) -> None:
    """MG5: what is added or changed outside of the window comes as one."""
    await desk.read()
    single(desk, "early", **EARLY)
    assert (await desk.read()).changed == {"early"}
    single(desk, "early", "Changed", **EARLY)
    assert (await desk.read()).changed == {"early"}
    assert desk.events("early")[0].name == "Changed"
    single(desk, "a", **EARLY)
    desk.work.remove("a")
    assert (await desk.read()).empty  # P5
    desk.work.remove("early")
    assert (await desk.read()).deleted == {"early"}


async def test_an_event_that_moves_to_another_calendar_is_gone_here(desk: GraphDesk) -> None:
    """MG3, P7: its id stays, so that it is asked for below its calendar."""
    single(desk, "a")
    await desk.read()
    other = desk.server.add_calendar("Other")
    other.put("a", **desk.work.events["a"])
    desk.work.remove("a")
    assert (await desk.read()).deleted == {"a"}


async def test_many_removed_ids_are_looked_up_in_several_polls(desk: GraphDesk) -> None:
    """MG5: 200 at once."""
    for number in range(230):
        single(desk, f"e{number}")
    await desk.read()
    for number in range(230):
        desk.work.remove(f"e{number}")
    desk.asked()
    first = await desk.read()
    assert len(first.deleted) == 200
    assert sum("/events/" in one for one in desk.asked()) == 200
    assert len((await desk.read()).deleted) == 30
    assert (await desk.read()).empty


async def test_partial_entries_are_fetched_whole(desk: GraphDesk) -> None:
    """MG4."""
    desk.server.habits.partial = True
    single(desk, "a", "First")
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Other")
    await desk.read()
    assert len(desk.events("w")) == 2
    single(desk, "a", "Second", location={"displayName": "Room 1"})
    desk.work.put_exception("w", THIRD, subject="Another")
    await desk.read()
    assert (desk.events("a")[0].name, desk.events("a")[0].location) == ("Second", "Room 1")
    assert [one.name for one in desk.events("w")] == ["Weekly", "Other", "Another"]


async def test_replays_and_odd_orders_change_nothing(desk: GraphDesk) -> None:
    """MG9, P4."""
    desk.server.habits.replays = desk.server.habits.backwards = True
    await desk.read()
    single(desk, "a")
    desk.work.put("w", **WEEKLY)
    await desk.read()
    desk.work.put_exception("w", SECOND, subject="Other")
    desk.work.put("w", subject="Renamed")
    desk.work.remove("a")
    await desk.read()
    assert [one.name for one in desk.events("w")] == ["Renamed", "Other"]
    assert list(desk.held) == ["w"]
    held = dict(desk.held)
    for _ in range(2):
        await desk.read()
        assert desk.held == held


async def test_an_older_version_than_ours_is_passed_over(desk: GraphDesk) -> None:
    """MG9, P4."""
    single(desk, "a", "First")
    await desk.read()
    old = desk.work.events["a"]
    single(desk, "a", "Second")
    await desk.read()
    newest = desk.work.events["a"]
    desk.work.events["a"] = old
    desk.work.touch("a")
    assert (await desk.read()).empty
    desk.work.events["a"] = newest
    assert desk.events("a")[0].name == "Second"


async def test_a_listing_that_skips_an_event_deletes_nothing(desk: GraphDesk) -> None:
    """MG6, I7: what neither listing nor round names is looked up."""
    for number in range(4):
        single(desk, f"e{number}", **EARLY)
    desk.work.put("w", **{**WEEKLY, **EARLY, "recurrence": PAST})
    await desk.read()
    desk.server.unlisted |= {"e1", "w"}
    read = await desk.read(full=True)
    assert read.empty
    assert len(desk.held) == 5
    del desk.work.events["e1"]
    assert (await desk.read(full=True)).deleted == {"e1"}


async def test_a_series_that_has_ended_is_not_asked_for(desk: GraphDesk) -> None:
    """MG7: of many years of series only those within the window are looked into."""
    desk.work.put("old", **{**WEEKLY, **EARLY, "recurrence": PAST})
    desk.work.put("w", **WEEKLY)
    await desk.read()
    desk.asked()
    await desk.read(full=True)
    assert [one for one in desk.asked() if "instances" in one] == ["GET /me/events/w/instances"]
    assert desk.events("old")[0].recurrence == (RULE,)


async def test_a_guest_at_one_occurrence_sees_it_without_its_series(desk: GraphDesk) -> None:
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Guest")
    del desk.work.events["w"]
    await desk.read()
    (key,) = desk.held
    assert [(one.name, slot(one)) for one in desk.events(key)] == [("Guest", "")]
    assert (await desk.read(full=True)).empty


async def test_a_series_that_repeats_no_more_loses_its_exceptions(desk: GraphDesk) -> None:
    desk.work.put("w", **WEEKLY)
    desk.work.put_exception("w", SECOND, subject="Other")
    await desk.read()
    desk.work.put("w", recurrence=None)
    await desk.read()
    assert [one.recurrence for one in desk.events("w")] == [()]
    desk.work.put("w", **WEEKLY)
    await desk.read()
    assert [one.recurrence for one in desk.events("w")] == [(RULE,)]


async def test_an_expired_link_asks_for_a_full_read(desk: GraphDesk) -> None:
    """MG9, I8, P2."""
    single(desk, "a")
    await desk.read()
    desk.server.expire()
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
    assert (await desk.read(full=True)).empty
    desk.follower.token = SyncToken('{"v":0,"p":"x","link":"y"}')
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()


async def test_the_window_moves_on_every_month(desk: GraphDesk) -> None:
    """MG1: two years ahead of a round that is at most 30 days old."""
    await desk.read()
    desk.wait(days=29)
    await desk.read()
    desk.wait(days=3)
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
    await desk.read(full=True)
    assert (await desk.read()).empty
