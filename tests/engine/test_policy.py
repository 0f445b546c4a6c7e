"""Errors and history to what happens next (I8, I11, F7, F23, F24, F39)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.engine import policy
from syncd.engine.plan import Plan
from syncd.model.calendar import Mode
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    ThrottledError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import SyncToken
from syncd.model.profile import Profile, Reason
from tests.store.opening import NOON
from tests.store.samples import a_calendar, a_profile

PLAN = Plan()
MINUTE = timedelta(minutes=1)
REFUSED = RelinkRequiredError("the password was refused")
DEAD_GRANT = RelinkRequiredError("invalid_grant", reason="invalid_grant")
HARMLESS = [
    TransientError("503"),
    TransientError("429", retry_after=MINUTE),
    ForbiddenError("403"),
    MalformedReplyError("HTML"),
    MisconfiguredError("invalid_client"),
    NotFoundError("404"),
    UnsupportedError("no adapter"),
]


def refuse(profile: Profile, error: SyncdError, minutes: float) -> tuple[Profile, Reason | None]:
    """Return the profile after a poll that failed so many minutes after noon."""
    outcome = policy.failed(profile, error, NOON + minutes * MINUTE, PLAN, 0.5)
    note = outcome.note
    after = replace(
        profile, proof=note.proof, failures=note.failures, next_poll_at=note.next_poll_at
    )
    return after, outcome.refused


def waits(profile: Profile) -> float:
    """Return the next poll in minutes after noon."""
    assert profile.next_poll_at
    return (profile.next_poll_at - NOON) / MINUTE


def test_a_refused_password_is_proven_by_three_refusals_over_15_minutes() -> None:
    """I11, F24: tried again after 7 and 15 min whatever the back-off says."""
    profile = a_profile(failures=30)
    profile, refused = refuse(profile, REFUSED, 0)
    assert (refused, waits(profile)) == (None, 7)
    profile, refused = refuse(profile, REFUSED, 7)
    assert (refused, waits(profile)) == (None, 15)
    profile, refused = refuse(profile, REFUSED, 15)
    assert refused is Reason.CREDENTIALS_REFUSED


def test_refusals_in_quick_succession_prove_nothing() -> None:
    """I11: polls on demand do not shorten the proof."""
    profile = a_profile()
    for number in range(10):
        profile, refused = refuse(profile, REFUSED, number / 10)
        assert refused is None
    assert refuse(profile, REFUSED, 15)[1] is Reason.CREDENTIALS_REFUSED


def test_two_refusals_prove_nothing_however_far_apart() -> None:
    """I11."""
    profile, _ = refuse(a_profile(), REFUSED, 0)
    profile, refused = refuse(profile, REFUSED, 60)
    assert refused is None
    assert waits(profile) == 67
    assert refuse(profile, REFUSED, 67)[1] is Reason.CREDENTIALS_REFUSED


def test_a_dead_grant_is_proven_by_two_refusals_60_seconds_apart() -> None:
    """I11."""
    profile, refused = refuse(a_profile(), DEAD_GRANT, 0)
    assert (refused, waits(profile)) == (None, 1)
    profile, refused = refuse(profile, DEAD_GRANT, 0.5)
    assert (refused, waits(profile)) == (None, 1)
    assert refuse(profile, DEAD_GRANT, 1)[1] is Reason.INVALID_GRANT


def test_another_kind_of_refusal_begins_anew() -> None:
    profile, _ = refuse(a_profile(), REFUSED, 0)
    profile, refused = refuse(profile, DEAD_GRANT, 30)
    assert refused is None
    assert profile.proof
    assert profile.proof.count == 1


def test_a_network_failure_between_refusals_is_no_proof_and_no_pardon() -> None:
    profile, _ = refuse(a_profile(), REFUSED, 0)
    profile, refused = refuse(profile, TransientError("DNS"), 7)
    assert refused is None
    profile, refused = refuse(profile, REFUSED, 15)
    assert refused is None
    assert refuse(profile, REFUSED, 23)[1] is Reason.CREDENTIALS_REFUSED


@pytest.mark.parametrize("error", HARMLESS, ids=repr)
def test_a_day_of_anything_else_never_disconnects(error: SyncdError) -> None:
    """I11, F23."""
    profile, minutes = a_profile(), 0.0
    while minutes < 24 * 60:
        profile, refused = refuse(profile, error, minutes)
        assert refused is None
        assert waits(profile) > minutes
        minutes = waits(profile)


def test_an_hour_of_outage_costs_at_most_12_attempts() -> None:
    """F39, on the average of the jitter."""
    profile, minutes, attempts = a_profile(), 0.0, 0
    while minutes < 60:
        profile, _ = refuse(profile, TransientError("503"), minutes)
        minutes, attempts = waits(profile), attempts + 1
    assert attempts <= 12


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
@pytest.mark.parametrize(("asked", "least"), [(30, 30), (3600, 3600), (10**6, 3600), (0, 1)])
def test_retry_after_is_obeyed_up_to_an_hour(draw: float, asked: int, least: int) -> None:
    error = TransientError("429", retry_after=timedelta(seconds=asked))
    due = policy.failed(a_profile(), error, NOON, PLAN, draw).note.next_poll_at
    assert least <= (due - NOON).total_seconds() <= least * 1.1


def test_throttling_that_names_no_time_waits_longer_each_time() -> None:
    """providers.md §3: from 10 s on."""
    profile, waited = a_profile(), list[float]()
    for _ in range(10):
        outcome = policy.failed(profile, ThrottledError("429"), NOON, PLAN, 0.0)
        waited.append((outcome.note.next_poll_at - NOON).total_seconds())
        profile = replace(profile, failures=outcome.note.failures)
    assert waited[:4] == [10, 20, 40, 80]
    assert waited[-1] == policy.LONGEST_BACKOFF.total_seconds()


def test_back_off_is_bounded_and_fully_jittered() -> None:
    """F39."""
    profile = a_profile(failures=100)
    low, high = (
        policy.failed(profile, TransientError("503"), NOON, PLAN, draw).note.next_poll_at - NOON
        for draw in (0.0, 0.999)
    )
    assert low <= MINUTE
    assert 14 * MINUTE < high <= policy.LONGEST_BACKOFF + MINUTE


def test_a_good_poll_forgets_failures_and_proof() -> None:
    profile, _ = refuse(a_profile(), REFUSED, 0)
    note = policy.succeeded(profile, NOON, PLAN, 0.5).note
    assert (note.failures, note.proof, note.last_error) == (0, None, None)
    assert note.next_poll_at == NOON + MINUTE
    assert note.polled_at == NOON


def test_intervals_are_the_providers_with_a_little_jitter() -> None:
    plan = Plan(intervals={"caldav": timedelta(seconds=100)})
    dues = [
        policy.succeeded(a_profile(), NOON, plan, draw).note.next_poll_at - NOON
        for draw in (0.0, 0.999)
    ]
    assert dues[0] == timedelta(seconds=95)
    assert timedelta(seconds=104) < dues[1] < timedelta(seconds=105)


@pytest.mark.parametrize("error", [REFUSED, *HARMLESS], ids=repr)
def test_every_error_is_a_sentence_with_advice(error: SyncdError) -> None:
    shown = policy.last_error(error, NOON)
    assert shown.message.startswith(str(error))
    assert len(shown.message) > len(str(error)) + 10
    assert shown.code


def test_three_full_reads_in_a_day_turn_tokens_off_for_good() -> None:
    """I8, F7."""
    known = a_calendar(a_profile().id)
    for hour in (0, 5, 30, 31):
        known = policy.expired(known, NOON + timedelta(hours=hour))
        assert not policy.tokens_off(known)
    known = policy.expired(known, NOON + timedelta(hours=40))
    assert policy.tokens_off(known)
    assert policy.tokens_off(policy.expired(known, NOON + timedelta(days=9)))


def test_a_forbidden_calendar_waits_for_the_reconcile() -> None:
    known = a_calendar(a_profile().id)
    failed = policy.calendar_failed(known, a_profile(), ForbiddenError("403"), NOON, PLAN, draw=0.5)
    assert failed.retry_at == NOON + PLAN.reconcile("caldav")
    assert failed.last_error


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
def test_a_poll_that_was_overtaken_leaves_everything_but_its_turn(draw: float) -> None:
    """I5."""
    profile, _ = refuse(a_profile(), REFUSED, 0)
    note = policy.overtaken(profile, NOON, PLAN, draw).note
    assert note.proof == profile.proof
    assert note.failures == profile.failures
    assert timedelta(seconds=57) <= note.next_poll_at - NOON <= timedelta(seconds=63)


@pytest.mark.parametrize("draw", [0.0, 0.5, 0.999])
def test_reconciles_are_spread_by_a_tenth(draw: float) -> None:
    """I9."""
    wait = policy.reconcile_at("caldav", NOON, PLAN, draw) - NOON
    day = timedelta(days=1)
    assert abs(wait - day) <= day / 10
    assert (wait < day) == (draw < 0.5)


@pytest.mark.parametrize(
    ("error", "reaches"),
    [
        (TransientError("503"), False),
        (TransientError("503", retry_after=MINUTE), True),
        (ThrottledError("429"), True),
        (REFUSED, True),
        (MisconfiguredError("invalid_client"), True),
        (ForbiddenError("403"), False),
        (MalformedReplyError("HTML"), False),
    ],
    ids=repr,
)
def test_dead_sign_ins_and_throttling_reach_the_profile(error: SyncdError, reaches: bool) -> None:  # noqa: FBT001 - a table
    """F43."""
    assert policy.reaches_profile(error) is reaches


def test_a_calendar_backs_off_alone_and_keeps_the_time_it_was_last_true() -> None:
    """F43, R21."""
    hour = timedelta(hours=1)
    profile = a_profile(polled_at=NOON - MINUTE)
    known = a_calendar(profile.id, polled_at=NOON - hour)
    waits_of = list[timedelta]()
    for number in range(1, 4):
        known = policy.calendar_failed(known, profile, TransientError("503"), NOON, PLAN, draw=0.5)
        profile = a_profile(polled_at=NOON)
        assert known.failures == number
        assert known.polled_at == NOON - MINUTE
        assert known.retry_at
        waits_of.append(known.retry_at - NOON)
    assert waits_of == [1.5 * MINUTE, 2.5 * MINUTE, 4.5 * MINUTE]
    never = a_calendar(a_profile().id, polled_at=NOON - hour)
    failed = policy.calendar_failed(never, a_profile(), TransientError("503"), NOON, PLAN, draw=0.5)
    assert failed.polled_at == NOON - hour


def test_tokens_are_used_unless_there_is_none_or_they_lied() -> None:
    """I8, F9, D14."""
    plain = a_calendar(a_profile().id, token=SyncToken("t"))
    assert not policy.by_listing(plain)
    assert not policy.by_listing(replace(plain, mode=Mode.LISTING))  # this one holds a ctag
    assert not policy.by_listing(replace(plain, corrections=1, full_reads=2))
    for lied in (
        replace(plain, token=None),
        replace(plain, corrections=2),
        replace(plain, full_reads=3),
    ):
        assert policy.by_listing(lied)
    assert policy.tokens_off(replace(plain, corrections=3))


def test_a_calendar_that_nobody_may_read_holds_no_first_read_up() -> None:
    """K36."""
    failed = policy.calendar_failed(
        a_calendar(a_profile().id), a_profile(), ForbiddenError("403"), NOON, PLAN, draw=0.5
    )
    assert failed.failures == policy.UNREADABLE == 3
