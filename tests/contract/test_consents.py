"""What ``Consents`` promises (api.md N3), on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from syncd.ports.store import Store
from syncd.ports.store.consents import AskedConsent
from tests.store.opening import NOON

MILLISECOND = timedelta(milliseconds=1)
ASKED = AskedConsent(
    id="c1",
    browser=b"\1" * 32,
    provider="google",
    sealed=b"sealed\0\xff",
    expires_at=NOON + timedelta(minutes=10),
)


async def take(store: Store, **other: object) -> bytes | None:
    given = {"browser": ASKED.browser, "provider": ASKED.provider, "now": NOON, **other}
    return await store.take_consent(ASKED.id, **given)  # type: ignore[arg-type]  # names are checked


async def test_a_journey_ends_once_however_many_come_back_at_once(store: Store) -> None:
    await store.add_consent(ASKED)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(take(store)) for _ in range(20)]
    found = [task.result() for task in tasks]
    assert found.count(ASKED.sealed) == 1
    assert found.count(None) == 19


async def test_to_anybody_else_it_is_not_there_and_stays(store: Store) -> None:
    """Whoever knows a state and no cookie can neither use it nor use it up."""
    await store.add_consent(ASKED)
    assert await take(store, browser=b"\2" * 32) is None
    assert await take(store, provider="graph") is None
    assert await take(store, now=ASKED.expires_at) is None
    assert (
        await store.take_consent("c2", browser=ASKED.browser, provider="google", now=NOON) is None
    )
    assert await take(store, now=ASKED.expires_at - MILLISECOND) == ASKED.sealed


async def test_who_did_not_come_back_is_forgotten_in_small_steps(store: Store) -> None:
    for number in range(5):
        late = ASKED.expires_at + number * MILLISECOND
        await store.add_consent(replace(ASKED, id=f"c{number}", expires_at=late))
    after = ASKED.expires_at + 3 * MILLISECOND
    assert await store.forget_consents(before=after, limit=2) == 2
    assert await store.forget_consents(before=after, limit=2) == 1
    assert await store.forget_consents(before=after, limit=2) == 0
    kept = replace(ASKED, id="c3")
    assert (
        await store.take_consent(kept.id, browser=kept.browser, provider=kept.provider, now=NOON)
        == ASKED.sealed
    )
