"""When an event shall be (R12, K24)."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from syncd.engine.draft import EventDraft
from syncd.engine.settle import settle
from tests.engine.drafts import (
    BERLIN,
    DAYS,
    TIMED,
    changed,
    made,
    refused,
    scene,
    wall,
)


@pytest.mark.parametrize(
    ("draft", "start", "zone"),
    [
        # a local time: its own zone, else the user's, else the calendar's, else UTC
        ({"start": wall(2026, 7, 1, 9), "start_zone": "America/New_York"},
         "09:00-04:00", "America/New_York"),
        ({"start": wall(2026, 7, 1, 9)}, "09:00+02:00", "Europe/Berlin"),
        ({"start": wall(2026, 7, 1, 9), "user": "Asia/Tokyo"}, "09:00+09:00", "Asia/Tokyo"),
        ({"start": wall(2026, 7, 1, 9), "calendar": None}, "09:00+00:00", "UTC"),
        ({"start": wall(2026, 7, 1, 9), "calendar": "Mars/Base"}, "09:00+00:00", "UTC"),
        # an instant stays one; only the zone is filled
        ({"start": datetime(2026, 7, 1, 7, tzinfo=UTC)}, "09:00+02:00", "Europe/Berlin"),
        ({"start": datetime(2026, 7, 1, 7, tzinfo=UTC), "start_zone": "America/New_York"},
         "03:00-04:00", "America/New_York"),
        # a date without all_day is 00:00 there
        ({"start": date(2026, 7, 1), "start_zone": "America/New_York"},
         "00:00-04:00", "America/New_York"),
        ({"start": wall(2026, 7, 1, 9), "start_zone": None}, "09:00+02:00", "Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_time_means_what_its_zone_says(draft: dict[str, Any], start: str, zone: str) -> None:
    """R12."""
    user, calendar = draft.pop("user", None), draft.pop("calendar", "Europe/Berlin")
    where = scene(user_zone=user, calendar_zone=calendar)
    given = EventDraft(name="x", end=datetime(2026, 7, 9, tzinfo=UTC), **draft)
    edit = settle(given, where).edit
    assert isinstance(edit.start, datetime)
    assert edit.start.isoformat()[11:].replace(":00-", "-").replace(":00+", "+") == start
    assert edit.start_zone == zone


def test_a_time_that_the_clocks_skip_is_that_much_later() -> None:
    edit = made(start=wall(2026, 3, 29, 2, 30), end=wall(2026, 3, 29, 4)).edit
    assert isinstance(edit.start, datetime)
    assert edit.start.isoformat() == "2026-03-29T03:30:00+02:00"


@pytest.mark.parametrize("name", ["Mars/Base", "W. Europe Standard Time", "europe/berlin ", ""])
@pytest.mark.parametrize("field", ["start_time_zone", "end_time_zone"])
def test_an_unknown_zone_is_named(name: str, field: str) -> None:
    refused(field, None, None, **{field.replace("_time", ""): name})


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2020, 1, 1), date(2020, 1, 3), (date(2020, 1, 1), date(2020, 1, 3))),
        # times: the date in the field's zone, an end after 00:00 needs that day too
        (wall(2020, 1, 1, 15), wall(2020, 1, 2, 0), (date(2020, 1, 1), date(2020, 1, 2))),
        (wall(2020, 1, 1, 15), wall(2020, 1, 2, 0, 1), (date(2020, 1, 1), date(2020, 1, 3))),
        (datetime(2019, 12, 31, 23, 30, tzinfo=UTC), datetime(2020, 1, 1, 23, tzinfo=UTC),
         (date(2020, 1, 1), date(2020, 1, 2))),
        (date(2020, 1, 1), datetime(2020, 1, 1, 23, 1, tzinfo=UTC),
         (date(2020, 1, 1), date(2020, 1, 3))),
    ],
)  # fmt: skip
def test_all_day_takes_dates_and_times(start: date, end: date, expected: tuple[date, date]) -> None:
    """K24: dates out, zones null."""
    edit = made(all_day=True, start=start, end=end, start_zone=None).edit
    assert (edit.start, edit.end) == expected
    assert (edit.start_zone, edit.end_zone) == (None, None)
    assert not isinstance(edit.start, datetime)


def test_a_given_zone_counts_for_the_date_of_a_time() -> None:
    """K24: the date in the field's zone."""
    start, end = datetime(2020, 1, 1, 3, tzinfo=UTC), datetime(2020, 1, 2, 3, tzinfo=UTC)
    edit = made(all_day=True, start=start, end=end, start_zone="America/New_York",
                end_zone="America/New_York").edit  # fmt: skip
    assert (edit.start, edit.end) == (date(2019, 12, 31), date(2020, 1, 2))


def test_all_day_alone_converts_what_is_stored() -> None:
    """K24, both ways; a zone alone changes nothing about days."""
    edit = changed(TIMED, all_day=True)
    assert (edit.start, edit.end, edit.start_zone) == (date(2026, 11, 24), date(2026, 11, 25), None)
    edit = changed(DAYS, all_day=False)
    assert (edit.start, edit.end) == (
        datetime(2026, 11, 24, tzinfo=BERLIN), datetime(2026, 11, 26, tzinfo=BERLIN),
    )  # fmt: skip
    assert edit.end_zone == "Europe/Berlin"
    assert settle(EventDraft(start_zone="Asia/Tokyo"), scene(DAYS)).empty


def test_what_is_stored_decides_where_all_day_is_not_given() -> None:
    edit = changed(DAYS, end=wall(2026, 11, 27, 12))
    assert (edit.start, edit.end) == (date(2026, 11, 24), date(2026, 11, 28))
    edit = changed(TIMED, start=date(2026, 11, 24))
    assert edit.start == datetime(2026, 11, 24, tzinfo=BERLIN)


def test_a_new_start_leaves_the_end_where_it_is() -> None:
    """K21; so it must not pass it."""
    edit = changed(TIMED, start=wall(2026, 11, 24, 9))
    assert (edit.start, edit.end) == (datetime(2026, 11, 24, 9, tzinfo=BERLIN), TIMED.end)
    refused("start", TIMED, start=wall(2026, 11, 24, 11))
    refused("end", TIMED, end=wall(2026, 11, 24, 10))


def test_another_zone_leaves_the_instant() -> None:
    edit = changed(TIMED, start_zone="America/New_York")
    assert edit.start == TIMED.start
    assert isinstance(edit.start, datetime)
    assert edit.start.utcoffset() == timedelta(hours=-5)
    assert (edit.start_zone, edit.end_zone) == ("America/New_York", "Europe/Berlin")
    assert (
        changed(TIMED, start_zone=None, start=wall(2026, 11, 24, 8)).start_zone == "Europe/Berlin"
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (wall(2026, 11, 24, 10), wall(2026, 11, 24, 10)),
        (date(2026, 11, 24), date(2026, 11, 24)),
        (datetime(2026, 11, 24, 10, tzinfo=timezone(timedelta(hours=-1))),
         datetime(2026, 11, 24, 11, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_end_comes_after_the_start(start: date, end: date) -> None:
    refused("end", start=start, end=end)


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2)))
    second = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=1)))
    edit = made(start=first, end=second).edit
    assert isinstance(edit.start, datetime)
    assert isinstance(edit.end, datetime)
    assert (edit.start.utcoffset(), edit.end.utcoffset()) == (
        timedelta(hours=2), timedelta(hours=1),
    )  # fmt: skip
    refused("end", start=second, end=first)


def test_times_beyond_the_years_are_refused() -> None:
    late = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    refused("start", start=late, end=late)
