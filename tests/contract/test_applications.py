"""What ``Applications`` promises, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncd.model.access import Scope, Token
from syncd.model.errors import ConflictError, NotFoundError
from syncd.model.ids import ApplicationId, TokenId
from syncd.ports.store import Store
from syncd.ports.store.applications import ApplicationKey, KeyKind
from tests.store.opening import NOON
from tests.store.samples import an_application, with_profile

ONE = ApplicationId("app_one")
HOUR = timedelta(hours=1)


def a_key(name: str, kind: KeyKind = KeyKind.API_KEY, *, made: datetime = NOON) -> ApplicationKey:
    token = Token(
        id=TokenId(name),
        digest=name.encode() * 4,
        scopes=frozenset({Scope.ALL}),
        created=made,
        application_id=ONE,
    )
    return ApplicationKey(kind=kind, token=token, sealed=f"v1:k{name}:x:y".encode())


async def test_an_application_comes_back_as_it_was_given(store: Store) -> None:
    whole = replace(an_application("one"), redirect_uris=("https://one.example/back",))
    await store.add_application(whole)
    await store.add_application(an_application("a"))
    assert await store.application(ONE) == whole
    assert await store.applications() == [an_application("a"), whole]
    with pytest.raises(NotFoundError):
        await store.application(ApplicationId("app_three"))


async def test_an_applications_name_is_unique_until_it_is_removed(store: Store) -> None:
    await store.add_application(an_application("one"), [a_key("t1")])
    other = replace(an_application("two"), name="one")
    with pytest.raises(ConflictError):
        await store.add_application(other, [a_key("t2")])
    assert await store.token(TokenId("t2")) is None
    await store.remove_application(ONE, NOON)
    await store.add_application(other)
    assert await store.applications() == [other]


async def test_origins_are_those_of_all_applications(store: Store) -> None:
    """R19."""
    await store.add_application(an_application("one"))
    await store.add_application(an_application("two"))
    assert await store.origins() == {"https://one.example", "https://two.example"}
    await store.remove_application(ONE, NOON)
    assert await store.origins() == {"https://two.example"}


async def test_keys_are_tokens_and_stay_until_they_are_rotated(store: Store) -> None:
    """R6: the old ones live on for a while, and never longer than before."""
    first, second = a_key("t1"), a_key("t2", KeyKind.CLIENT_SECRET)
    await store.add_application(an_application(), [first, second])
    assert await store.token(TokenId("t1")) == first.token
    assert await store.application_keys(ONE) == [first, second]
    third = a_key("t3", made=NOON + HOUR)
    await store.rotate_keys(ONE, [third], until=NOON + 2 * HOUR)
    ends = [one.token.expires_at for one in await store.application_keys(ONE)]
    assert ends == [None, NOON + 2 * HOUR, NOON + 2 * HOUR]
    await store.rotate_keys(ONE, [], until=NOON + 3 * HOUR)
    ends = [one.token.expires_at for one in await store.application_keys(ONE)]
    assert ends == [NOON + 3 * HOUR, NOON + 2 * HOUR, NOON + 2 * HOUR]
    await store.rotate_keys(ONE, [], until=NOON + HOUR)
    ends = [one.token.expires_at for one in await store.application_keys(ONE)]
    assert ends == [NOON + HOUR] * 3
    with pytest.raises(NotFoundError):
        await store.rotate_keys(ApplicationId("app_two"), [third], until=NOON)


async def test_removing_ends_every_token_given_through_it_and_no_other(store: Store) -> None:
    profile = await with_profile(store)
    await store.add_application(an_application("one"), [a_key("t1")])
    given = replace(a_key("t2").token, profile_id=profile.id)
    foreign = replace(a_key("t3").token, profile_id=profile.id, application_id=None)
    await store.add_token(given)
    await store.add_token(foreign)
    await store.remove_application(ONE, NOON + HOUR)
    for name, ended in (("t1", NOON + HOUR), ("t2", NOON + HOUR), ("t3", None)):
        token = await store.token(TokenId(name))
        assert token
        assert token.revoked_at == ended
    assert await store.application_keys(ONE) == []
    assert await store.profile(profile.id) == profile
    for _ in range(2):
        with pytest.raises(NotFoundError):
            await store.remove_application(ONE, NOON)


async def test_the_ring_must_open_what_applications_sign_with(store: Store) -> None:
    """A syncd that lost the key would push nothing that anybody believes."""
    await store.add_application(an_application(), [a_key("t1"), a_key("t2")])
    assert await store.sealing_keys() == {"kt1", "kt2"}
