"""One poll after another, on a real store."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from syncd.engine.control import Control
from syncd.model.calendar import Mode
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    TransientError,
)
from syncd.model.ids import CalendarKey, ResourceKey
from syncd.model.profile import State, changed
from tests.engine.ground import INTERVAL, Ground, event, exception, ground, series
from tests.fakes.provider import FakeCalendar, Faults

DAY = timedelta(hours=27)  # a reconcile is due, jitter and all
HOUR = timedelta(hours=1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path, page_size=10) as made:
        yield made


def filled(here: Ground, count: int, key: str = "/work/", name: str = "Work") -> FakeCalendar:
    calendar = here.server.add(key, name)
    for number in range(count):
        calendar.put(f"{number:03}.ics", event(f"Event {number}"))
    return calendar


async def test_a_first_read_tells_account_calendar_events_in_this_order(here: Ground) -> None:
    """K42: the account, then each calendar before its events."""
    work = here.server.add("/work/")
    work.put("a.ics", event("Review"))
    work.put("b.ics", series("Stand-up"), exception("Stand-up, late", 3, uid="Stand-up"))
    polled = await here.poll()
    assert polled.error is None
    assert await here.told() == [
        "add account initial",
        "add calendar Work",
        "add event Review",
        "add event Stand-up",
        "add event Stand-up, late",
        "update account connected",
    ]
    assert polled.activities == 4


async def test_records_of_the_first_read_are_marked_and_after_auth_is_behind_them(
    here: Ground,
) -> None:
    """K36, K42."""
    work = filled(here, 3)
    await here.poll()
    stream = await here.store.stream(here.profile_id)
    assert stream.after_auth == stream.head
    work.put("new.ics", event("New"))
    await here.poll()
    marks = [orjson.loads(one.body).get("initial") for one in await here.activities()]
    assert marks == [None, *[True] * 5, None]


async def test_a_first_read_is_done_when_all_calendars_are(here: Ground) -> None:
    """K36: one that cannot be read holds it up, but not for ever."""
    filled(here, 3)
    bad = filled(here, 3, "/bad/", "Bad")
    here.server.faults.unread |= set(bad.resources)
    here.server.faults.broken_after, here.server.faults.breaking = 1, TransientError("reset")
    bad_pages = {ResourceKey(f"{number}") for number in range(30)}
    for key in bad_pages:
        bad.put(key, event(key))
    await here.poll()
    assert (await here.profile()).state is State.INITIAL
    here.server.faults = Faults()
    await here.poll(after=HOUR)
    assert (await here.profile()).state is State.CONNECTED


async def test_a_poll_without_news_writes_nothing(here: Ground) -> None:
    filled(here, 1)
    await here.poll()
    head = await here.head()
    for _ in range(3):
        assert (await here.poll()).activities == 0
    assert await here.head() == head
    assert len(here.server.reads) == 1  # nothing moved, nothing was read


async def test_a_quiet_calendar_is_as_fresh_as_its_profile(here: Ground) -> None:
    """R21, N8: although a poll that finds nothing writes nothing of it."""
    work = filled(here, 1)
    await here.poll()
    read_at = here.clock.now()
    await here.poll()
    profile, (known,) = await here.profile(), await here.store.calendars(here.profile_id)
    assert known.polled_at == read_at
    assert known.as_of(profile.polled_at).polled_at == here.clock.now()
    good = here.clock.now()
    filled(here, 1, "/home/", "Home")
    await here.poll(listing=True)
    work.put("new.ics", event("New"))
    here.server.faults.broken_after, here.server.faults.breaking = 0, TransientError("reset")
    await here.poll()
    profile = await here.profile()
    for one in await here.store.calendars(here.profile_id):
        at = one.as_of(profile.polled_at).polled_at
        assert at == (good + INTERVAL if one.failures else here.clock.now())


async def test_the_list_of_calendars_is_read_every_5_minutes_and_on_demand(here: Ground) -> None:
    """D6."""
    filled(here, 1)
    for _ in range(4):
        await here.poll()
    assert here.server.lists == 1
    await here.poll(listing=True)
    assert here.server.lists == 2
    await here.poll(after=timedelta(minutes=5))
    assert here.server.lists == 3


async def test_a_calendar_that_is_renamed_is_an_update(here: Ground) -> None:
    work = filled(here, 1)
    await here.poll()
    work.calendar = replace(work.calendar, name="Labour")
    await here.poll(listing=True)
    assert (await here.told())[-1] == "update calendar Labour"


async def test_a_calendar_is_gone_after_three_lists_an_interval_apart(here: Ground) -> None:
    """F4, K42: its events first, then itself; in small steps."""
    filled(here, 3)
    await here.poll()
    head = await here.head()
    del here.server.calendars[CalendarKey("/work/")]
    await here.poll(listing=True)
    await here.poll(listing=True, after=INTERVAL / 10)  # too soon to count
    await here.poll(listing=True)
    assert await here.head() == head
    await here.poll()  # a missing calendar is looked for at every poll
    told = await here.told(head)
    assert sorted(told[:-1]) == [f"delete event Event {number}" for number in range(3)]
    assert told[-1] == "delete calendar Work"


async def test_a_calendar_that_flaps_costs_no_activity(here: Ground) -> None:
    """F4: missing in one poll of five."""
    filled(here, 3)
    await here.poll()
    head = await here.head()
    for number in range(20):
        here.server.faults.hidden = set() if number % 5 else {CalendarKey("/work/")}
        await here.poll(listing=True)
    assert await here.head() == head


async def test_a_calendar_that_returns_begins_anew_with_its_id(here: Ground) -> None:
    work = filled(here, 2)
    await here.poll()
    (before,) = await here.store.calendars(here.profile_id)
    del here.server.calendars[CalendarKey("/work/")]
    for _ in range(3):
        await here.poll(listing=True)
    head = await here.head()
    here.server.calendars[CalendarKey("/work/")] = work
    await here.poll(listing=True)
    assert await here.told(head) == ["add calendar Work", "add event Event 0", "add event Event 1"]
    (after,) = await here.store.calendars(here.profile_id)
    assert after.id == before.id


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


async def test_one_calendar_does_not_stop_the_others(here: Ground) -> None:
    """F43."""
    filled(here, 3)
    await here.poll()
    bad = filled(here, 30, "/bad/", "Bad")
    good = here.server.calendars[CalendarKey("/work/")]
    good.put("new.ics", event("New"))
    here.server.faults.broken_after, here.server.faults.breaking = 1, MalformedReplyError("HTML")
    polled = await here.poll(listing=True)
    assert polled.error is None
    assert "add event New" in await here.told()
    known = {one.calendar.name: one for one in await here.store.calendars(here.profile_id)}
    assert known["Work"].last_error is None
    assert known["Bad"].last_error is not None
    assert known["Bad"].retry_at is not None
    here.server.faults = Faults()
    await here.poll(after=HOUR)
    known = {one.calendar.name: one for one in await here.store.calendars(here.profile_id)}
    assert known["Bad"].last_error is None
    assert sum("Event" in one for one in await here.told()) == 3 + len(bad.resources)


async def test_a_forbidden_calendar_is_noted_and_disconnects_nobody(here: Ground) -> None:
    """I11, section 3 of the providers' rules."""
    filled(here, 3)
    here.server.faults.reading = ForbiddenError("no permission")
    polled = await here.poll()
    assert polled.error is None
    profile = await here.profile()
    assert profile.state is State.CONNECTED  # its first read does not wait for what is forbidden
    (known,) = await here.store.calendars(here.profile_id)
    assert known.last_error
    assert "no permission" in known.last_error


async def test_throttling_stops_the_whole_profile(here: Ground) -> None:
    """F43, P13."""
    filled(here, 3)
    filled(here, 3, "/home/", "Home")
    filled(here, 3, "/team/", "Team")
    error = TransientError("429", retry_after=timedelta(minutes=10))
    here.server.faults.reading = error
    polled = await here.poll()
    assert polled.error
    assert polled.error.code == "too_many_requests"
    due = (await here.profile()).next_poll_at
    assert due
    assert due - here.clock.now() >= timedelta(minutes=10)


async def test_a_refused_password_disconnects_once_with_its_reason(here: Ground) -> None:
    """I11, F24, K42: within 30 min, one update with the way back to follow."""
    filled(here, 3)
    await here.poll()
    head = await here.head()
    here.server.faults.opening = RelinkRequiredError("the password was refused")
    begun = here.clock.now()
    while (await here.profile()).pollable:
        due = (await here.profile()).next_poll_at
        assert due
        await here.poll(after=max(due - here.clock.now(), timedelta()))
    assert here.clock.now() - begun <= timedelta(minutes=30)
    (record,) = await here.activities(head)
    told = orjson.loads(record.body)
    assert set(told["changes"]) == {"active", "state", "state_reason"}
    assert told["metadata"]["state_reason"] == "credentials_refused"
    assert (await here.profile()).state is State.DISCONNECTED


async def test_a_relink_between_fetch_and_record_drops_the_poll(here: Ground) -> None:
    """F14, I5: and the profile's next poll stays due at once."""
    work = filled(here, 3)
    await here.poll()
    head = await here.head()
    work.put("new.ics", event("New"))
    old = await here.profile()
    now = here.clock.now()
    await here.store.save_profile(changed(old, now, generation=2, next_poll_at=now))
    polled = await here.poller.poll(old)
    assert polled.activities == 0
    assert await here.head() == head
    assert (await here.profile()).next_poll_at == now
    await here.poll()
    assert await here.told(head) == ["add event New"]


async def test_of_two_polls_from_one_revision_the_slower_is_dropped(here: Ground) -> None:
    """I5."""
    work = filled(here, 3)
    await here.poll()
    head = await here.head()
    work.put("new.ics", event("New"))
    profile = await here.profile()
    async with asyncio.TaskGroup() as group:
        polls = [group.create_task(here.poller.poll(profile)) for _ in range(3)]
    assert sum(poll.result().activities for poll in polls) == 1
    assert await here.told(head) == ["add event New"]


async def test_at_most_two_calendars_are_read_at_once(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P13."""
    for number in range(6):
        filled(here, 2, f"/{number}/", f"Calendar {number}")
    running, most = 0, 0
    etags = here.store.etags

    async def counted(calendar: object) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return await etags(calendar)  # type: ignore[arg-type]

    monkeypatch.setattr(here.store, "etags", counted)
    await here.poll()
    assert most == 2
