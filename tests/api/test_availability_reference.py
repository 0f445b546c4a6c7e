"""Availability equals a slow, independent reading of the same files (K28; issue of free time)."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.formats.ical_read import read_resource
from syncd.model.ids import ResourceKey
from tests.api import naive_time
from tests.api.naive_time import QUARTER, Span
from tests.api.serving import Api, serving

EXAMPLES = 2000 if os.environ.get("SYNCD_TESTS") == "nightly" else 200
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
CHANGES = (date(2026, 3, 29), date(2026, 3, 8), date(2026, 4, 5), date(2026, 10, 25))  # of clocks
DAYS = 5
WORDS = ("", "", "", "TRANSP:TRANSPARENT", "STATUS:CANCELLED", "STATUS:TENTATIVE",
         "ATTENDEE;PARTSTAT=DECLINED:mailto:Ada@example.org",
         "ATTENDEE;PARTSTAT=DECLINED:mailto:bo@example.org",
         "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ada@example.org")  # fmt: skip
RULES = ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;COUNT=6", "FREQ=WEEKLY",
         "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "FREQ=WEEKLY;INTERVAL=2;COUNT=9",
         "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=HOURLY;INTERVAL=7;COUNT=30")  # fmt: skip
DAY_RULES = tuple(one for one in RULES if "HOURLY" not in one)
minutes = st.integers(0, 4 * 24 - 1).map(lambda quarters: quarters * 15)


@dataclass(frozen=True)
class Case:
    """Files by calendar (a place in ZONES), and a question."""

    files: dict[int, list[str]]
    windows: list[tuple[datetime, datetime]]
    length: timedelta
    step: int


@st.composite
def cases(draw: Any) -> Case:  # noqa: ANN401 - hypothesis' own
    near = draw(st.sampled_from(CHANGES)) - timedelta(days=2)
    used = draw(st.lists(st.integers(0, len(ZONES) - 1), min_size=1, max_size=3, unique=True))
    return Case(
        files={one: draw(st.lists(resources(near), max_size=4)) for one in used},
        windows=[draw(windows(near)) for _ in range(draw(st.integers(1, 3)))],
        length=draw(st.integers(1, 12)) * QUARTER,
        step=draw(st.sampled_from([0, 0, 15, 30, 45, 60])),
    )


@st.composite
def windows(draw: Any, near: date) -> tuple[datetime, datetime]:  # noqa: ANN401 - hypothesis' own
    offset = timedelta(minutes=draw(st.sampled_from([0, 60, 120, -300, 330, 630])))
    begin = datetime.combine(near, time(), UTC) + timedelta(
        days=draw(st.integers(0, DAYS)), minutes=draw(minutes)
    )
    end = begin + draw(st.integers(1, 4 * 24 * 3)) * QUARTER
    zone = UTC if not offset else timezone(offset)
    return begin.astimezone(zone), end.astimezone(zone)


@st.composite
def resources(draw: Any, near: date) -> str:  # noqa: ANN401 - hypothesis' own
    """Write a file: a single event, or a series with exceptions, timed or of days."""
    lead = draw(st.sampled_from([0, 0, 3, 30, 400]))
    day = near + timedelta(days=draw(st.integers(-1, DAYS)) - lead)
    dated = draw(st.booleans()) and draw(st.booleans())
    zone = None if dated else draw(st.sampled_from(["Z", "", *ZONES]))  # "" floats
    wall = datetime.combine(day, time()) + timedelta(minutes=0 if dated else draw(minutes))
    length = (
        timedelta(days=draw(st.integers(1, 3)))
        if dated
        else draw(st.sampled_from([0, 1, 2, 4, 6, 20, 100, 140])) * QUARTER
    )
    rule = (
        draw(st.sampled_from(DAY_RULES if dated else RULES)) if lead or draw(st.booleans()) else ""
    )
    until = ""
    if rule and "COUNT" not in rule and draw(st.booleans()):
        last = near + timedelta(days=draw(st.integers(0, DAYS)))
        last = max(last, day + timedelta(days=1))  # a rule that ends before its start means nothing
        until = f";UNTIL={last:%Y%m%d}" if dated else f";UNTIL={last:%Y%m%d}T113000Z"
        if zone == "":
            until = ""  # RFC 5545 §3.3.10: local then, and of no fixed instant
    lines = _event(wall, length, zone, draw(st.sampled_from(WORDS)))
    if not rule:
        return _file(lines)
    lines.append(f"RRULE:{rule}{until}")
    far = datetime.combine(near, time()) + timedelta(days=DAYS + 2)
    walls = list(rrulestr(rule, dtstart=wall).between(far - timedelta(days=12), far))
    chosen = draw(st.lists(st.sampled_from(walls), max_size=3, unique=True)) if walls else []
    parts = [lines]
    for one in chosen:
        if draw(st.booleans()):
            lines.append(f"EXDATE{_stamp(one, zone)}")
            continue
        moved = one + draw(st.sampled_from([0, 0, 1, 5, -30])) * (
            timedelta(days=1) if dated else QUARTER
        )
        exception = _event(moved, length, zone, draw(st.sampled_from(WORDS)))
        parts.append([*exception, f"RECURRENCE-ID{_stamp(one, zone)}"])
    return _file(*parts)


def _event(wall: datetime, length: timedelta, zone: str | None, word: str) -> list[str]:
    end = wall + length
    if zone not in {None, "", "Z"}:  # the end of the same exact length, whatever the clocks do
        place = ZoneInfo(zone or "")
        end = ((wall.replace(tzinfo=place).astimezone(UTC) + length).astimezone(place)).replace(
            tzinfo=None
        )
        end = max(end, wall)  # in the hour that comes twice it would stand before the start
    return [f"DTSTART{_stamp(wall, zone)}", f"DTEND{_stamp(end, zone)}", *([word] if word else [])]


def _stamp(wall: datetime, zone: str | None) -> str:
    if zone is None:
        return f";VALUE=DATE:{wall:%Y%m%d}"
    if zone in {"", "Z"}:
        return f":{wall:%Y%m%dT%H%M%S}{zone}"
    return f";TZID={zone}:{wall:%Y%m%dT%H%M%S}"


def _file(*events: Sequence[str]) -> str:
    text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
    for lines in events:
        text += ["BEGIN:VEVENT", "UID:one@example.org", "DTSTAMP:20260101T000000Z", *lines]
        text += ["END:VEVENT"]
    return "\r\n".join([*text, "END:VCALENDAR", ""])


def expected(case: Case) -> list[Span]:
    horizon = max(end for _, end in case.windows) + timedelta(days=2)
    taken = [
        span
        for place, files in case.files.items()
        for span in naive_time.busy(files, ZONES[place], horizon.astimezone(UTC))
    ]
    found = list[Span]()
    for start, end in case.windows:
        window = start.astimezone(UTC), end.astimezone(UTC)
        near = [one for one in taken if one[0] < window[1] and one[1] > window[0]]
        if case.step:
            step = timedelta(minutes=case.step)
            found += naive_time.slots(near, window, case.length, step)
        else:
            found += naive_time.ranges(near, window, case.length)
    return found


async def answered(api: Api, case: Case) -> list[Span]:
    ids = {}
    for known in await api.ground.store.calendars(api.ground.profile_id):
        ids[known.calendar.name] = known.id
    for place, zone in enumerate(ZONES):
        calendar = api.ground.server.calendars[next(
            key for key in api.ground.server.calendars if key == f"/{place}/")]  # fmt: skip
        for key in list(calendar.resources):
            calendar.remove(key)
        for number, text in enumerate(case.files.get(place, ())):
            read = read_resource(
                ResourceKey(f"{place}-{number}.ics"), text.encode(), calendar_zone=zone
            )
            assert not read.faults, text
            calendar.put(read.key, *read.events)
    await api.ground.poll()
    body = {
        "calendars": [ids[ZONES[place]] for place in case.files],
        "meeting_duration": f"PT{case.length // timedelta(minutes=1)}M",
        "time_slot_increment": case.step,
        "time_windows": [
            {"start": start.isoformat(), "end": end.isoformat()} for start, end in case.windows
        ],
    }
    response = await api.send("POST", "/v1/accounts/me/cal/availability", json=body)
    told = await response.json(content_type=None)
    assert response.status == 200, told
    assert "X-Syncd-Truncated" not in response.headers
    return [
        (
            datetime.fromisoformat(one["start"]).astimezone(UTC),
            datetime.fromisoformat(one["end"]).astimezone(UTC),
        )
        for one in told["time_windows"]
    ]


@pytest.mark.timeout(400)
def test_availability_equals_a_slow_reading_of_the_same_files(tmp_path: Path) -> None:
    """Random calendars around the changes of clocks, days, series with exceptions, all of it."""
    compared = 0

    with asyncio.Runner() as runner:
        context = serving(tmp_path)
        api = runner.run(context.__aenter__())
        for place, zone in enumerate(ZONES):
            api.ground.server.add(f"/{place}/", zone, timezone=zone)
        runner.run(api.ground.poll())

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(cases())
        def equal(case: Case) -> None:
            nonlocal compared
            compared += 1
            assert runner.run(answered(api, case)) == expected(case)

        try:
            equal()
        finally:
            runner.run(context.__aexit__(None, None, None))
    assert compared >= EXAMPLES
