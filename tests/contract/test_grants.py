"""What ``Invitations`` and ``Grants`` promise, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.access import Scope, Token, User
from syncd.model.errors import NotFoundError
from syncd.model.grant import Grant
from syncd.model.ids import ApplicationId, GrantId, InvitationId, ProfileId, TokenId, UserId
from syncd.model.invitation import Ends, Invitation, Reach
from syncd.model.subscription import Outcome, Reason
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Note
from tests.contract.test_subscriptions import a_subscription, an_attempt
from tests.store.opening import NOON
from tests.store.samples import an_application, with_profile

ONE = ApplicationId("app_one")
HOUR = timedelta(hours=1)


def an_invitation(name: str = "inv_1", **more: object) -> Invitation:
    made = Invitation(
        id=InvitationId(name),
        digest=name.encode() * 4,
        ends=Ends.CODE,
        created=NOON,
        expires_at=NOON + HOUR,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # names are checked at run time


def a_grant(user: UserId, name: str = "g1", **more: object) -> Grant:
    made = Grant(
        id=GrantId(name),
        application_id=ONE,
        user_id=user,
        profile_id=ProfileId(7),
        reach=Reach.USER,
        scopes=frozenset({Scope.READ_EVENTS}),
        created=NOON,
        code_digest=b"code",
        code_expires_at=NOON + HOUR,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # names are checked at run time


def a_token(grant: Grant, name: str, **more: object) -> Token:
    made = Token(
        id=TokenId(name),
        digest=name.encode() * 8,
        scopes=grant.scopes,
        created=NOON,
        user_id=grant.user_id,
        application_id=grant.application_id,
        grant_id=grant.id,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # names are checked at run time


async def with_user(store: Store) -> UserId:
    await store.add_application(an_application("one"))
    return (await with_profile(store)).user_id


async def alive(store: Store, *names: str) -> list[str]:
    """Return which of these tokens are there and not revoked."""
    found = [await store.token(TokenId(name)) for name in names]
    return [one.id for one in found if one is not None and one.revoked_at is None]


async def test_an_invitation_comes_back_as_it_was_given(store: Store) -> None:
    user = await with_user(store)
    whole = an_invitation(
        application_id=ONE,
        user_id=user,
        companion_id=user,
        reach=Reach.USER,
        scopes=frozenset({Scope.READ_EVENTS, Scope.RAW}),
        providers=frozenset({"google", "caldav"}),
        preselected="google",
        url="dav.example",
        username="ada",
        return_to="https://one.example/back",
        origin="https://one.example",
        request_id="7",
        challenge="x" * 43,
        state=b"sealed",
        browser=b"digest",
    )
    await store.add_invitation(whole)
    await store.add_invitation(an_invitation("inv_2"))
    assert await store.invitation_by_secret(whole.digest) == whole
    assert await store.invitation_by_secret(b"none") is None


async def test_an_invitation_is_used_once_whoever_else_tries(store: Store) -> None:
    one = an_invitation()
    await store.add_invitation(one)
    tries = [store.use_invitation(one.id, NOON) for _ in range(8)]
    assert sorted([await each for each in asyncio.as_completed(tries)]) == [*[False] * 7, True]
    assert await store.invitation_by_secret(one.digest) == replace(one, used_at=NOON)
    await store.free_invitation(one.id)
    assert await store.use_invitation(one.id, NOON + HOUR - timedelta(seconds=1))
    await store.free_invitation(one.id)
    assert not await store.use_invitation(one.id, NOON + HOUR)


async def test_invitations_are_forgotten_after_their_end(store: Store) -> None:
    for number in range(3):
        late = NOON + number * HOUR
        await store.add_invitation(an_invitation(f"inv_{number}", expires_at=late))
    assert await store.forget_invitations(before=NOON + 2 * HOUR, limit=1) == 1
    assert await store.forget_invitations(before=NOON + 2 * HOUR) == 1
    assert await store.forget_invitations(before=NOON + 2 * HOUR) == 0
    last = an_invitation("inv_2", expires_at=NOON + 2 * HOUR)
    assert await store.invitation_by_secret(last.digest) == last


async def test_a_grant_comes_back_as_it_was_given(store: Store) -> None:
    user = await with_user(store)
    whole = a_grant(user, redirect_uri="https://one.example/ü", challenge="x" * 43)
    await store.add_grant(whole)
    assert await store.grant(whole.id) == whole
    assert await store.grant(GrantId("none")) is None
    at_once = a_grant(user, "g2", code_digest=None, code_expires_at=None, reach=Reach.PROFILE)
    given = a_token(at_once, "t0", profile_id=None)
    await store.add_grant(at_once, [given])
    assert await store.token(given.id) == given


async def test_a_code_is_redeemed_once_whoever_else_tries(store: Store) -> None:
    """One token, though eight ask at one moment."""
    grant = a_grant(await with_user(store))
    await store.add_grant(grant)
    names = [f"t{number}" for number in range(8)]
    kept = replace(grant, refresh_digest=b"refresh")
    tries = [store.redeem(kept, a_token(grant, name), NOON + HOUR) for name in names]
    assert sorted([await each for each in asyncio.as_completed(tries)]) == [*[False] * 7, True]
    assert len(await alive(store, *names)) == 1
    assert await store.grant(grant.id) == replace(kept, redeemed_at=NOON + HOUR)


async def test_a_revoked_grant_gives_nothing_and_takes_all_back(store: Store) -> None:
    user = await with_user(store)
    mine, other = a_grant(user), a_grant(user, "g2")
    for grant in (mine, other):
        await store.add_grant(grant)
        assert await store.redeem(grant, a_token(grant, f"{grant.id}a"), NOON)
        assert await store.renew(grant.id, a_token(grant, f"{grant.id}b"))
    for later in (0, 1):
        await store.revoke_grant(mine.id, NOON + later * HOUR)
    revoked = await store.grant(mine.id)
    assert revoked
    assert revoked.revoked_at == NOON
    assert not await store.renew(mine.id, a_token(mine, "t9"))
    assert await alive(store, "g1a", "g1b", "g2a", "g2b", "t9") == ["g2a", "g2b"]
    unused = a_grant(user, "g3")
    await store.add_grant(unused)
    await store.revoke_grant(unused.id, NOON)
    assert not await store.redeem(unused, a_token(unused, "t8"), NOON)
    assert await alive(store, "t8") == []


async def test_all_that_a_user_allowed_one_application_ends_and_nothing_else(
    store: Store,
) -> None:
    user = await with_user(store)
    await store.add_application(an_application("two"))
    await store.add_user(User(id=UserId("acc_eve"), name="eve", created=NOON))
    grants = [
        *(a_grant(user, "g1"), a_grant(user, "g2")),
        a_grant(UserId("acc_eve"), "g3"),
        a_grant(user, "g4", application_id=ApplicationId("app_two")),
    ]
    for grant in grants:
        await store.add_grant(grant, [a_token(grant, f"t{grant.id}")])
    await store.revoke_grants_of(ONE, user, NOON)
    assert await alive(store, "tg1", "tg2", "tg3", "tg4") == ["tg3", "tg4"]


async def test_codes_that_nobody_used_and_tokens_that_ended_are_forgotten(store: Store) -> None:
    """Not what may still be asked for: a used code may come again, and kills then."""
    user = await with_user(store)
    used, unused, fresh = (a_grant(user, name) for name in ("g1", "g2", "g3"))
    fresh = replace(fresh, code_expires_at=NOON + 9 * HOUR)
    for grant in (used, unused, fresh):
        await store.add_grant(grant)
    assert await store.redeem(used, a_token(used, "old", expires_at=NOON + HOUR), NOON)
    for name, end in (("new", NOON + 9 * HOUR), ("endless", None)):
        assert await store.renew(used.id, a_token(used, name, expires_at=end))
    own = replace(a_token(used, "own", expires_at=NOON), grant_id=None, application_id=None)
    await store.add_token(own)
    assert await store.forget_grants(before=NOON + 2 * HOUR) == 2
    assert await store.grant(unused.id) is None
    assert await store.token(TokenId("old")) is None
    assert await store.grant(used.id)
    assert await store.grant(fresh.id)
    assert await alive(store, "new", "endless", "own") == ["new", "endless", "own"]


async def test_users_say_whose_they_are_and_people_are_found_everywhere(store: Store) -> None:
    profile = await with_profile(store)
    await store.add_application(an_application("one"))
    member = User(id=UserId("acc_m"), name="app_one/m", created=NOON, application_id=ONE)
    await store.add_user(member)
    assert await store.user(member.id) == member
    other = replace(profile, id=ProfileId(2), user_id=member.id)
    await store.add_profile(other, sealed={}, records=[])
    found = await store.profiles_of_person(profile.provider, profile.identity)
    assert [one.id for one in found] == [profile.id, other.id]
    assert await store.profiles_of_person("google", profile.identity) == []
    gone = replace(other, removed=True, revision=other.revision)
    await store.save_profile(gone)
    found = await store.profiles_of_person(profile.provider, profile.identity)
    assert [one.id for one in found] == [profile.id]


async def test_an_applications_addresses_are_changed_and_its_secrets_stay(store: Store) -> None:
    one = an_application("one")
    await store.add_application(one)
    await store.add_application(an_application("two"))
    after = replace(one, name="uno", origins=(), redirect_uris=("https://uno.example/",))
    await store.save_application(after)
    assert await store.application(ONE) == after
    assert await store.origins() == {"https://two.example"}
    with pytest.raises(NotFoundError):
        await store.save_application(replace(one, id=ApplicationId("app_none")))


async def test_what_is_pushed_ends_with_its_grant_and_with_its_application(store: Store) -> None:
    """C20: whatever else had disabled it, it is not to be enabled by chance."""
    await store.add_application(an_application())
    profile = await with_profile(store)
    for name in ("g1", "g2", "g3"):
        await store.add_grant(a_grant(profile.user_id, name))
        pushed = a_subscription(f"whk_{name}", grant_id=GrantId(name))
        await store.add_subscription(pushed, at=None, beginning=False)
    plain = a_subscription("whk_own")
    owned = a_subscription("whk_app", user_id=None, application_id=ONE)
    for one in (plain, owned):
        await store.add_subscription(one, at=None, beginning=False)

    async def reasons() -> list[Reason | None]:
        return [one.reason for one in await store.subscriptions()]  # app, g1, g2, g3, own

    paused = await store.subscription("whk_g1")
    await store.save_subscription(replace(paused, reason=Reason.OPERATOR))
    await store.revoke_grant(GrantId("g1"), NOON)
    assert await reasons() == [None, Reason.REVOKED, None, None, None]
    await store.remove_application(ONE, NOON)
    assert await reasons() == [Reason.REVOKED] * 4 + [None]


async def test_what_was_under_way_when_a_grant_ended_is_noted_and_is_the_last(store: Store) -> None:
    """C20: the attempt that fails then does not say that another reason ended it."""
    await store.add_application(an_application())
    profile = await with_profile(store)
    await store.add_grant(a_grant(profile.user_id))
    for name, grant in (("whk_a", GrantId("g1")), ("whk_b", None)):
        pushed = a_subscription(name, grant_id=grant)
        await store.add_subscription(pushed, at=None, beginning=False)
    await store.revoke_grant(GrantId("g1"), NOON)
    notes = [
        Note(
            subscription_id=name,
            deliveries=(an_attempt(1, id=name, subscription_id=name, outcome=Outcome.FAILED),),
            attempts=1,
            reason=Reason.GONE,
        )
        for name in ("whk_a", "whk_b")
    ]
    assert await store.note_deliveries(notes) == {"whk_a"}
    for name, reason in (("whk_a", Reason.REVOKED), ("whk_b", Reason.GONE)):
        assert (await store.subscription(name)).reason is reason
        assert len(await store.deliveries(name)) == 1
