"""Free time of many calendars with 10,000 events each, against looking at every event per slot.

Fifty of them by ``SYNCD_TESTS=nightly``; then ours is a thousand times faster.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.engine.diff import Ground, diff
from syncd.model.claim import Claim
from syncd.model.event import Answer, Event, Person
from syncd.model.ids import ResourceKey
from syncd.model.resource import KeptEvent, Resource
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.delta import Delta
from syncd.runtime.workers import ExpansionWorkers
from tests.api.serving import Api, serving

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
CALENDARS, TIMES_FASTER = (50, 1000) if NIGHTLY else (16, 300)
EVENTS, SERIES, LAG_SECONDS = 10_000, 2, 0.1  # events of each, series of each beside them
STEP, LENGTH, DAYS = timedelta(minutes=15), timedelta(hours=1), 14
FIRST = datetime(2025, 1, 6, tzinfo=UTC)  # a Monday; the events lie in three years
WINDOW = datetime(2026, 6, 8, tzinfo=UTC)
HERE = timezone(timedelta(hours=7))  # of the seed's example
SPREAD = 3 * 365
RUNS = 12 if NIGHTLY else 6
Spans = list[tuple[datetime, datetime]]

ROWS = text("""
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :last),
    times AS (SELECT n, :first + n * :days / (:last + 1) * 86400000
                   + (8 + (n * 7 + :place) % 9) * 3600000 + n % 4 * 900000 AS start FROM numbers)
    INSERT INTO objects (profile_id, object_id, calendar_id, resource_key, slot, series_id,
        is_series, starts_at, ends_at, content, document, claim, lasting)
    SELECT :profile, :calendar || n, :calendar, '/' || n, '', NULL, 0,
        start, start + 1800000 * (1 + n % 3), :content, CAST(:document AS BLOB), :busy, 0 FROM times
""")


MASTER = text("""
    INSERT INTO objects (profile_id, object_id, calendar_id, resource_key, slot, series_id,
        is_series, starts_at, ends_at, content, document, claim, lasting)
    SELECT :profile, :object, :calendar, '/s', '', NULL, 1, :start, NULL, x'00',
        CAST(:document AS BLOB), 1, 1
""")


def weekly(number: int) -> KeptEvent:
    """Return a series; no two of them begin at the same time of the week."""
    start = FIRST + timedelta(days=number % 5, hours=8, minutes=15 * (number // 5))
    return kept(
        Event(
            uid="s",
            start=start,
            end=start + timedelta(minutes=30),
            recurrence=("RRULE:FREQ=WEEKLY",),
        )
    )


def kept(event: Event) -> KeptEvent:
    resource = Resource(key=ResourceKey(f"/{event.uid}"), events=(event,))
    page = Delta(upserts=(resource,))
    (one,) = diff(page, {}, {}, Ground(profile=1, calendar="cal", at=FIRST)).events  # type: ignore[arg-type]
    return one


async def fill(api: Api) -> None:
    """Write the rows as the store keeps them."""
    ground = api.ground
    for place in range(CALENDARS):
        ground.server.add(f"/{place}/", f"{place:02}", primary=not place)
    await ground.poll()
    person = Person(email="bo@example.org", answer=Answer.DECLINED)
    hour: Any = {"start": FIRST.replace(hour=9), "end": FIRST.replace(hour=10)}
    document = kept(Event(uid="x", name="Review", description="x" * 200, **hour)).document
    asked = kept(Event(uid="d", attendees=(person,), **hour))
    known = await ground.store.calendars(ground.profile_id)

    async def write(connection: AsyncConnection) -> None:
        for place, one in enumerate(known):
            values = {
                "profile": ground.profile_id,
                "calendar": one.id,
                "place": place,
                "first": milliseconds(FIRST),
                "days": SPREAD,
                "last": EVENTS - 1,
                "content": b"x",
                "document": document.decode(),
                "busy": int(Claim.BUSY),
            }
            await connection.execute(ROWS, values)
            rare = text(
                "UPDATE objects SET claim = 2, document = CAST(replace(:document, '2025-01-06T', "
                "strftime('%Y-%m-%dT', starts_at / 1000, 'unixepoch')) AS BLOB)"
                " WHERE calendar_id = :calendar AND rowid % 50 = 0"
            )
            await connection.execute(
                rare, {"calendar": one.id, "document": asked.document.decode()}
            )
            for number in range(SERIES):
                series = weekly(place * SERIES + number)
                values = {
                    "profile": ground.profile_id,
                    "calendar": one.id,
                    "object": f"{one.id}s{number}",
                    "start": milliseconds(series.starts_at),
                    "document": series.document.decode(),
                }
                await connection.execute(MASTER, values)

    await ground.store._database.write(write)


def as_listed(rows: Sequence[Any]) -> Spans:
    """Return events as a client reads them from their documents: ``2026-06-08T09:00:00+02:00``."""
    found, berlin = Spans(), ZoneInfo("Europe/Berlin")
    for row in rows:
        if row.claim == Claim.ASK:
            told = orjson.loads(row.document)
            start, end = (datetime.fromisoformat(told[name]) for name in ("start", "end"))
        else:
            start, end = (from_milliseconds(one) for one in (row.starts_at, row.ends_at))
        texts = (one.astimezone(berlin).isoformat() for one in (start, end))
        found.append(tuple(map(datetime.fromisoformat, texts)))  # type: ignore[arg-type]
    return found


def is_free(spans: Spans, start: datetime) -> bool:
    """Look at every event, until one is in the way."""
    end = start + LENGTH
    for begins, ends in spans:  # noqa: SIM110 - the plain loop that is measured
        if begins < end and ends > start:
            return False
    return True


async def ask(api: Api, calendars: Sequence[str]) -> list[dict[str, str]]:
    end = WINDOW + timedelta(days=DAYS)
    body = {
        "calendars": list(calendars),
        "meeting_duration": "PT1H",
        "time_slot_increment": STEP // timedelta(minutes=1),
        "time_windows": [
            {"start": WINDOW.astimezone(HERE).isoformat(), "end": end.astimezone(HERE).isoformat()}
        ],
    }
    response = await api.send("POST", "/v1/accounts/me/cal/availability", json=body)
    assert response.status == 200
    assert "X-Syncd-Truncated" not in response.headers
    told: list[dict[str, str]] = (await response.json(content_type=None))["time_windows"]
    return told


async def lag_of(stop: asyncio.Event) -> float:
    """Return the longest time that the loop was away."""
    worst, loop = 0.0, asyncio.get_running_loop()
    while not stop.is_set():
        before = loop.time()
        await asyncio.sleep(0.001)
        worst = max(worst, loop.time() - before - 0.001)
    return worst


@pytest.mark.timeout(300)
async def test_free_time_is_hundreds_of_times_faster_than_slot_by_event(tmp_path: Path) -> None:
    workers = ExpansionWorkers()
    async with serving(tmp_path, expand=workers) as api:
        await fill(api)
        ids = [one.id for one in await api.ground.store.calendars(api.ground.profile_id)]
        found = await ask(api, ids)  # starts the workers too
        taken, lags = list[float](), list[float]()
        for _ in range(RUNS):
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(lag_of(stop))
                begun = time.perf_counter()
                assert await ask(api, ids) == found
                taken.append(time.perf_counter() - begun)
                stop.set()
            lags.append(watch.result())
        rows = await api.ground.store._database.fetch(
            text("SELECT starts_at, ends_at, claim, CASE claim WHEN 2 THEN document END AS document"
                 " FROM objects WHERE NOT is_series")
        )  # fmt: skip
    await workers.close()
    spans = as_listed(rows)
    assert len(spans) == CALENDARS * EVENTS
    slots = [
        (WINDOW + number * STEP).astimezone(HERE)
        for number in range((timedelta(days=DAYS) - LENGTH) // STEP + 1)
    ]
    first = WINDOW - FIRST
    repeated = [
        (one.starts_at + first + week, one.starts_at + first + week + timedelta(minutes=30))
        for one in map(weekly, range(CALENDARS * SERIES))
        for week in (timedelta(), timedelta(days=7))
    ]
    free = {one["start"] for one in found}
    naive = list[float]()
    for part in range(2):  # two samples that agree: the loop is linear in its slots
        sample = slots[7 + 53 * part :: 106]
        begun = time.process_time()
        told = [is_free(spans, start) and is_free(repeated, start) for start in sample]
        naive.append((time.process_time() - begun) / len(sample) * len(slots))
        assert told == [start.isoformat() in free for start in sample]
    assert max(naive) < 2 * min(naive)
    ratio = min(naive) / min(taken)
    print(  # noqa: T201
        f"{ratio:.0f} times: {min(naive):.1f} s to {min(taken) * 1e3:.1f} ms; {len(free)} of"
        f" {len(slots)} slots free; lag {min(lags) * 1e3:.1f} to {max(lags) * 1e3:.1f} ms"
    )
    assert 0 < len(free) < len(slots)
    assert min(lags) < LAG_SECONDS
    assert ratio >= TIMES_FASTER
