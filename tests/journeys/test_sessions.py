"""An application writes through the API while a person edits the same calendar elsewhere.

Whatever the two do in whatever order, afterwards the snapshot, the replayed stream and the server
as an independent client reads it are one, and no write touched a line that it did not have to.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.journeys.daemon import SETTINGS, configured
from tests.journeys.session import Desk, Json, Session
from tests.servers.caldav import Radicale
from tests.witness import Witness

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
EXAMPLES = 200 if NIGHTLY else 4
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=90
)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Desk]]:
    folder: Path = tmp_path_factory.mktemp("sessions")
    stack = AsyncExitStack()

    async def begin() -> Desk:
        server = await stack.enter_async_context(Radicale(folder / "server"))
        witness = await stack.enter_async_context(Witness.running())
        slow = SETTINGS.replace("interval_seconds = 5", "interval_seconds = 3600")
        daemon = await stack.enter_async_context(configured(folder / "daemon", slow))
        await daemon.start()
        connected = await daemon.ask(
            *("profile", "add", "caldav", "--url", server.url, "--username", server.username),
            "--password-stdin",
            text=server.password,
        )
        account = connected["account_id"]
        token = (await daemon.ask("token", "create", "--profile", account))["token"]
        headers = {"Authorization": f"Bearer {token}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        return Desk(daemon, server, server.device, witness, http, account)

    with asyncio.Runner() as runner:
        made = runner.run(begin())
        yield runner, made
        runner.run(stack.aclose())


HOURS = st.integers(0, 22)
NUMBERS = st.integers(0, 20)
ALARMS = st.lists(st.sampled_from([5, 15, 60, 1440]), max_size=2, unique=True)
GUESTS = st.lists(st.sampled_from(["bo", "cy", "di", "ed"]), max_size=3, unique=True)


@st.composite
def times(draw: st.DrawFn) -> Json:
    day, hour, zone = draw(st.integers(1, 28)), draw(HOURS), draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        return {
            "start": f"2026-11-{day:02}T{hour:02}:00:00",
            "end": f"2026-11-{day:02}T{hour + 1:02}:30:00",
            "start_time_zone": zone,
            "end_time_zone": zone,
        }
    return {
        "start": f"2026-11-{day:02}T{hour:02}:00:00Z",
        "end": f"2026-11-{day + 1:02}T{hour:02}:00:00Z",
    }


@st.composite
def members(draw: st.DrawFn) -> Json:
    """Return some members for a PATCH."""
    may: dict[str, st.SearchStrategy[Any]] = {
        "name": TEXT,
        "description": st.none() | TEXT,
        "location": st.none() | TEXT,
        "transparent": st.booleans(),
        "visibility": st.sampled_from(["private", "confidential", "default"]),
        "attendees": GUESTS.map(
            lambda names: [{"name": one.title(), "email": f"{one}@example.org"} for one in names]
        ),
        "reminders": ALARMS.map(
            lambda minutes: [
                {"minutes": one, "method": "popup", "popup": "Soon"} for one in minutes
            ]
        ),
        "custom_properties": st.lists(st.sampled_from("abc"), max_size=2, unique=True).map(
            lambda keys: [{"key": key, "value": f"v;{key}", "private": False} for key in keys]
        ),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(may)), min_size=1, max_size=3, unique=True))
    return {name: draw(may[name]) for name in chosen}


@st.composite
def creations(draw: st.DrawFn) -> Json:
    member = {**draw(members()), "name": draw(TEXT)}
    if draw(st.booleans()):
        member |= draw(times())
    else:
        day = draw(st.integers(1, 20))
        member |= {"start": f"2026-11-{day:02}", "end": f"2026-11-{day + 1:02}", "all_day": True}
    if draw(st.booleans()):
        rule = draw(st.sampled_from(["RRULE:FREQ=DAILY;COUNT=5", "FREQ=WEEKLY;COUNT=3"]))
        member["recurrence"] = [{"rrule": rule}]
    return member


def moved(member: Json) -> Json:
    return {name: member[name] for name in ("start", "end")}


STEPS = st.one_of(
    st.tuples(st.just("create"), creations()),
    st.tuples(st.just("change"), NUMBERS, members()),
    st.tuples(st.just("change"), NUMBERS, times().map(moved)),
    st.tuples(st.just("change_occurrence"), NUMBERS, NUMBERS, members()),
    st.tuples(st.just("delete"), NUMBERS),
    st.tuples(st.just("delete_occurrence"), NUMBERS, NUMBERS),
    st.tuples(st.just("put"), st.none() | st.integers(0, 4)),
    st.tuples(st.just("edit"), NUMBERS, st.sampled_from(["Umbenannt", "Renamed\\, twice"])),
    st.tuples(st.just("remove"), NUMBERS),
    st.tuples(st.just("poll")),
)


NOON = {"name": "Noon", "start": "2026-11-05T12:00:00Z", "end": "2026-11-05T13:00:00Z"}
DAILY = {**NOON, "name": "Daily", "recurrence": [{"rrule": "RRULE:FREQ=DAILY;COUNT=4"}]}
EVERYTHING: list[tuple[Any, ...]] = [
    ("put", 3),
    ("poll",),
    *(("change_occurrence", 0, nth, {"name": f"Nth {nth}"}) for nth in range(4)),
    ("edit", 0, "Behind its back"),
    ("change", 0, {"location": "There"}),
    ("delete_occurrence", 0, 3),
    ("delete_occurrence", 0, 2),
    ("create", DAILY),
    ("create", NOON),
    ("remove", 0),
    *(("change", number, {"description": "Still there?"}) for number in range(8)),
    ("delete", 2),
]


async def run(session: Session, steps: list[tuple[Any, ...]]) -> None:
    await session.open()
    for word, *arguments in steps:
        await getattr(session, word)(*arguments)
    await session.close()


@pytest.mark.timeout(3 * 3600 if NIGHTLY else 300)
def test_whoever_writes_all_three_agree(desk: tuple[asyncio.Runner, Desk]) -> None:
    runner, made = desk

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @example(EVERYTHING)
    @given(st.lists(STEPS, min_size=5, max_size=15))
    def session(steps: list[tuple[Any, ...]]) -> None:
        runner.run(run(Session(made), steps))

    session()
    wanted = {"changed", "changed occurrence", "deleted", "deleted occurrence", "not_found"}
    assert wanted <= made.done.keys()
