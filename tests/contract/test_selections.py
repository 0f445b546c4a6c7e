"""What ``Selections`` promises, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.errors import LimitError, StaleStateError
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.selection import Selection
from syncd.ports.store import Store
from tests.store.opening import NOON
from tests.store.samples import with_profile

ONE, TWO = ProfileId(1), ProfileId(2)


def a_selection(identity: str = "sub_a", **fields: object) -> Selection:
    plain = {"id": identity, "profile_id": ONE, "created": NOON, "modified": NOON}
    return Selection(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time


async def test_what_is_kept_is_what_was_given(store: Store) -> None:
    await with_profile(store)
    calendars = (CalendarId("cal_b"), CalendarId("cal_a"))
    asked = a_selection(calendars=calendars, active=False)
    made = await store.save_selection(asked, generation=1)
    assert made == replace(asked, revision=1)
    assert await store.selection(ONE, "sub_a") == made
    later = replace(made, calendars=(), active=True, modified=NOON + timedelta(hours=1))
    changed = await store.save_selection(later, generation=1)
    assert changed == replace(later, revision=2)
    assert await store.selection(ONE, "sub_a") == changed
    await store.remove_selection(changed)
    await store.remove_selection(changed)
    assert await store.selection(ONE, "sub_a") is None


async def test_one_that_changed_meanwhile_or_is_there_already_is_not_overwritten(
    store: Store,
) -> None:
    await with_profile(store)
    made = await store.save_selection(a_selection(), generation=1)
    changed = await store.save_selection(replace(made, active=False), generation=1)
    for stale in (a_selection(), made, a_selection("sub_gone", revision=1)):
        with pytest.raises(StaleStateError):
            await store.save_selection(stale, generation=1)
    assert await store.selections(ONE) == [changed]


async def test_they_are_listed_by_id_without_the_default_one(store: Store) -> None:
    for profile in (1, 2):
        await with_profile(store, profile)
    for name in ("sub_c", "sub_a", "sub_b"):
        await store.save_selection(a_selection(name, default=name == "sub_b"), generation=1)
    await store.save_selection(a_selection("sub_d", profile_id=TWO), generation=1)
    assert [one.id for one in await store.selections(ONE)] == ["sub_a", "sub_c"]
    assert [one.id for one in await store.selections(ONE, after="sub_a")] == ["sub_c"]
    assert [one.id for one in await store.selections(ONE, limit=1)] == ["sub_a"]
    assert (await store.selection(ONE, "sub_b") or a_selection()).default
    assert await store.selection(ONE, "sub_d") is None  # another profile's


async def test_they_go_with_their_profile(store: Store) -> None:
    profile = await with_profile(store)
    await with_profile(store, 2)
    await store.save_selection(a_selection(), generation=1)
    kept = await store.save_selection(a_selection("sub_d", profile_id=TWO), generation=1)
    await store.save_profile(replace(profile, removed=True))
    assert await store.selections(ONE) == []
    assert await store.selections(TWO) == [kept]
    assert await store.check() == []
    with pytest.raises(StaleStateError):
        await store.save_selection(a_selection("sub_late"), generation=1)


async def test_a_profile_has_no_more_than_it_may_also_of_many_at_once(store: Store) -> None:
    """What is there already is told as such, and can be changed; the default one is not counted."""
    for profile in (1, 2):
        await with_profile(store, profile)
    await store.save_selection(a_selection("sub_d", default=True), generation=1, most=0)
    left = list[str]()

    async def add(number: int) -> None:
        try:
            await store.save_selection(a_selection(f"sub_{number}"), generation=1, most=3)
        except LimitError:
            left.append(f"sub_{number}")

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(add(number))
    made = await store.selections(ONE)
    assert (len(made), len(left)) == (3, 5)
    with pytest.raises(StaleStateError):
        await store.save_selection(a_selection(made[0].id), generation=1, most=3)
    await store.save_selection(replace(made[0], active=False), generation=1, most=3)
    await store.save_selection(a_selection("sub_z", profile_id=TWO), generation=1, most=3)
