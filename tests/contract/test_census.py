"""What ``Census`` promises."""

from dataclasses import replace
from typing import Any

import pytest

from syncd.model.profile import Reason, State
from syncd.ports.store import Store
from syncd.ports.store.census import Search
from tests.store.samples import a_profile, with_profile

DONE = {"first_read": False}
MANY: tuple[dict[str, Any], ...] = (
    DONE | {"login": "ada@example.org"},
    DONE | {"login": "bob@example.org", "failures": 2},
    {"login": "Carol_x@example.com", "provider": "google", "name": "Carol's 100% calendar"},
    DONE | {"login": "dan@example.com", "suspect": True, "provider": "google"},
    DONE | {"login": "eve@example.org", "paused": True, "suspect": True},
    DONE | {"login": "fay@example.org", "refused": Reason.INVALID_GRANT, "paused": True},
)


async def fill(store: Store) -> None:
    await with_profile(store)
    for number, fields in enumerate(MANY, start=11):
        await store.add_profile(a_profile(number, **fields), sealed={}, records=())
    await store.save_profile(replace(await store.profile(a_profile(1).id), removed=True))


async def found(store: Store, skip: int = 0, limit: int = 100, **fields: Any) -> list[int]:  # noqa: ANN401
    return [one.id for one in await store.matching(Search(**fields), skip=skip, limit=limit)]


async def test_each_profile_is_counted_in_the_state_that_it_shows(store: Store) -> None:
    await fill(store)
    counts = await store.counts(Search())
    assert counts == {
        State.CONNECTED: 2,
        State.INITIAL: 1,
        State.SUSPECT: 1,
        State.PAUSED: 1,
        State.DISCONNECTED: 1,
    }
    for state, count in counts.items():
        named = await store.matching(Search(state=state), skip=0, limit=100)
        assert [one.state for one in named] == [state] * count
    assert await store.counts(Search(provider="google", state=State.PAUSED)) == {
        State.INITIAL: 1,
        State.SUSPECT: 1,
    }
    assert await store.providers() == ["caldav", "google"]


async def test_those_that_need_a_person_come_first_and_pages_meet(store: Store) -> None:
    await fill(store)
    whole = [16, 14, 12, 11, 13, 15]
    assert await found(store) == whole
    pages = [one for skip in (0, 2, 4, 6) for one in await found(store, skip=skip, limit=2)]
    assert pages == whole


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("EXAMPLE.com", [14, 13]),
        ("carol_", [13]),
        ("100%", [13]),
        ("%", [13]),
        ("_", [13]),
        (" bob ", [12]),
        ("12", [12]),
        ("nobody", []),
    ],
)
async def test_a_search_takes_words_as_they_are(store: Store, text: str, ids: list[int]) -> None:
    """Neither ``%`` nor ``_`` stands for anything else."""
    await fill(store)
    assert await found(store, text=text) == ids
