from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.when import (
    check_when,
    from_milliseconds,
    instant,
    milliseconds,
    rfc3339,
    slot_of,
    utc,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, 9, tzinfo=UTC), "2026-11-20T09:00:00Z"),
        (datetime(2026, 11, 20, 9, tzinfo=BERLIN), "2026-11-20T09:00:00+01:00"),
        (datetime(2026, 7, 20, 9, tzinfo=BERLIN), "2026-07-20T09:00:00+02:00"),
        (datetime(2026, 7, 20, 9, 0, 0, 106000, UTC), "2026-07-20T09:00:00.106Z"),
        (datetime(2026, 7, 20, 9, 0, 0, 999, UTC), "2026-07-20T09:00:00Z"),
        (datetime(2026, 7, 20, 9, tzinfo=ZoneInfo("Etc/UTC")), "2026-07-20T09:00:00Z"),
        (datetime(9, 7, 20, 9, tzinfo=UTC), "0009-07-20T09:00:00Z"),
        (datetime(1890, 1, 1, tzinfo=BERLIN), "1890-01-01T00:00:00+00:53:28"),
    ],
)
def test_times_are_written_as_r12_says(when: date | datetime, text: str) -> None:
    assert rfc3339(when) == text


@given(
    st.datetimes(timezones=st.timezones() | st.just(UTC)),
    st.sampled_from([0, 999, 1000, 999_999]),
)
def test_a_time_is_written_as_python_writes_it(when: datetime, microsecond: int) -> None:
    when = when.replace(microsecond=microsecond)
    precision = "milliseconds" if microsecond >= 1000 else "seconds"
    text = when.isoformat(timespec=precision)
    assert rfc3339(when) == (f"{text[:-6]}Z" if text.endswith("+00:00") else text)


def test_stamps_are_in_utc() -> None:
    assert utc(datetime(2026, 11, 20, 9, tzinfo=BERLIN)) == "2026-11-20T08:00:00Z"


def test_a_slot_is_the_start_in_utc_or_a_date() -> None:
    assert slot_of(datetime(2026, 11, 20, 10, tzinfo=BERLIN)) == "20261120T090000Z"
    assert slot_of(date(2026, 11, 20)) == "20261120"
    assert slot_of(date(1, 1, 1)) == "00010101"
    assert slot_of(datetime(1, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))) == "00010101T000000Z"


def test_a_date_begins_at_midnight_of_the_zone_that_is_asked_for() -> None:
    assert instant(date(2026, 11, 20), BERLIN) == datetime(2026, 11, 19, 23, tzinfo=UTC)


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        check_when(datetime(2026, 11, 20))  # noqa: DTZ001 - what must be refused


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=45)))))
def test_milliseconds_lose_nothing_above_them(when: datetime) -> None:
    assert timedelta(0) <= when - from_milliseconds(milliseconds(when)) < timedelta(milliseconds=1)
