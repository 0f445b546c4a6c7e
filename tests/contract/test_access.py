"""What ``Access`` promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.access import Scope, Token, User
from syncd.model.errors import ConflictError, NotFoundError
from syncd.model.ids import ApplicationId, TokenId, UserId
from syncd.ports.store import Store
from tests.store.opening import NOON
from tests.store.samples import an_application, with_profile

ADA = User(id=UserId("acc_ada"), name="ada", created=NOON)
BOB = User(id=UserId("acc_bob"), name="bob", created=NOON)
TOKEN = Token(
    id=TokenId("tok_one"),
    digest=b"\0" * 32,
    scopes=frozenset({Scope.READ_EVENTS, Scope.READ_NOTIFY}),
    created=NOON,
)


async def test_a_users_name_is_unique(store: Store) -> None:
    await store.add_user(BOB)
    await store.add_user(ADA)
    with pytest.raises(ConflictError):
        await store.add_user(replace(ADA, id=UserId("acc_other")))
    assert await store.users() == [ADA, BOB]
    assert await store.user(ADA.id) == ADA
    assert await store.user_named("bob") == BOB
    assert await store.user_named("eve") is None
    with pytest.raises(NotFoundError):
        await store.user(UserId("acc_other"))


async def test_a_token_comes_back_as_it_was_given(store: Store) -> None:
    profile = await with_profile(store)
    await store.add_application(an_application())
    whole = replace(
        TOKEN,
        user_id=profile.user_id,
        profile_id=profile.id,
        application_id=ApplicationId("app_one"),
        admin=True,
        name="laptop",
        expires_at=NOON + timedelta(days=90),
        used_at=NOON,
    )
    await store.add_token(whole)
    assert await store.token(TOKEN.id) == whole
    assert await store.token(TokenId("tok_two")) is None


async def test_a_token_for_nobody_known_is_refused(store: Store) -> None:
    with pytest.raises(ConflictError):
        await store.add_token(replace(TOKEN, user_id=UserId("acc_nobody")))


async def test_tokens_are_listed_newest_first(store: Store) -> None:
    later = replace(TOKEN, id=TokenId("tok_two"), created=NOON + timedelta(seconds=1))
    await store.add_token(TOKEN)
    await store.add_token(later)
    assert await store.tokens() == [later, TOKEN]


async def test_a_revoked_token_stays_revoked_since_the_first_time(store: Store) -> None:
    await store.add_token(TOKEN)
    await store.revoke_token(TOKEN.id, NOON)
    await store.revoke_token(TOKEN.id, NOON + timedelta(hours=1))
    assert await store.token(TOKEN.id) == replace(TOKEN, revoked_at=NOON)
    with pytest.raises(NotFoundError):
        await store.revoke_token(TokenId("tok_two"), NOON)


async def test_the_last_use_of_a_token_is_noted(store: Store) -> None:
    await store.add_token(TOKEN)
    await store.touch_token(TOKEN.id, NOON)
    assert await store.token(TOKEN.id) == replace(TOKEN, used_at=NOON)
