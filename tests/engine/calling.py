"""A profile whose provider calls, and what one asks of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from syncd.engine.hints import News
from syncd.engine.plan import Plan
from syncd.model.channel import Channel
from syncd.model.ids import CalendarKey
from tests.engine.ground import Ground, event, ground
from tests.fakes.pushing import Call

WORK, HOME = CalendarKey("/work/"), CalendarKey("/home/")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PLAN = Plan(default_interval=MINUTE, pushed_interval=10 * MINUTE)


@asynccontextmanager
async def calling(where: Path, *calendars: str) -> AsyncIterator[Ground]:
    """Yield a profile whose provider calls; its calendars were read, and have channels."""
    async with ground(where, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        for key in calendars or (WORK,):
            here.server.add(key, key.strip("/")).put("a.ics", event(f"First {key}"))
        await here.poll()
        await here.poll()
        yield here


async def hear(here: Ground, *calls: Call, news: News = News.CHANGE) -> None:
    for one in calls:
        await here.hints.hear("caldav", one.channel, one.secret, news)


async def settled(here: Ground) -> None:
    """Let every channel say that it works, look once more, and let the window pass."""
    await hear(here, *here.server.callers.first_calls())
    await here.poll(after=SECOND)
    here.clock.advance(5 * SECOND)


async def channels(here: Ground) -> list[Channel]:
    return list(await here.store.channels(here.profile_id))


async def next_in(here: Ground) -> timedelta:
    profile = await here.profile()
    assert profile.next_poll_at is not None
    return profile.next_poll_at - here.clock.now()


async def rests(here: Ground) -> bool:
    """Tell whether the calendar is looked at at leisure."""
    return await next_in(here) > 9 * MINUTE


async def run_until(here: Ground, end: datetime) -> None:
    """Poll whenever that is due, as the schedule does."""
    while True:
        profile = await here.profile()
        assert profile.next_poll_at is not None
        if profile.next_poll_at > end:
            here.clock.advance(end - here.clock.now())
            return
        here.clock.advance(max(profile.next_poll_at - here.clock.now(), timedelta()))
        await here.poller.poll(await here.profile())
