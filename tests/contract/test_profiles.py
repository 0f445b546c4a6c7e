"""What ``Profiles`` promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.activity import Filter, Kind, Type
from syncd.model.errors import ConflictError, NotFoundError, StaleStateError
from syncd.model.ids import ApplicationId, Position, ProfileId, UserId
from syncd.model.profile import LastError, Proof, Reason, changed
from syncd.ports.store import Store
from syncd.ports.store.profiles import PollNote
from syncd.store.rows import shard_of
from tests.store.opening import NOON
from tests.store.samples import (
    USER,
    a_page,
    a_profile,
    a_record,
    an_application,
    with_calendar,
    with_profile,
)

FULL = {
    "name": "Ada \N{SNOWMAN}",
    "application_id": ApplicationId("app_one"),
    "settings": {"home": "/cal/"},
    "paused": True,
    "refused": Reason.CREDENTIALS_REFUSED,
    "refused_at": NOON,
    "suspect": True,
    "polled_at": NOON - timedelta(minutes=1),
    "failures": 3,
    "last_error": LastError(at=NOON, code="unreachable", message="no answer"),
    "proof": Proof(reason=Reason.INVALID_GRANT, count=2, first_at=NOON, last_at=NOON),
    "relink_digest": b"\0digest",
    "relink_until": NOON + timedelta(days=1),
}


async def test_a_profile_comes_back_as_it_was_given(store: Store) -> None:
    await with_profile(store)
    await store.add_application(an_application())
    given = a_profile(2, **FULL)
    await store.add_profile(given, sealed={}, records=())
    assert await store.profile(given.id) == given


async def test_every_reserved_id_is_new_even_if_nobody_took_the_last(store: Store) -> None:
    """F29: ids are never given twice."""
    first, second = await store.reserve_profile(), await store.reserve_profile()
    assert (first, second) == (1, 2)
    profile = await with_profile(store, second)
    await store.save_profile(replace(profile, removed=True))
    assert await store.reserve_profile() == 3


async def test_a_person_has_one_profile_per_user_and_provider(store: Store) -> None:
    known = await with_profile(store)
    with pytest.raises(ConflictError):
        await store.add_profile(
            a_profile(2, identity=known.identity), sealed={"password": b"x"}, records=[a_record()]
        )
    assert await store.profiles() == [known]
    assert await store.sealed(ProfileId(2), "password") is None
    assert await store.profile_by_identity(USER, "caldav", known.identity) == known
    assert await store.profile_by_identity(UserId("acc_two"), "caldav", known.identity) is None
    with pytest.raises(NotFoundError):
        await store.stream(ProfileId(2))


async def test_a_removed_profile_is_gone_and_its_stream_stays(store: Store) -> None:
    """Its last record can still be read; snapshot and credentials cannot."""
    calendar = await with_calendar(store)
    await store.record(calendar, a_page(calendar, ["/cal/1"]), generation=1)
    known = await store.profile(calendar.profile_id)
    known = await store.save_profile(known, sealed={"password": b"sealed"})
    last = a_record(str(known.id), kind=Kind.ACCOUNT, type=Type.DELETE)
    await store.save_profile(changed(known, NOON, removed=True), records=[last])
    with pytest.raises(NotFoundError):
        await store.profile(known.id)
    assert await store.profiles() == []
    assert await store.due(NOON, limit=10) == []
    assert await store.profile_by_identity(USER, "caldav", known.identity) is None
    assert await store.sealed(known.id, "password") is None
    assert await store.calendars(known.id, removed=True) == []
    assert await store.etags(calendar.id) == {}
    _, told, _ = await store.read(known.id, after=Position(0), limit=9, wanted=Filter())
    assert [one.type for one in told] == [Type.ADD, Type.DELETE]
    assert await store.check() == []


async def test_a_person_may_come_back_after_the_profile_was_removed(store: Store) -> None:
    known = await with_profile(store)
    await store.save_profile(replace(known, removed=True))
    again = a_profile(2, identity=known.identity)
    await store.add_profile(again, sealed={}, records=())
    assert await store.profile_by_identity(USER, "caldav", known.identity) == again


async def test_a_profile_that_moved_meanwhile_is_not_overwritten(store: Store) -> None:
    read = await with_profile(store)
    saved = await store.save_profile(replace(read, paused=True))
    assert saved.revision == read.revision + 1
    with pytest.raises(StaleStateError):
        await store.save_profile(replace(read, suspect=True), records=[a_record()])
    assert await store.profile(read.id) == saved
    assert (await store.stream(read.id)).head == 0


async def test_a_removed_profile_cannot_be_brought_back(store: Store) -> None:
    known = await with_profile(store)
    gone = await store.save_profile(replace(known, removed=True))
    with pytest.raises(StaleStateError):
        await store.save_profile(replace(gone, removed=False))


async def test_profiles_are_listed_by_id_in_pages(store: Store) -> None:
    for number in (3, 1, 2):
        await with_profile(store, number)
    await store.add_application(an_application())
    mine = a_profile(4, application_id=ApplicationId("app_one"))
    await store.add_profile(mine, sealed={}, records=())
    assert [one.id for one in await store.profiles(limit=2)] == [1, 2]
    assert [one.id for one in await store.profiles(after=ProfileId(2))] == [3, 4]
    assert [one.id for one in await store.profiles(application=ApplicationId("app_one"))] == [4]
    assert await store.profiles(user=UserId("acc_two")) == []


async def test_a_relink_secret_finds_its_profile(store: Store) -> None:
    known = await with_profile(store)
    linked = await store.save_profile(replace(known, relink_digest=b"digest"))
    assert await store.profile_by_relink(b"digest") == linked
    await store.save_profile(replace(linked, relink_digest=None))
    assert await store.profile_by_relink(b"digest") is None


async def test_due_profiles_come_most_overdue_first(store: Store) -> None:
    times = {1: 0, 2: -60, 3: 1, 4: -30, 5: -90}
    notes = list[PollNote]()
    for number, seconds in times.items():
        profile = await with_profile(store, number)
        later = NOON + timedelta(seconds=seconds)
        notes.append(PollNote(profile_id=profile.id, generation=1, next_poll_at=later))
    await store.note_polls(notes)
    paused = await store.profile(ProfileId(5))
    await store.save_profile(replace(paused, paused=True))
    assert [one.id for one in await store.due(NOON, limit=10)] == [2, 4, 1]
    assert [one.id for one in await store.due(NOON, limit=1)] == [2]
    shard = shard_of(ProfileId(4))
    due = await store.due(NOON, limit=10, shard=shard)
    assert {one.id for one in due} == {
        one for one in (1, 2, 4) if shard_of(ProfileId(one)) == shard
    }


async def test_a_shard_is_fixed_for_ever() -> None:
    """Design decision 2: crc32 of the decimal id, modulo 256."""
    assert [shard_of(ProfileId(one)) for one in (1, 2, 1000)] == [183, 13, 23]


async def test_a_poll_leaves_its_note_and_nothing_else(store: Store) -> None:
    known = await with_profile(store)
    note = PollNote(
        profile_id=known.id,
        generation=1,
        next_poll_at=NOON + timedelta(minutes=1),
        polled_at=NOON,
        failures=2,
        last_error=LastError(at=NOON, code="unreachable", message="no \ud800 answer"),
        proof=Proof(reason=Reason.INVALID_GRANT, count=1, first_at=NOON, last_at=NOON),
    )
    await store.note_polls([note])
    noted = await store.profile(known.id)
    assert noted == replace(
        known,
        next_poll_at=note.next_poll_at,
        polled_at=NOON,
        failures=2,
        last_error=LastError(at=NOON, code="unreachable", message="no ? answer"),
        proof=note.proof,
    )
    await store.note_polls([PollNote(profile_id=known.id, generation=1, next_poll_at=NOON)])
    again = await store.profile(known.id)
    assert again == replace(known, next_poll_at=NOON, polled_at=NOON)  # the last good time stays
    stale = known.generation - 1
    late = PollNote(profile_id=known.id, generation=stale, next_poll_at=NOON + timedelta(days=1))
    other = await with_profile(store, 2)
    await store.note_polls([replace(late, profile_id=other.id, generation=1), late])
    assert await store.profile(known.id) == again  # a relink came first (F14)
    assert (await store.profile(other.id)).next_poll_at == late.next_poll_at


async def test_credentials_are_set_and_erased_by_field(store: Store) -> None:
    known = await with_profile(store)
    saved = await store.save_profile(known, sealed={"password": b"\0one", "relink": b"two"})
    assert await store.sealed(known.id, "password") == b"\0one"
    await store.save_profile(saved, sealed={"password": b"new", "relink": None})
    assert await store.sealed(known.id, "password") == b"new"
    assert await store.sealed(known.id, "relink") is None


async def test_the_end_of_the_first_read_is_marked_once_and_behind_its_records(
    store: Store,
) -> None:
    """K36."""
    known = await with_profile(store)
    assert (await store.stream(known.id)).after_auth is None
    known = await store.save_profile(known, records=[a_record()] * 2, first_read_done=True)
    known = await store.save_profile(known, records=[a_record()], first_read_done=True)
    stream = await store.stream(known.id)
    assert (stream.head, stream.after_auth) == (3, 2)


async def test_the_keys_that_credentials_are_sealed_with_are_known(store: Store) -> None:
    """A ring that lacks one of them stops the start (reliability.md, section 5)."""
    assert await store.sealing_keys() == frozenset()
    known = await with_profile(store)
    sealed = {"password": b"v1:old:bm9uY2U=:dGV4dA==", "relink": b"v1:k0123abcd:bm9uY2U=:dGV4dA=="}
    known = await store.save_profile(known, sealed=sealed)
    assert await store.sealing_keys() == {"old", "k0123abcd"}
    await store.save_profile(known, sealed={"password": None})
    assert await store.sealing_keys() == {"k0123abcd"}


async def test_a_rotated_token_is_kept_for_the_credentials_that_it_came_from(store: Store) -> None:
    """I13: nothing else of the profile moves; a relink in between wins (F14)."""
    known = await with_profile(store)
    known = await store.save_profile(known, sealed={"refresh_token": b"old", "other": b"stays"})
    await store.reseal(known.id, {"refresh_token": b"new"}, generation=known.generation)
    assert await store.sealed(known.id, "refresh_token") == b"new"
    assert await store.sealed(known.id, "other") == b"stays"
    assert await store.profile(known.id) == known
    after = await store.save_profile(replace(known, generation=known.generation + 1))
    with pytest.raises(StaleStateError):
        await store.reseal(known.id, {"refresh_token": b"late"}, generation=known.generation)
    assert await store.sealed(known.id, "refresh_token") == b"new"
    await store.save_profile(replace(after, removed=True))
    with pytest.raises(StaleStateError):
        await store.reseal(known.id, {"refresh_token": b"late"}, generation=after.generation)
