"""What ``Subscriptions`` promises, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.errors import ConflictError, NotFoundError, StaleStateError
from syncd.model.ids import ApplicationId, Position, ProfileId
from syncd.model.subscription import (
    Delivery,
    Format,
    Outcome,
    Reason,
    SigningSecret,
    Status,
    Subscription,
    delivery_id,
)
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Advance, Backlog, Note
from tests.store.opening import NOON
from tests.store.samples import USER, a_record, with_profile

ONE = ProfileId(1)


def a_subscription(identity: str = "whk_a", **fields: object) -> Subscription:
    secret = SigningSecret(id=f"s of {identity}", sealed=b"v1:k1:x:y")
    plain = {
        "id": identity,
        "url": "https://app.example/",
        "created": NOON,
        "secrets": (secret,),
        "user_id": USER,
    }
    return Subscription(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time


def an_attempt(number: int, **fields: object) -> Delivery:
    plain = {
        "id": delivery_id(NOON + timedelta(seconds=number), b"x"),
        "subscription_id": "whk_a",
        "profile_id": ONE,
        "position": Position(number),
        "record_id": f"e-{number}",
        "attempt": 1,
        "at": NOON + timedelta(seconds=number),
        "outcome": Outcome.DELIVERED,
    }
    return Delivery(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time


def a_step(before: int, after: int, profile: ProfileId = ONE) -> Advance:
    return Advance(profile_id=profile, before=Position(before), after=Position(after))


def a_note(delivery: Delivery, *, attempts: int | None = 0, **fields: object) -> Note:
    plain = {"subscription_id": delivery.subscription_id, "deliveries": (delivery,)}
    return Note(**{**plain, "attempts": attempts, **fields})  # type: ignore[arg-type]  # checked at run time


async def filled(store: Store) -> Subscription:
    """Keep a subscription that has three records before it."""
    profile = await with_profile(store)
    await store.add_subscription(a_subscription(), at=None, beginning=False)
    await store.save_profile(profile, records=[a_record()] * 3)
    return await store.subscription("whk_a")


async def test_what_is_kept_is_what_was_given(store: Store) -> None:
    await with_profile(store)
    asked = a_subscription(calendars=frozenset({"cal_a"}), profiles=frozenset({ONE}))
    await store.add_subscription(asked, at=None, beginning=False)
    assert await store.subscription("whk_a") == asked
    assert await store.subscriptions(user=USER) == [asked]
    assert await store.subscriptions(profile=ONE) == []
    assert await store.sealing_keys() == {"k1"}
    changed = await store.save_subscription(replace(asked, reason=Reason.OPERATOR))
    assert await store.subscription("whk_a") == changed
    with pytest.raises(StaleStateError):
        await store.save_subscription(asked)
    await store.remove_subscription("whk_a")
    with pytest.raises(NotFoundError):
        await store.subscription("whk_a")


async def test_what_lies_ahead_is_found_by_who_covers_it(store: Store) -> None:
    await filled(store)
    (standing,) = await store.subscribers(ONE)
    assert standing.subscription == await store.subscription("whk_a")
    assert (standing.profile_id, standing.at) == (ONE, 0)
    assert await store.undelivered() == [("whk_a", ONE)]
    assert await store.behind_of("whk_a") == 3
    step = a_step(0, 2)
    await store.note_deliveries([a_note(an_attempt(2), step=step)])
    assert await store.place("whk_a", ONE) == 2
    assert await store.behind_of("whk_a") == 1
    with pytest.raises(StaleStateError):
        await store.note_deliveries([Note(subscription_id="whk_a", step=step)])
    await store.note_deliveries([Note(subscription_id="whk_a", step=a_step(2, 3))])
    assert await store.undelivered("whk_a") == []


async def test_a_step_that_is_refused_keeps_no_attempt(store: Store) -> None:
    """One transaction: who comes second notes nothing."""
    await filled(store)
    with pytest.raises(StaleStateError):
        await store.note_deliveries([a_note(an_attempt(2), step=a_step(1, 2))])
    assert await store.deliveries("whk_a") == []


async def test_notes_of_many_are_written_together_or_not_at_all(store: Store) -> None:
    """I14: steps of one follow one another; one that is refused undoes all."""
    await filled(store)
    await store.add_subscription(a_subscription("whk_b"), at=None, beginning=True)
    two = await with_profile(store, 2)  # comes later: has no place yet
    await store.save_profile(two, records=[a_record()] * 2)
    other = {"subscription_id": "whk_b"}
    failed = an_attempt(6, outcome=Outcome.FAILED, next_at=NOON, **other)
    notes = [
        a_note(an_attempt(1), step=a_step(0, 1)),
        a_note(an_attempt(4, **other), step=a_step(0, 2, two.id)),
        a_note(an_attempt(2), step=a_step(1, 3)),
        a_note(failed, attempts=3),
    ]
    for wrong, error in (
        (a_note(an_attempt(7), step=a_step(4, 5)), StaleStateError),  # steps with a gap
        (a_note(an_attempt(7, **other), step=a_step(1, 2)), StaleStateError),
        (a_note(an_attempt(7, subscription_id="whk_gone")), NotFoundError),
    ):
        with pytest.raises(error):
            await store.note_deliveries([*notes, wrong])
        assert await store.deliveries("whk_a") == await store.deliveries("whk_b") == []
        assert await store.place("whk_b", two.id) == 0
    await store.note_deliveries(notes)
    assert [one.position for one in await store.deliveries("whk_a")] == [2, 1]
    assert await store.place("whk_a", ONE) == 3
    assert await store.place("whk_b", two.id) == 2
    one, also = await store.subscription("whk_a"), await store.subscription("whk_b")
    assert (one.attempts, one.retry_at) == (0, None)
    assert one.delivered_at == NOON + timedelta(seconds=2)
    assert (also.attempts, also.retry_at) == (3, NOON)
    assert also.delivered_at == NOON + timedelta(seconds=4)
    replayed = an_attempt(8, **other)
    await store.note_deliveries([a_note(replayed, attempts=None)])
    after = await store.subscription("whk_b")
    assert (after.attempts, after.retry_at, after.delivered_at) == (3, NOON, replayed.at)


async def test_attempts_are_listed_and_forgotten(store: Store) -> None:
    await filled(store)
    failed = an_attempt(1, outcome=Outcome.FAILED, code=500, error="no", answer=b"x")
    await store.note_deliveries([a_note(failed, attempts=1)])
    again = an_attempt(2, position=Position(1), record_id="e-1")
    lost = an_attempt(3, outcome=Outcome.FAILED)
    await store.note_deliveries([a_note(lost), a_note(an_attempt(4))])
    assert await store.failed("whk_a") == [failed, lost]
    assert await store.failed("whk_a", limit=1) == [failed]
    assert await store.failed("whk_a", after=failed) == [lost]
    assert await store.failed("whk_a", after=lost) == []
    await store.note_deliveries([a_note(again)])
    assert await store.failed("whk_a") == [lost]
    listed = await store.deliveries("whk_a", limit=2)
    assert [one.position for one in listed] == [4, 3]
    older = await store.deliveries("whk_a", before=listed[-1].id)
    assert older == [again, failed]
    assert await store.delivery("whk_a", failed.id) == failed
    await store.queue_replays([an_attempt(5, outcome=Outcome.PENDING)])
    assert await store.next_replay("whk_a", now=NOON) == an_attempt(5, outcome=Outcome.PENDING)
    assert ("whk_a", None) in await store.undelivered()
    assert await store.forget_deliveries(NOON + timedelta(hours=1)) == 4
    assert [one.outcome for one in await store.deliveries("whk_a")] == [Outcome.PENDING]


async def test_secrets_overlap(store: Store) -> None:
    """N19: the newest first."""
    await filled(store)
    new = SigningSecret(id="new", sealed=b"v1:k2:x:y")
    await store.add_secret("whk_a", new, until=NOON + timedelta(days=1))
    found = await store.subscription("whk_a")
    assert [one.id for one in found.signing(NOON)] == ["new", "s of whk_a"]
    assert [one.id for one in found.signing(NOON + timedelta(days=2))] == ["new"]
    newer = SigningSecret(id="newer", sealed=b"v1:k3:x:y")
    await store.add_secret("whk_a", newer, until=NOON + timedelta(days=3))
    found = await store.subscription("whk_a")
    assert [one.id for one in found.signing(NOON)] == ["newer", "new", "s of whk_a"]
    await store.add_subscription(a_subscription("whk_b", secrets=()), at=None, beginning=False)
    both = {one.subscription.id: one.subscription for one in await store.subscribers(ONE)}
    assert both == {"whk_a": found, "whk_b": await store.subscription("whk_b")}


async def test_what_retention_has_passed_is_expired_and_enabling_goes_on_at_the_floor(
    store: Store,
) -> None:
    """S9."""
    await filled(store)
    assert await store.expire_subscriptions() == []
    await store.prune(ONE, before=NOON + timedelta(days=1), keep=1)
    assert await store.expire_subscriptions() == ["whk_a"]
    found = await store.subscription("whk_a")
    assert found.reason is Reason.EXPIRED
    assert await store.subscribers(ONE) == []
    for reason in (Reason.REVOKED, Reason.OPERATOR, Reason.GONE, Reason.EXHAUSTED):
        found = await store.save_subscription(replace(found, reason=reason))
        for_good = reason is Reason.REVOKED
        assert await store.expire_subscriptions() == ([] if for_good else ["whk_a"])
        found = await store.subscription("whk_a")
        assert found.reason is (reason if for_good else Reason.EXPIRED)
    await store.save_subscription(replace(found, reason=None))
    stream = await store.stream(ONE)
    assert await store.place("whk_a", ONE) == stream.floor


async def test_what_is_found_to_be_lost_of_a_later_profile_expires_too(store: Store) -> None:
    """S9: there is no place in it; enabled again, it goes on at the floor."""
    await filled(store)
    later = await with_profile(store, 2)
    await store.save_profile(later, records=[a_record()] * 3)
    await store.prune(later.id, before=NOON + timedelta(days=1), keep=1)
    assert await store.expire_subscriptions() == []
    assert await store.expire_subscriptions("whk_a") == ["whk_a"]
    assert await store.expire_subscriptions("whk_a") == []
    found = await store.subscription("whk_a")
    await store.save_subscription(replace(found, reason=None))
    floors = [(await store.stream(one)).floor for one in (ONE, later.id)]
    assert [await store.place("whk_a", one) for one in (ONE, later.id)] == floors == [0, 3]


async def test_what_retention_passes_elsewhere_expires_nobody(store: Store) -> None:
    """A paused one that names profiles stands still in the others too."""
    await filled(store)
    found = await store.subscription("whk_a")
    other = replace(found, reason=Reason.OPERATOR, profiles=frozenset({ProfileId(99)}))
    found = await store.save_subscription(other)
    await store.prune(ONE, before=NOON + timedelta(days=1), keep=1)
    assert await store.expire_subscriptions() == []
    await store.save_subscription(replace(found, profiles=frozenset({ONE})))
    assert await store.expire_subscriptions() == ["whk_a"]


async def test_who_has_read_it_before_it_expired_does_not_write_over_it(store: Store) -> None:
    """S9: nor over a grant's end."""
    await filled(store)
    read = await store.subscription("whk_a")
    await store.prune(ONE, before=NOON + timedelta(days=1), keep=1)
    await store.expire_subscriptions()
    with pytest.raises(StaleStateError):
        await store.save_subscription(replace(read, description="later"))
    assert (await store.subscription("whk_a")).reason is Reason.EXPIRED


async def test_attempts_are_noted_together_with_one_step(store: Store) -> None:
    """What a page that was sent at once has come to (ADR 46)."""
    await filled(store)
    step = Advance(profile_id=ONE, before=Position(0), after=Position(2))
    failed = an_attempt(3, outcome=Outcome.FAILED, error="no", next_at=NOON + timedelta(seconds=5))
    tried = (an_attempt(1), an_attempt(2), failed)
    note = Note(subscription_id="whk_a", deliveries=tried, step=step, attempts=1)
    await store.note_deliveries([note])
    seen = await store.subscription("whk_a")
    assert (seen.attempts, seen.retry_at) == (1, failed.next_at)
    assert seen.delivered_at == tried[1].at
    assert [one.position for one in await store.deliveries("whk_a")] == [3, 2, 1]
    assert await store.place("whk_a", ONE) == 2


async def test_one_without_a_secret_is_kept(store: Store) -> None:
    await with_profile(store)
    asked = a_subscription(secrets=(), format=Format.NATS, user_id=None, admin=True)
    await store.add_subscription(asked, at=None, beginning=True)
    assert await store.subscription("whk_a") == asked


async def test_the_backlog_is_counted_by_format_and_status(store: Store) -> None:
    """ADR 47: records behind a place, and when the oldest of them was recorded."""
    await filled(store)
    failing = a_subscription("whk_b", attempts=2)
    await store.add_subscription(failing, at=Position(1), beginning=False)
    paused = a_subscription("whk_c", reason=Reason.OPERATOR, format=Format.CLOUDEVENTS)
    await store.add_subscription(paused, at=None, beginning=False)
    found = {(one.format, one.status): one for one in await store.backlog()}
    assert found == {
        (Format.STANDARD, Status.ACTIVE): Backlog(
            format=Format.STANDARD, status=Status.ACTIVE, subscriptions=1, behind=3, oldest=NOON
        ),
        (Format.STANDARD, Status.FAILING): Backlog(
            format=Format.STANDARD, status=Status.FAILING, subscriptions=1, behind=2, oldest=NOON
        ),
        (Format.CLOUDEVENTS, Status.DISABLED): Backlog(
            format=Format.CLOUDEVENTS,
            status=Status.DISABLED,
            subscriptions=1,
            behind=0,
            oldest=None,
        ),
    }
    for status, one in zip(Status, ("whk_a", "whk_b", "whk_c"), strict=True):
        assert [each.id for each in await store.subscriptions(status=status)] == [one]


async def test_what_a_message_named_as_its_beginning_is_kept(store: Store) -> None:
    """C15: a replay says the same."""
    await filled(store)
    replay = an_attempt(1, outcome=Outcome.PENDING, since=NOON - timedelta(hours=1))
    await store.queue_replays([replay])
    assert await store.next_replay("whk_a", now=NOON) == replay


async def test_a_clients_subscriptions_are_listed(store: Store) -> None:
    """C14: whose they are, and who signs."""
    await with_profile(store)
    for identity, client in (("chn_a", "app_one"), ("chn_b", "app_two"), ("whk_a", None)):
        made = a_subscription(identity, client=client)
        await store.add_subscription(made, at=None, beginning=False)
    found = await store.subscriptions(user=USER, client=ApplicationId("app_one"))
    assert [one.id for one in found] == ["chn_a"]
    assert await store.subscriptions(profile=ONE, client=ApplicationId("app_one")) == []
    with pytest.raises(ConflictError):
        await store.add_subscription(a_subscription("chn_a"), at=None, beginning=False)


async def test_replays_wait_until_they_are_due(store: Store) -> None:
    """The oldest that is due comes first; the others say when to look again."""
    await filled(store)
    minute = timedelta(minutes=1)
    assert await store.replay_due("whk_a") is None
    tried = an_attempt(1, outcome=Outcome.PENDING, attempt=2, next_at=NOON + 2 * minute)
    new = an_attempt(2, outcome=Outcome.PENDING)
    await store.queue_replays([tried, new])
    assert await store.next_replay("whk_a", now=NOON) == new
    assert await store.next_replay("whk_a", now=NOON + 2 * minute) == tried
    later = replace(new, attempt=2, next_at=NOON + minute)
    failed = an_attempt(3, outcome=Outcome.FAILED, record_id="e-2", next_at=NOON + minute)
    note = Note(subscription_id="whk_a", deliveries=(failed, later))
    await store.note_deliveries([note])
    assert await store.next_replay("whk_a", now=NOON) is None
    assert await store.replay_due("whk_a") == NOON + minute
    assert await store.failed("whk_a") == []  # it waits, so nobody need ask for it
    assert await store.next_replay("whk_b", now=NOON + minute) is None
    await store.hurry_replays("whk_b")
    assert await store.next_replay("whk_a", now=NOON) is None
    await store.hurry_replays("whk_a")
    assert await store.next_replay("whk_a", now=NOON) == replace(tried, next_at=None)
    assert await store.delivery("whk_a", failed.id) == failed
