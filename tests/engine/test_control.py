"""Pause, resume, remove (N13, K5, K42)."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from syncd.engine.control import Control
from syncd.engine.records import with_relink_url
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId
from syncd.model.profile import Reason, State, changed
from tests.engine.ground import Ground, event, ground


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        made.server.add("/work/").put("a.ics", event("A"))
        await made.poll()
        yield made


def control(here: Ground) -> Control:
    return Control(here.store, here.hub, here.clock)


async def test_pausing_and_resuming_are_told_and_wake_readers(here: Ground) -> None:
    head = await here.head()
    woken = here.hub.next_wake(here.profile_id)
    assert (await control(here).pause(here.profile_id)).state is State.PAUSED
    assert woken.is_set()
    resumed = await control(here).resume(here.profile_id)
    assert resumed.state is State.CONNECTED
    assert resumed.next_poll_at == here.clock.now()
    assert await here.told(head) == ["update account paused", "update account connected"]


async def test_pausing_twice_is_told_once(here: Ground) -> None:
    await control(here).pause(here.profile_id)
    head = await here.head()
    await control(here).pause(here.profile_id)
    assert await here.head() == head


async def test_removing_ends_the_stream_with_a_delete(here: Ground) -> None:
    """K5, K42."""
    head = await here.head()
    await control(here).remove(here.profile_id)
    assert await here.told(head) == ["delete account connected"]
    with pytest.raises(NotFoundError):
        await here.profile()


async def test_confirming_a_calendar_of_nobody_is_not_found(here: Ground) -> None:
    with pytest.raises(NotFoundError):
        await control(here).confirm_deletes(here.profile_id, CalendarId("cal_aaab_none"))


async def test_the_relink_url_is_in_records_of_the_disconnection_that_lasts(here: Ground) -> None:
    """K42: filled in when read, null after."""
    profile, now = await here.profile(), here.clock.now()
    dead = changed(profile, now, refused=Reason.INVALID_GRANT, refused_at=now)
    head = await here.head()
    await here.store.save_profile(dead)
    paused = await control(here).pause(here.profile_id)  # one more record of that time
    assert await here.head() == head + 1
    (record,) = await here.activities(head)
    shown = orjson.loads(with_relink_url(record.body, paused, "http://x/relink/1"))
    assert shown["metadata"]["relink_url"] == "http://x/relink/1"
    back = changed(paused, now, refused=None, refused_at=None)
    shown = orjson.loads(with_relink_url(record.body, back, None))
    assert shown["metadata"]["relink_url"] is None
