"""One poll after another, on a real store."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    TransientError,
)
from syncd.model.ids import CalendarId, CalendarKey, ProfileId, ResourceKey
from syncd.model.profile import State, changed
from tests.engine.ground import INTERVAL, Ground, event, exception, filled, series
from tests.fakes.provider import Faults

DAY = timedelta(hours=27)  # a reconcile is due, jitter and all
HOUR = timedelta(hours=1)


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


async def test_who_waits_for_the_end_of_a_poll_is_woken_by_it(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K45, C15: a poll says that it runs; nobody is woken by the end of one that nobody awaits."""
    filled(here, 3)
    filled(here, 3, "/home/", "Home")
    woken, wake = list[bool](), here.hub.wake

    def noted(profile: ProfileId) -> None:
        woken.append(here.hub.later(profile))
        wake(profile)

    monkeypatch.setattr(here.hub, "wake", noted)
    await here.poll()
    assert woken == [*[True] * (len(woken) - 1), False]
    assert len(woken) > 3
    woken.clear()
    await here.poll()
    assert woken == []


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


async def test_a_first_read_looks_once_whether_there_is_anything(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was empty when it began holds nothing at the end that was not named."""
    asked, etags = list[CalendarId](), here.store.etags

    async def noted(calendar: CalendarId) -> Mapping[ResourceKey, str]:
        asked.append(calendar)
        return await etags(calendar)

    monkeypatch.setattr(here.store, "etags", noted)
    filled(here, 3)
    await here.poll()
    assert len(asked) == 2  # by the adapter, and to see that nothing is there


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
