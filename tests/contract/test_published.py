"""What ``TokenCalendars`` and ``Feeds`` promise, and the rotation of tokens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.access import SpentSecret, Token, User
from syncd.model.errors import ConflictError, NotFoundError, StaleStateError
from syncd.model.ids import GrantId, ResourceKey, Slot, TokenId, UserId
from syncd.model.invitation import Reach
from syncd.model.published import Detail, Feed, Label, Noticed, SecretPath, TokenCalendar, Watch
from syncd.ports.store import Store
from tests.contract.test_grants import ONE, a_grant
from tests.store.opening import NOON
from tests.store.samples import USER, a_page, an_application, with_calendar, with_profile

PATH = SecretPath(digest=b"d" * 32, sealed=b"v1:k:n:c")
CALENDAR = TokenCalendar(id="a" * 32, user_id=USER, name="CI", path=PATH, created=NOON)
TOKEN = Token(id=TokenId("one"), digest=b"1" * 32, scopes=frozenset(), created=NOON)
WATCH = Watch(calendar_id=CALENDAR.id, token_id=TOKEN.id, since=NOON, removal=b"r", recreation=b"c")
FEED = Feed(
    id="f", name="Team", calendars=(), detail=Detail.BUSY, path=PATH, created=NOON, user_id=USER
)


async def test_token_calendars_are_found_by_id_name_and_path(store: Store) -> None:
    await with_profile(store)
    await store.add_token_calendar(CALENDAR)
    other = SecretPath(digest=b"e", sealed=b"")
    with pytest.raises(ConflictError):
        await store.add_token_calendar(replace(CALENDAR, id="b" * 32, path=other))
    assert await store.token_calendars(USER) == [CALENDAR]
    assert await store.token_calendar_named(USER, "CI") == CALENDAR
    assert await store.token_calendar_named(USER, CALENDAR.id) == CALENDAR
    assert await store.token_calendar_at(PATH.digest) == CALENDAR
    with pytest.raises(NotFoundError):
        await store.token_calendar_named(UserId("acc_else"), "CI")
    seen = Noticed(version="v", since=NOON)
    changed = replace(CALENDAR, description="x", labels=("l",), noticed=seen)
    await store.save_token_calendar(changed)
    await store.notice_token_calendar(CALENDAR.id, seen)
    assert await store.token_calendar(CALENDAR.id) == changed


async def test_a_watch_is_one_and_goes_with_its_calendar(store: Store) -> None:
    await with_profile(store)
    await store.add_token(TOKEN)
    with pytest.raises(ConflictError):
        await store.watch(WATCH)
    await store.add_token_calendar(CALENDAR)
    await store.watch(WATCH)
    await store.watch(replace(WATCH, comment="b", since=NOON + timedelta(days=1), removal=b"x"))
    (found,) = await store.watched([CALENDAR.id])
    assert (found.watch, found.token) == (replace(WATCH, comment="b"), TOKEN)
    assert await store.watch_by_code(b"r") == await store.watch_by_code(b"c") == found.watch
    assert await store.watch_by_code(b"x") is None
    await store.remove_token_calendar(CALENDAR.id)
    assert await store.watched([CALENDAR.id]) == []


async def test_labels_are_the_users_by_name(store: Store) -> None:
    await with_profile(store)
    one, two = (Label(id=name, user_id=USER, name=name) for name in ("b", "a"))
    for label in (one, two):
        await store.add_label(label)
    assert await store.labels(USER) == [two, one]
    with pytest.raises(ConflictError):
        await store.save_label(replace(one, name="a"))
    await store.remove_label("a")
    assert await store.labels(USER) == [one]


async def test_of_two_rotations_from_one_secret_the_second_changes_nothing(store: Store) -> None:
    await store.add_token(TOKEN)
    spent = SpentSecret(token_id=TOKEN.id, digest=TOKEN.digest, nonce=b"n", spent_at=NOON)
    assert await store.rotate_token(spent, digest=b"2" * 32, forget_before=NOON)
    late = replace(spent, nonce=b"m")
    assert not await store.rotate_token(late, digest=b"3" * 32, forget_before=NOON)
    assert await store.token(TOKEN.id) == replace(TOKEN, digest=b"2" * 32)
    assert await store.spent(TOKEN.id, TOKEN.digest) == spent
    later = NOON + timedelta(minutes=2)
    following = replace(spent, digest=b"2" * 32, spent_at=later)
    assert await store.rotate_token(following, digest=b"4" * 32, forget_before=later)
    assert await store.spent(TOKEN.id, TOKEN.digest) is None  # a minute is over
    await store.revoke_token(TOKEN.id, later)
    gone = replace(spent, digest=b"4" * 32)
    assert not await store.rotate_token(gone, digest=b"5" * 32, forget_before=later)


async def test_a_feed_is_written_from_the_revision_that_was_read(store: Store) -> None:
    await with_profile(store)
    await store.add_feed(FEED)
    assert await store.feeds(user=USER) == [FEED]
    assert await store.feeds(user=USER, after="f") == []
    saved = await store.save_feed(replace(FEED, name="B"))
    assert await store.feed("f") == saved == replace(FEED, name="B", revision=2)
    with pytest.raises(StaleStateError):
        await store.save_feed(FEED)
    await store.notice_feed("f", Noticed(version="v", since=NOON))
    found = await store.feed_at(PATH.digest, NOON)
    assert found == replace(saved, noticed=Noticed(version="v", since=NOON))
    await store.remove_feed("f")
    with pytest.raises(NotFoundError):
        await store.feed("f")


async def test_a_feed_of_an_applications_user_is_there_while_it_is_allowed(store: Store) -> None:
    await store.add_application(an_application("one"))
    user, later = UserId("acc_member"), NOON + timedelta(hours=1)
    member = User(id=user, name="one/u7", created=NOON, application_id=ONE)
    await store.add_user(member)
    await store.add_feed(replace(FEED, user_id=user))
    await store.add_grant(a_grant(user, "g0", reach=Reach.PROFILE, code_digest=None))
    assert await store.feed_at(PATH.digest, NOON) is None, "of a profile alone"
    await store.add_grant(a_grant(user, reach=Reach.USER, code_digest=b"c", redeemed_at=None))
    assert await store.feed_at(PATH.digest, NOON) is None, "nobody has taken the code"
    await store.add_grant(a_grant(user, "g2", reach=Reach.USER, code_digest=None))
    assert await store.feed_at(PATH.digest, NOON) is not None
    await store.revoke_grant(GrantId("g2"), NOON)
    assert await store.feed_at(PATH.digest, NOON) is None
    given, gone = replace(TOKEN, user_id=user, application_id=ONE), TokenId("gone")
    await store.add_token(given)
    await store.add_token(replace(TOKEN, id=gone, digest=b"2" * 32, user_id=user))
    await store.revoke_token(gone, NOON)
    assert await store.feed_at(PATH.digest, NOON) is None, "neither is the operator's word"
    made = replace(TOKEN, id=TokenId("made"), digest=b"3" * 32, user_id=user, expires_at=later)
    await store.add_token(made)
    assert await store.feed_at(PATH.digest, NOON) is not None
    assert await store.feed_at(PATH.digest, later) is None


async def test_a_feed_reads_its_calendars_page_by_page(store: Store) -> None:
    known = await with_calendar(store)
    page = a_page(known, [f"/{number}.ics" for number in range(5)])
    stored = await store.record(known, page, generation=1)
    assert await store.revisions([known.id]) == {known.id: stored.revision}
    bodies = await store.bodies(known.id, after=None, limit=3)
    rest = await store.bodies(known.id, after=bodies[-1].key, limit=3)
    assert [one.key for one in (*bodies, *rest)] == [f"/{number}.ics" for number in range(5)]
    some = await store.contents(known.id, after=None, limit=3)
    last = (ResourceKey(some[-1].key), Slot(some[-1].slot))
    others = await store.contents(known.id, after=last, limit=3)
    assert [one.key for one in (*some, *others)] == [f"/{number}.ics" for number in range(5)]
