"""What every provider must do, over real servers and fakes that know nothing of syncd.

After each step the stream, replayed from its first activity, must say exactly what the provider
holds, as a client that is not ours reads it (I2).
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncd.model.profile import State
from tests.contract.rig import Rig
from tests.contract.scenarios import (
    BERLIN,
    HOUR,
    UTC,
    days,
    moved,
    needs,
    single,
    slot,
    start,
    timed,
    weekly,
)
from tests.contract.stage import Breaks, Fills, Lack, Stage

pytestmark = pytest.mark.timeout(120)
MANY = 1000


async def connected(rig: Rig[Stage]) -> Stage:
    """Connect the profile and read what is there; return the person's other device."""
    await rig.connect()
    assert (await rig.poll()).error is None
    await rig.agree()
    return rig.stage


async def test_the_first_read_tells_everything_and_the_next_one_nothing(rig: Rig[Stage]) -> None:
    await rig.stage.put("Work", "a", single("First"))
    await rig.stage.put("Work", "w", weekly())
    await rig.stage.put_exception("Work", "w", slot(1), moved(1, 14))
    await connected(rig)
    assert (await rig.profile()).state is State.CONNECTED
    stream = await rig.store.stream(rig.profile_id)
    assert stream.after_auth == stream.head
    await rig.step()
    await rig.step()


async def test_single_events_come_change_move_and_go(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    await stage.put("Work", "a", single("First"))
    await rig.step(add=1)
    await stage.put("Work", "a", single("Second", location="Room 1"))
    await rig.step(update=1)
    await stage.put("Work", "a", single("Second", location="Room 1", day=26))
    await rig.step(update=1)
    await stage.put("Work", "a", single("Second", day=26))
    await rig.step(update=1)
    await stage.remove("Work", "a")
    await rig.step(delete=1)


async def test_all_that_people_write_is_told(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    text = "a,b;c\\d\nZürich \U0001f600;" * 20
    guests = ("bo@example.org", "cy@example.org")
    await stage.put("Work", "a", single("Full", description=text, location="Ü", attendees=guests))
    await stage.put("Work", "b", single("Free", transparent=True))
    held = await rig.step(add=2)
    told = {one["name"]: one for one in held["Work"]}
    assert told["Full"]["description"] == text
    assert set(guests) <= set(told["Full"]["attendees"])
    assert told["Free"]["transparent"]


async def test_what_came_changed_and_went_between_two_polls_is_told_as_one(
    rig: Rig[Stage],
) -> None:
    stage = await connected(rig)
    await stage.put("Work", "a", single("First"))
    await stage.put("Work", "a", single("Second"))
    await stage.put("Work", "b", single("Gone at once"))
    await stage.remove("Work", "b")
    await rig.step(add=1)


async def test_a_series_and_each_of_its_exceptions_are_told_apart(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    await stage.put("Work", "w", weekly())
    await rig.step(add=1)
    await stage.put_exception("Work", "w", slot(1), moved(1, 14))
    await rig.step(add=1)
    await stage.put_exception("Work", "w", slot(1), moved(1, 16))
    await stage.put_exception("Work", "w", slot(2), moved(2, 12, "Noon"))
    await rig.step(add=1, update=1)
    series = next(one for one in rig.replay.events.values() if one["name"] == "Weekly")
    for told in rig.replay.events.values():
        if told is not series:  # P8
            at = datetime.fromisoformat(told["original_start"]).astimezone(UTC)
            assert told["id"] == f"{series['id']}_{at:%Y%m%dT%H%M%SZ}"
            assert told["recurring_master_id"] == series["id"]
    await stage.remove("Work", "w")
    await rig.step(delete=3)


async def test_a_cancelled_occurrence_changes_its_series_p8(rig: Rig[Stage]) -> None:
    await rig.stage.put("Work", "w", weekly())
    stage = await connected(rig)
    await stage.drop_occurrence("Work", "w", slot(1))
    held = await rig.step(update=1)
    assert [one["excluded"] for one in held["Work"]] == [["2026-12-01T09:00:00Z"]]
    await stage.put_exception("Work", "w", slot(2), moved(2, 14))
    await rig.step(add=1)
    await stage.drop_occurrence("Work", "w", slot(2))
    await rig.step(update=1, delete=1)


async def test_a_series_that_is_split_is_a_shorter_one_and_a_new_one(rig: Rig[Stage]) -> None:
    await rig.stage.put("Work", "w", weekly())
    stage = await connected(rig)
    shorter = weekly(rule="FREQ=WEEKLY;UNTIL=20261201T225959Z")
    await stage.put("Work", "w", shorter)
    await stage.put("Work", "rest", weekly(week=2, rule="FREQ=WEEKLY;COUNT=6"))
    await rig.step(add=1, update=1)


async def test_calendars_come_and_go_with_their_events(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    await stage.add_calendar("Private")
    await stage.put("Private", "a", single("One"))
    await stage.put("Private", "b", single("Two"))
    await rig.step(add=3)
    await stage.remove_calendar("Private")
    polled = [await rig.poll() for _ in range(3)]
    assert [one.error for one in polled] == [None, None, None]
    assert await rig.drain() == {"add": 0, "update": 0, "delete": 3}
    await rig.agree()


@needs(Lack.CALENDAR_RENAME)
async def test_a_renamed_calendar_is_the_same_calendar(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    await stage.add_calendar("Private")
    await stage.put("Private", "a", single("One"))
    await rig.step(add=2)
    await stage.rename_calendar("Private", "Very private")
    await rig.step(update=1)


async def test_a_thousand_events_are_read_and_followed(rig: Rig[Stage]) -> None:
    events = {
        f"many-{number}": single(f"Event {number}", day=1 + number % 28, hour=8 + number % 10)
        for number in range(MANY)
    }
    stage = rig.stage
    if isinstance(stage, Fills):
        await stage.fill("Work", events)
    else:
        for key, event in events.items():
            await stage.put("Work", key, event)
    await connected(rig)
    assert rig.replay.counts["add"] > MANY
    for number in range(10):
        await stage.put("Work", f"many-{number}", single(f"Changed {number}"))
    await rig.step(update=10)


@needs(Lack.EXPIRING_TOKENS)
async def test_an_expired_token_costs_one_full_read_and_no_activity_i8(rig: Rig[Stage]) -> None:
    for number in range(5):
        await rig.stage.put("Work", f"e{number}", single(f"{number}"))
    await rig.stage.put("Work", "w", weekly())
    await rig.stage.drop_occurrence("Work", "w", slot(1))
    stage = await connected(rig)
    stage.expire_tokens()
    await stage.put("Work", "e0", single("changed"))
    await stage.remove("Work", "e1")
    await stage.put("Work", "e5", single("new"))
    if Lack.REFUSED_TOKENS in stage.lacks:  # what is gone is found by the listing that follows
        assert (await rig.poll()).error is None
        assert await rig.drain() == {"add": 1, "update": 1, "delete": 0}
        await rig.step(delete=1)
        most, least = 0, 0
    else:
        await rig.step(add=1, update=1, delete=1)
        most, least = len(await rig.store.calendars(rig.profile_id, holds=None)), 1
    full_reads = rig.meter.counts["full_reads_total"]
    assert least <= full_reads <= most
    await rig.step()
    assert rig.meter.counts["full_reads_total"] == full_reads


async def test_a_server_that_restarts_costs_no_activity(rig: Rig[Stage]) -> None:
    await rig.stage.put("Work", "a", single("First"))
    stage = await connected(rig)
    await stage.stop()
    polled = await rig.poll()
    assert polled.error is not None
    assert polled.error.code == "upstream_error"
    assert (await rig.profile()).state is State.CONNECTED
    await stage.start()
    await rig.step()
    await stage.put("Work", "b", single("Second"))
    await rig.step(add=1)


async def test_a_server_that_restarts_in_the_first_read_is_read_to_the_end(
    rig: Rig[Stage],
) -> None:
    """F11: whatever had been told is told once."""
    for number in range(20):
        await rig.stage.put("Work", f"e{number}", single(f"{number}"))
    await rig.connect()
    await rig.stage.stop()
    assert (await rig.poll()).error is not None
    await rig.stage.start()
    assert (await rig.poll()).error is None
    assert (await rig.drain())["delete"] == 0
    await rig.agree()
    await rig.step()


async def test_refused_credentials_disconnect_by_proof_and_right_ones_heal(
    rig: Rig[Stage],
) -> None:
    """I11, I12, F25: the stream goes on where it stood."""
    for key in ("a", "b"):
        await rig.stage.put("Work", key, single(key))
    stage = await connected(rig)
    before = await rig.profile()
    known = {one["name"]: one["id"] for one in rig.replay.events.values()}
    stage.refuse()
    await rig.poll(20)
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, rig.refusal)
    stage.accept()
    await stage.put("Work", "a", single("a", location="Changed"))
    await stage.remove("Work", "b")
    await stage.put("Work", "c", single("c"))
    back = await rig.linking.relink(dead, rig.login())
    assert (back.id, back.state) == (before.id, State.CONNECTED)
    await rig.step(add=1, update=1, delete=1)
    assert {one["name"]: one["id"] for one in rig.replay.events.values()}["a"] == known["a"]
    assert await rig.account_states() == ["initial", "connected", "disconnected", "connected"]


@needs(Lack.BROKEN_BODIES)
async def test_an_event_with_a_broken_line_costs_nothing_else_i10(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    assert isinstance(stage, Breaks)
    await stage.put("Work", "sound", single("Sound"))
    await stage.put_broken("Work", "odd", single("Odd"))
    await rig.step(add=2)


async def test_days_are_days_p9(rig: Rig[Stage]) -> None:
    """F17."""
    stage = await connected(rig)
    await stage.put("Work", "one", days("Holiday", date(2026, 11, 24)))
    await stage.put("Work", "some", days("Fair", date(2026, 11, 30), 3))
    await stage.put("Work", "leap", days("Leap", date(2028, 2, 29)))
    await stage.put("Work", "often", days("Rota", date(2026, 11, 24), rule="FREQ=DAILY;COUNT=9"))
    held = await rig.step(add=4)
    told = {one["name"]: (one["start"], one["end"]) for one in held["Work"]}
    assert told["Holiday"] == ("2026-11-24", "2026-11-25")
    assert told["Fair"] == ("2026-11-30", "2026-12-03")
    await stage.drop_occurrence("Work", "often", date(2026, 11, 26))
    await rig.step(update=1)
    await stage.put("Work", "one", single("Timed now"))
    await rig.step(update=1)


@needs(Lack.CUSTOM_ZONES)
@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
async def test_zones_and_changes_of_the_clock_agree(rig: Rig[Stage], day: date) -> None:
    """F16: nights in which clocks change in Berlin; the others' are another day's."""
    stage = await connected(rig)
    ten = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    zones = {
        name: ZoneInfo(zone)
        for name, zone in (
            ("york", "America/New_York"),
            ("howe", "Australia/Lord_Howe"),
            ("kathmandu", "Asia/Kathmandu"),
            ("utc", "UTC"),
        )
    }
    written = {name: timed(name, ten.replace(tzinfo=zone)) for name, zone in zones.items()}
    night = ten.replace(hour=1, minute=30, tzinfo=BERLIN)
    end = (night.astimezone(UTC) + timedelta(hours=3)).astimezone(BERLIN)
    written["night"] = timed("night", night, end.replace(tzinfo=None) - night.replace(tzinfo=None))
    for name, event in written.items():
        await stage.put("Work", name, event)
    await rig.step(add=len(written))
    daily = ten.replace(tzinfo=BERLIN) - timedelta(days=1)
    await stage.put("Work", "s", timed("Daily", daily, HOUR, rule="FREQ=DAILY;COUNT=4"))
    await rig.step(add=1)
    changed = daily + timedelta(days=2)
    await stage.put_exception("Work", "s", changed, timed("Once", changed + HOUR))
    held = await rig.step(add=1)
    exception = next(one for one in held["Work"] if one["name"] == "Once")
    assert exception["original"] == f"{changed.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def test_an_event_may_last_beyond_midnight_and_beyond_a_year(rig: Rig[Stage]) -> None:
    stage = await connected(rig)
    await stage.put("Work", "night", timed("Night", start(24, 23), timedelta(hours=3)))
    await stage.put("Work", "year", timed("Year", start(24), timedelta(days=400)))
    await rig.step(add=2)
