"""How many webhooks one owner may have, and which of them make room, on both databases."""

import asyncio

import pytest

from syncd.model.activity import Kind, Type
from syncd.model.errors import LimitError
from syncd.model.ids import Position
from syncd.model.profile import changed
from syncd.model.subscription import Reason
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Advance, Note
from tests.contract.test_subscriptions import a_subscription
from tests.store.opening import NOON
from tests.store.samples import a_record, an_application, with_profile


async def test_an_owner_has_no_more_than_it_may_also_of_many_at_once(store: Store) -> None:
    """A user's webhooks are those of its profiles too; other owners are asked for theirs."""
    await with_profile(store)
    profile = await with_profile(store, 2)
    left = list[str]()

    async def add(number: int, most: int, **owner: object) -> None:
        made = a_subscription(f"whk_{most}_{number}", secrets=(), **owner)
        try:
            await store.add_subscription(made, at=None, beginning=False, most=most)
        except LimitError:
            left.append(made.id)

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            owner = {"user_id": None, "profile_id": profile.id} if number % 2 else {}
            group.create_task(add(number, 5, **owner))
    assert len(await store.subscriptions()) == 5
    assert len(left) == 7
    application = an_application()
    await store.add_application(application)
    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(add(number, 4, user_id=None, application_id=application.id))
    assert len(await store.subscriptions(application=application.id)) == 4
    left.clear()
    for number in range(3):
        await add(number, 2, user_id=None, admin=True)
    assert left == ["whk_2_2"]


async def test_what_is_never_sent_anything_again_makes_room_for_what_is(store: Store) -> None:
    """Revoked ones, and those of a removed profile, which no token shows any more; no others."""
    await with_profile(store)
    gone = await with_profile(store, 2)
    application = an_application()
    await store.add_application(application)
    for identity, owner in (
        ("whk_revoked", {"client": application.id}),
        ("whk_paused", {"reason": Reason.OPERATOR}),
        ("whk_done", {"user_id": None, "profile_id": gone.id}),
        ("whk_behind", {"user_id": None, "profile_id": gone.id}),
    ):
        await store.add_subscription(a_subscription(identity, **owner), at=None, beginning=False)
    await store.remove_application(application.id, NOON)
    end = [a_record("2", kind=Kind.ACCOUNT, type=Type.DELETE)]
    await store.save_profile(changed(gone, NOON, removed=True), records=end)
    place = (await store.stream(gone.id)).head
    step = Advance(profile_id=gone.id, before=Position(place - 1), after=place)
    await store.note_deliveries([Note(subscription_id="whk_done", step=step)])

    async def names() -> list[str]:
        return [one.id for one in await store.subscriptions()]

    await store.add_subscription(a_subscription("whk_new"), at=None, beginning=False, most=5)
    assert len(await names()) == 5, "there was room"
    await store.add_subscription(a_subscription("whk_next"), at=None, beginning=False, most=4)
    assert await names() == ["whk_behind", "whk_new", "whk_next", "whk_paused"]
    with pytest.raises(LimitError):
        await store.add_subscription(a_subscription("whk_b"), at=None, beginning=False, most=4)
    assert await store.deliveries("whk_revoked") == []
