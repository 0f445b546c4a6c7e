"""Polls that meet dead tokens, empty answers, lost changes and crashes, on a real store."""

from datetime import timedelta

import pytest

from syncd.engine.control import Control
from syncd.model.calendar import Mode
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    SyncdError,
    TransientError,
)
from syncd.model.profile import State
from tests.engine.ground import Ground, event, filled
from tests.fakes.provider import Faults

DAY = timedelta(hours=27)  # a reconcile is due, jitter and all
HOUR = timedelta(hours=1)


async def test_an_expired_token_costs_one_full_read_and_only_real_differences(
    here: Ground,
) -> None:
    """I8, F8: delete 2, change 3, add 4 during the outage."""
    work = filled(here, 40)
    await here.poll()
    head, reads = await here.head(), len(here.server.reads)
    here.server.faults.expired = True
    for number in range(2):
        work.remove(f"{number:03}.ics")
    for number in range(2, 5):
        work.put(f"{number:03}.ics", event(f"Changed {number}", uid=f"Event {number}"))
    for number in range(4):
        work.put(f"new {number}.ics", event(f"New {number}"))
    assert (await here.poll()).activities == 9
    kinds = [one.split()[0] for one in await here.told(head)]
    assert sorted(kinds) == ["add"] * 4 + ["delete"] * 2 + ["update"] * 3
    assert len(here.server.reads) == reads + 2  # the token, then without
    assert (await here.poll()).activities == 0


@pytest.mark.parametrize("pages", range(5))
async def test_a_token_may_expire_on_any_page(here: Ground, pages: int) -> None:
    """F8."""
    work = filled(here, 60)
    await here.poll()
    head = await here.head()
    for number in range(40):
        work.put(f"{number:03}.ics", event(f"Changed {number}", uid=f"Event {number}"))
    here.server.faults.expires_after = pages
    await here.poll()
    assert sorted(await here.told(head)) == sorted(
        f"update event Changed {number}" for number in range(40)
    )


async def test_a_server_that_rejects_all_tokens_is_listed_instead(here: Ground) -> None:
    """I8, F7: three full reads a day, then token mode is off; nothing is told."""
    filled(here, 3)
    await here.poll()
    head = await here.head()
    here.server.faults.expired = True
    calendar = next(iter(here.server.calendars.values()))
    for number in range(6):
        calendar.put("000.ics", event("Event 0", modified=here.clock.now()))
        await here.poll(after=HOUR)
        (known,) = await here.store.calendars(here.profile_id)
        assert (known.mode is Mode.LISTING) == (number >= 2)
    assert await here.head() == head
    assert here.meter.counts["full_reads_total"] == 3
    assert here.server.reads[-3:] == [None] * 3


async def test_an_emptied_answer_deletes_nothing_for_two_polls(here: Ground) -> None:
    """F1, I7: nothing read is not everything deleted; the profile shows it."""
    filled(here, 30)
    await here.poll()
    head = await here.head()
    here.server.faults.expired = here.server.faults.empty = True
    calendar = next(iter(here.server.calendars.values()))
    calendar.put("000.ics", event("Event 0"))
    for _ in range(2):
        await here.poll()
        assert (await here.profile()).state is State.SUSPECT
    here.server.faults = Faults()
    await here.poll()
    await here.poll()
    assert await here.told(head) == ["update account suspect", "update account connected"]


async def test_a_real_emptying_arrives_with_the_third_listing(here: Ground) -> None:
    """I7, F1."""
    work = filled(here, 30)
    here.server.faults.no_tokens = True
    await here.poll()
    head = await here.head()
    for key in list(work.resources):
        work.remove(key)
    for _ in range(2):
        await here.poll()
        assert await here.told(head) == ["update account suspect"]
    await here.poll()
    told = await here.told(head)
    assert told.count("update account connected") == 1
    assert sum(one.startswith("delete event") for one in told) == 30


async def test_a_held_absence_is_looked_at_again_soon_though_tokens_are_quiet(
    here: Ground,
) -> None:
    """I7: without this a day would pass between two listings."""
    work = filled(here, 30)
    await here.poll()
    head = await here.head()
    for key in list(work.resources):
        del work.resources[key]  # the change feed never tells
    await here.poll(after=DAY)
    for _ in range(4):
        await here.poll()
    assert sum(one.startswith("delete event") for one in await here.told(head)) == 30


async def test_an_operator_confirms_at_once(here: Ground) -> None:
    """I7, N13."""
    work = filled(here, 30)
    here.server.faults.no_tokens = True
    await here.poll()
    for key in list(work.resources):
        work.remove(key)
    await here.poll()
    head = await here.head()
    control = Control(here.store, here.hub, here.clock)
    profile = await control.confirm_deletes(here.profile_id)
    assert profile.state is State.CONNECTED
    told = await here.told(head)
    assert sum(one.startswith("delete event") for one in told) == 30
    assert told[-1] == "update account connected"
    assert (await here.poll()).activities == 0


async def test_tombstones_need_no_brake(here: Ground) -> None:
    """I7: an explicit tombstone is proof."""
    work = filled(here, 30)
    await here.poll()
    for key in list(work.resources):
        work.remove(key)
    assert (await here.poll()).activities == 30


async def test_a_reconcile_finds_what_the_change_feed_lost(here: Ground) -> None:
    """I9, F9: corrections are counted; two in a row turn token mode off."""
    work = filled(here, 30)
    await here.poll()
    for number in range(2):
        here.server.faults.lossy = True
        for event_number in range(20, 26):
            name = f"Changed {number} {event_number}"
            work.put(f"{event_number:03}.ics", event(name, uid=f"Event {event_number}"))
        assert (await here.poll()).activities == 3
        assert (await here.poll(after=DAY)).activities == 3
        assert here.meter.counts["reconcile_corrections_total"] == 3 * (number + 1)
    (known,) = await here.store.calendars(here.profile_id)
    assert (known.mode, known.token) == (Mode.LISTING, None)


@pytest.mark.parametrize(
    "error", [TransientError("500"), MalformedReplyError("400"), ForbiddenError("403")], ids=str
)
async def test_a_change_feed_that_always_fails_keeps_no_listing_away(
    here: Ground, error: SyncdError
) -> None:
    """I9: whatever became of the token; a listing brings another."""
    work = filled(here, 30)
    await here.poll()
    head = await here.head()
    here.server.faults.feeding = error
    work.put("000.ics", event("Changed", uid="Event 0"))
    await here.poll()
    assert await here.head() == head
    await here.poll(after=DAY)
    assert await here.told(head) == ["update event Changed"]
    here.server.faults.feeding = None
    work.put("000.ics", event("Changed again", uid="Event 0"))
    assert (await here.poll(after=HOUR)).activities == 1
    (known,) = await here.store.calendars(here.profile_id)
    assert (known.mode, known.failures) == (Mode.TOKEN, 0)


async def test_news_at_the_moment_of_a_reconcile_is_no_correction(here: Ground) -> None:
    """I9."""
    work = filled(here, 30)
    await here.poll()
    for number in range(3):
        work.put("000.ics", event(f"Changed {number}", uid="Event 0"))
        assert (await here.poll(after=DAY)).activities == 1
    assert here.meter.counts["reconcile_corrections_total"] == 0
    (known,) = await here.store.calendars(here.profile_id)
    assert known.mode is Mode.TOKEN


async def test_etags_that_flip_all_day_are_no_activity(here: Ground) -> None:
    """F13."""
    filled(here, 30)
    here.server.faults.restless = here.server.faults.no_tokens = True
    await here.poll()
    head = await here.head()
    for _ in range(24):
        await here.poll(after=HOUR)
    assert await here.head() == head


async def test_a_crash_between_pages_leaves_adds_but_neither_deletes_nor_token(
    here: Ground,
) -> None:
    """I1, F11."""
    work = filled(here, 40)
    await here.poll()
    head = await here.head()
    (before,) = await here.store.calendars(here.profile_id)
    work.remove("000.ics")
    for number in range(15):
        work.put(f"new {number:02}.ics", event(f"New {number}"))
    here.server.faults.broken_after, here.server.faults.breaking = 1, TransientError("reset")
    await here.poll()
    assert await here.told(head) == [f"add event New {number}" for number in range(9)]
    (after,) = await here.store.calendars(here.profile_id)
    assert after.token == before.token
    here.server.faults = Faults()
    await here.poll(after=HOUR)
    told = await here.told(head)
    assert told[-1] == "delete event Event 0"
    assert len(told) == 16


async def test_hrefs_that_all_change_are_no_activity(here: Ground) -> None:
    """P7, F13: across pages, and where the brake would hold so many absences."""
    work = filled(here, 50)
    await here.poll()
    head = await here.head()
    here.server.faults.expired = True
    for key in list(work.resources):
        work.rename(key, f"moved {key}")
    assert (await here.poll()).activities == 0
    assert await here.head() == head
    assert (await here.profile()).state is State.CONNECTED


async def test_unread_bodies_are_kept_named_and_healed(here: Ground) -> None:
    """I10, F2, N10: 0 deletes, the others go on."""
    work = filled(here, 10)
    await here.poll()
    head = await here.head()
    here.server.faults.unread = set(work.resources)
    here.server.faults.expired = True
    for number in range(10):
        work.put(f"{number:03}.ics", event(f"Changed {number}", uid=f"Event {number}"))
    work.put("new.ics", event("New"))
    assert (await here.poll()).activities == 1
    assert len(await here.store.faults(here.profile_id)) == 10
    here.server.faults = Faults()
    assert (await here.poll(after=DAY)).activities == 10
    assert await here.store.faults(here.profile_id) == []
    assert len(await here.told(head)) == 11
