"""Writes that meet polls, and each other (I5, ADR 11)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from syncd.engine.written import LASTS
from syncd.model.edit import CalendarEdit
from syncd.model.errors import (
    ConflictError,
    NotFoundError,
    PreconditionError,
)
from syncd.model.ids import ResourceKey
from syncd.model.resource import Resource
from tests.engine.desk import Desk, desk, draft, shown
from tests.engine.ground import Ground, event, series
from tests.engine.races import KEY, Hook, racing, review, theirs, work
from tests.fakes.calendars import FakeCalendar, Faults


@pytest.fixture
async def at(here: Ground) -> AsyncIterator[Desk]:
    async with racing(here) as made:
        yield made


def once(at: Desk, place: str, hook: Hook) -> None:
    """Call ``hook`` the next time that a write or look passes a place."""

    async def run() -> None:
        setattr(at.ground.server.faults, place, None)
        await hook()

    setattr(at.ground.server.faults, place, run)


async def changes(at: Desk, since: int) -> list[Any]:
    return [orjson.loads(one.body).get("changes") for one in await at.ground.activities(since)]


async def test_nothing_older_is_recorded_over_what_a_poll_saw(at: Desk) -> None:
    """The answer travels slowly: somebody writes on top of it, and a poll records that first."""
    name, before = await review(at), await at.ground.head()

    async def overtake() -> None:
        theirs(at, name="Theirs", location="Roof")
        await at.ground.poll()

    once(at, "after", overtake)
    told = shown(await at.update(name, name="Ours"))
    assert (told["name"], told["location"]) == ("Theirs", "Roof")
    assert await at.ground.told(before) == ["update event Theirs"]
    assert at.ground.server.rereads == 1
    await at.agree()


async def test_a_poll_that_saw_the_write_first_leaves_nothing_to_tell(at: Desk) -> None:
    name, before = await review(at), await at.ground.head()

    async def poll() -> None:
        await at.ground.poll()

    once(at, "after", poll)
    assert shown(await at.update(name, name="Ours"))["name"] == "Ours"
    assert await at.ground.told(before) == ["update event Ours"]
    await at.agree()


async def test_a_look_from_before_the_write_is_dropped(at: Desk) -> None:
    """The other order: pages are on their way while a write is made and recorded (I5)."""
    name = await review(at)
    theirs(at, location="Roof")
    before = await at.ground.head()

    async def write() -> None:
        await at.update(name, name="Ours")

    once(at, "looking", write)
    await at.ground.poll()
    assert await changes(at, before) == [
        {"location": {"old": None, "new": "Roof"}},
        {"name": {"old": "Review", "new": "Ours"}},
    ]
    await at.agree()


async def test_a_steady_writer_hides_no_change_of_others(at: Desk) -> None:
    """Every look meets a write that is recorded first: the calendar is looked at once more."""
    for number in range(3):
        theirs(at, location=f"Roof {number}")
        before = await at.ground.head()

        async def write(title: str = f"Ours {number}") -> None:
            await at.create(title, key=title.ljust(22, "x"))

        once(at, "looking", write)
        assert (await at.ground.poll()).error is None
        told = await at.ground.told(before)
        assert told == [f"add event Ours {number}", "update event Review"]
    await at.agree()


async def test_another_version_there_is_read_and_changed_once_more(at: Desk) -> None:
    """R18: the snapshot is old; both changes stand, and both are told."""
    name, before = await review(at), await at.ground.head()
    theirs(at, location="Roof")
    told = shown(await at.update(name, name="Ours"))
    assert (told["name"], told["location"]) == ("Ours", "Roof")
    assert await changes(at, before) == [
        {"location": {"old": None, "new": "Roof"}},
        {"name": {"old": "Review", "new": "Ours"}},
    ]
    await at.agree()


async def test_a_merge_is_made_with_what_is_there_by_then(at: Desk) -> None:
    """What depends on the stored event is settled anew: the end of a moved event."""
    name = await review(at)
    old = work(at).resources[KEY].events[0]
    theirs(at, start=old.start + timedelta(days=1), end=old.end + timedelta(days=1))
    told = shown(await at.update(name, end=old.end + timedelta(days=1, hours=1)))
    assert told["start"] == "2026-11-02T10:00:00+01:00"
    await at.agree()


async def test_a_second_conflict_is_the_callers(at: Desk) -> None:
    name = await review(at)

    async def again() -> None:
        theirs(at, location=f"Room {at.ground.server.writes}")

    at.ground.server.faults.before = again
    with pytest.raises(ConflictError):
        await at.update(name, name="Ours")
    assert at.ground.server.writes == 2
    at.ground.server.faults = Faults()
    await at.ground.poll()
    await at.agree()


@pytest.mark.parametrize("delete", [False, True])
async def test_with_a_version_named_another_one_there_is_refused(at: Desk, delete: bool) -> None:  # noqa: FBT001
    """R18: 412, and the caller can read at once what is there."""
    name = await review(at)
    theirs(at, name="Theirs")
    fine = {"check": lambda *_: True}
    writing = at.delete(name, **fine) if delete else at.update(name, name="Ours", **fine)
    with pytest.raises(PreconditionError):
        await writing
    assert at.ground.server.writes == 1
    assert shown(await at.update(name))["name"] == "Theirs"
    await at.agree()


async def test_what_went_meanwhile_is_told_as_deleted(at: Desk) -> None:
    """404 for a change, a success for a delete; the stream knows either way."""
    name, before = await review(at), await at.ground.head()
    work(at).remove(KEY)
    with pytest.raises(NotFoundError, match=f"there is no event {name}"):
        await at.update(name, name="Ours")
    assert await at.ground.told(before) == ["delete event Review"]
    await at.agree()


async def test_deleting_what_went_meanwhile_succeeds(at: Desk) -> None:
    name, before = await review(at), await at.ground.head()
    work(at).remove(KEY)
    await at.delete(name)
    assert await at.ground.told(before) == ["delete event Review"]
    await at.agree()


async def test_a_delete_is_repeated_on_another_version(at: Desk) -> None:
    name, before = await review(at), await at.ground.head()
    theirs(at, name="Theirs")
    await at.delete(name)
    assert await at.ground.told(before) == ["update event Theirs", "delete event Theirs"]
    await at.agree()


async def test_two_daemons_writing_one_event_both_get_through(at: Desk) -> None:
    name, ready = await review(at), asyncio.Barrier(2)

    async def together() -> None:
        if at.ground.server.writes <= 2:
            await ready.wait()

    at.ground.server.faults.before = together
    async with desk(at.ground) as other, asyncio.TaskGroup() as group:
        group.create_task(at.update(name, name="Ours"))
        group.create_task(other.update(name, location="Roof"))
    at.ground.server.faults = Faults()
    (there,) = work(at).resources[KEY].events
    assert (there.name, there.location) == ("Ours", "Roof")
    await at.agree()


async def test_many_writers_of_one_calendar_are_all_recorded(at: Desk) -> None:
    ready = asyncio.Barrier(20)

    async def together() -> None:
        await ready.wait()

    at.ground.server.faults.before = together
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(at.create(f"Event {number}", key=f"{number:02}" * 11))
    at.ground.server.faults = Faults()
    assert len(work(at).resources) == 21
    await at.agree()


async def test_a_relink_meanwhile_does_not_lose_the_record(at: Desk) -> None:
    """F14: the credentials are new, the person is the same."""
    name, before = await review(at), await at.ground.head()

    async def relink() -> None:
        profile = await at.ground.profile()
        await at.ground.store.save_profile(replace(profile, generation=profile.generation + 1))

    once(at, "after", relink)
    await at.update(name, name="Ours")
    assert await at.ground.told(before) == ["update event Ours"]
    await at.agree()


async def test_a_profile_or_calendar_that_went_meanwhile_is_not_found(at: Desk) -> None:
    name = await review(at)

    async def remove() -> None:
        profile = await at.ground.profile()
        await at.ground.store.save_profile(replace(profile, removed=True))

    once(at, "after", remove)
    with pytest.raises(NotFoundError):
        await at.update(name, name="Ours")


async def test_a_change_of_the_calendar_meanwhile_is_asked_for_again(at: Desk) -> None:
    """Its properties are written under the same rule as events."""
    known, before = await at.calendar(), await at.ground.head()

    async def overtake() -> None:
        here = work(at)
        here.calendar = replace(here.calendar, description="Theirs")
        await at.ground.poll(listing=True)

    once(at, "after", overtake)
    profile = await at.ground.profile()

    made = await at.writer.update_calendar(profile, known, CalendarEdit(name="Ours"))
    assert (made.calendar.calendar.name, made.calendar.calendar.description) == ("Ours", "Theirs")
    assert await at.ground.told(before) == ["update calendar Ours"]
    await at.agree()


async def test_a_poll_that_lists_a_new_calendar_first_adds_it_once(at: Desk) -> None:

    before = await at.ground.head()

    async def poll() -> None:
        await at.ground.poll(listing=True)

    once(at, "after", poll)
    made = await at.writer.create_calendar(
        await at.ground.profile(), CalendarEdit(name="New"), name="c" * 22
    )
    assert await at.ground.told(before) == ["add calendar New"]
    again = await at.writer.create_calendar(
        await at.ground.profile(), CalendarEdit(name="New"), name="c" * 22
    )
    assert again.calendar.id == made.calendar.id
    assert len(await at.ground.activities(before)) == 1
    await at.writer.create_event(
        await at.ground.profile(), made.calendar, draft("First"), name="e" * 22
    )
    await at.agree()


async def test_a_deleted_calendar_takes_its_events_along_in_order(at: Desk) -> None:
    """K42; while a poll records into it."""
    work(at).put("s.ics", series("Stand-up"))
    await at.ground.poll()
    before = await at.ground.head()
    await at.writer.delete_calendar(await at.ground.profile(), await at.calendar())
    told = await at.ground.told(before)
    assert sorted(told[:-1]) == ["delete event Review", "delete event Stand-up"]
    assert told[-1] == "delete calendar Work"
    await at.agree()


async def test_a_poll_whose_ground_moves_while_it_compares_is_dropped(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I5: what it knew of is deleted by a write before it has read it."""
    name, documents = await review(at), at.ground.store.documents
    theirs(at, name="Theirs")

    async def late(*asked: Any) -> Any:  # noqa: ANN401 - the store's own
        monkeypatch.setattr(at.ground.store, "documents", documents)
        await at.delete(name)
        return await documents(*asked)

    monkeypatch.setattr(at.ground.store, "documents", late)
    assert (await at.ground.poll()).error is None
    await at.agree()


async def test_an_index_that_is_behind_undoes_no_write(at: Desk) -> None:
    """F6: listings tell what was there before a change and a delete, and not what is new."""
    name, here = await review(at), work(at)
    at.ground.server.faults.no_tokens = True
    here.put("b.ics", event("Other", uid="b"))
    await at.ground.poll()
    former = here.resources[KEY]
    await at.update(name, name="Ours")
    before = await at.ground.head()
    with behind(here, KEY, former):
        await at.ground.poll()
    await at.delete(name)
    with behind(here, KEY, former):
        await at.ground.poll()
    await at.create("New")
    (new,) = here.resources.keys() - {"b.ics"}
    with behind(here, new, None):
        await at.ground.poll()
    assert await at.ground.told(before) == ["delete event Ours", "add event New"]
    await at.agree()


@pytest.mark.parametrize(
    ("deleted", "listed"),
    [(False, True), (False, False), (True, True)],
)
async def test_who_takes_a_write_back_is_believed_in_the_end(
    at: Desk,
    *,
    deleted: bool,
    listed: bool,
) -> None:
    """F6: the old version with its old etag is no stale index if it stays."""
    name, here = await review(at), work(at)
    at.ground.server.faults.no_tokens = listed
    here.put("b.ics", event("Other", uid="b"))
    await at.ground.poll()
    former = here.resources[KEY]
    if deleted:
        await at.create("New")
        (new,) = here.resources.keys() - {KEY, "b.ics"}
        del here.resources[new]
    else:
        await at.update(name, name="Ours")
        here.resources[KEY] = former
    before = await at.ground.head()
    await at.ground.poll()
    assert await at.ground.told(before) == []
    await at.ground.poll(after=LASTS)
    assert await at.ground.told(before) == [
        "delete event New" if deleted else "update event Review"
    ]


@contextmanager
def behind(here: FakeCalendar, key: ResourceKey, former: Resource | None) -> Iterator[None]:
    """Let a listing tell of a resource what was there earlier."""
    latest = here.resources.pop(key, None)
    if former is not None:
        here.resources[key] = former
    yield
    here.resources.pop(key, None)
    if latest is not None:
        here.resources[key] = latest


async def test_a_new_event_does_not_release_the_brake(at: Desk) -> None:
    """I7: of two events one is new and one is old, and an answer is empty."""
    at.ground.server.faults.no_tokens = True
    work(at).put(KEY, event("Review", day=2, uid="a"))
    await at.ground.poll()
    await at.create("New")
    before = await at.ground.head()
    at.ground.server.faults.empty = True
    await at.ground.poll()
    assert "delete event Review" not in await at.ground.told(before)
