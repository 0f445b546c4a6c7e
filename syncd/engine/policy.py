"""Errors and history to what happens next: the next poll, or a disconnection (I11): pure.

Every ``draw`` is a number in [0, 1) that the caller took at random.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncd.engine.plan import Plan
from syncd.model.calendar import Holds, KnownCalendar
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
from syncd.model.profile import LastError, Profile, Proof, Reason
from syncd.ports.store.profiles import PollNote

LONGEST_BACKOFF = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=1)  # whatever Retry-After says
UNNAMED_WAIT = timedelta(seconds=10)  # after the first 429 that names none (providers.md §3)
REFUSALS = 3  # of a password, over ``disconnect_proof``
FULL_READS = 3  # in a day, then tokens are no longer trusted (I8)
CORRECTIONS = 2  # reconciles in a row that found something (I9, F9)
UNREADABLE = 3  # failures, after which a profile's first read goes on without a calendar
DAY = timedelta(days=1)

_CODES: tuple[tuple[type[SyncdError], str, str], ...] = (
    (TransientError, "upstream_error", "syncd tries again by itself"),
    (RelinkRequiredError, "account_disconnected", "sign in again if this does not pass"),
    (ForbiddenError, "upstream_forbidden", "give this login the permission, or ask who can"),
    (MalformedReplyError, "upstream_error", "check that the address is that of a calendar server"),
    (NotFoundError, "upstream_error", "check that the calendars still exist there"),
    (MisconfiguredError, "unavailable", "the operator of syncd must act"),
    (UnsupportedError, "not_supported", "the operator of syncd must act"),
    (SyncdError, "internal_error", "syncd tries again by itself"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a poll leaves; ``refused`` is the reason for a disconnection that is now proven."""

    note: PollNote
    refused: Reason | None = None


def succeeded(  # noqa: PLR0913 - the case
    profile: Profile,
    now: datetime,
    plan: Plan,
    draw: float,
    *,
    began_at: datetime | None = None,
    rest_until: datetime | None = None,
) -> Outcome:
    """Return the next poll after a good one: an interval later, give or take a tenth.

    Nothing is to be looked at before ``rest_until``, or a tenth later (P16).
    """
    interval = plan.interval(profile.provider)
    due = now + interval * (0.95 + 0.1 * draw)
    if rest_until is not None:
        due = max(due, now + (rest_until - now) * (1 + 0.1 * draw))
    note = PollNote(
        profile_id=profile.id,
        generation=profile.generation,
        next_poll_at=due,
        polled_at=now,
        began_at=began_at,
    )
    return Outcome(note=note)


def failed(profile: Profile, error: SyncdError, now: datetime, plan: Plan, draw: float) -> Outcome:
    """Return when to try again, or that the credentials are proven dead."""
    failures = profile.failures + 1
    note = PollNote(
        profile_id=profile.id,
        generation=profile.generation,
        next_poll_at=now + _delay(error, failures, plan.interval(profile.provider), draw),
        failures=failures,
        last_error=last_error(error, now),
        proof=profile.proof,
    )
    if not isinstance(error, RelinkRequiredError):
        return Outcome(note=note)
    proof = _counted(profile.proof, _reason(error), now)
    if _proven(proof, plan):
        return Outcome(note=replace(note, proof=proof), refused=proof.reason)
    return Outcome(note=replace(note, proof=proof, next_poll_at=_retry_at(proof, plan)))


def overtaken(profile: Profile, now: datetime, plan: Plan, draw: float) -> Outcome:
    """Return the next poll after one that was dropped (I5): all else stays as it is."""
    due = now + plan.interval(profile.provider) * (0.95 + 0.1 * draw)
    note = PollNote(
        profile_id=profile.id,
        generation=profile.generation,
        next_poll_at=due,
        failures=profile.failures,
        last_error=profile.last_error,
        proof=profile.proof,
    )
    return Outcome(note=note)


def last_error(error: SyncdError, now: datetime) -> LastError:
    """Return what the profile shows: what happened and what a person can do about it."""
    code, advice = next((code, advice) for kind, code, advice in _CODES if isinstance(error, kind))
    if _asks_for_patience(error):
        code = "too_many_requests"
    message = str(error).rstrip(".")
    return LastError(at=now, code=code, message=f"{message}: {advice}" if message else advice)


def calendar_failed(  # noqa: PLR0913 - the case
    known: KnownCalendar,
    profile: Profile,
    error: SyncdError,
    now: datetime,
    plan: Plan,
    *,
    draw: float,
) -> KnownCalendar:
    """Return a calendar that failed while others did not: it backs off alone (F43)."""
    failures = known.failures + 1
    delay = _delay(error, failures, plan.interval(profile.provider), draw)
    if isinstance(error, ForbiddenError):
        failures = max(failures, UNREADABLE)
        delay = plan.reconcile(profile.provider)
    return replace(
        known,
        failures=failures,
        retry_at=now + delay,
        last_error=last_error(error, now).message,
        # until now it was as fresh as its profile: a poll writes only what it changes
        polled_at=_fresh_until(known, profile),
    )


def _fresh_until(known: KnownCalendar, profile: Profile) -> datetime | None:
    if known.failures or known.holds is Holds.CONTACTS:  # not every poll looks at address books
        return known.polled_at
    return profile.polled_at or known.polled_at


def given_up(known: KnownCalendar) -> bool:
    """Tell whether a profile's first read goes on without this calendar, or address book."""
    patience = UNREADABLE if known.holds is Holds.EVENTS else 1
    return known.failures >= patience


def reaches_profile(error: SyncdError) -> bool:
    """Tell whether a calendar's error concerns the whole profile: dead sign-in, throttling."""
    return _asks_for_patience(error) or isinstance(error, RelinkRequiredError | MisconfiguredError)


def expired(known: KnownCalendar, now: datetime) -> KnownCalendar:
    """Return the calendar with one more full read that an expired token forced (I8)."""
    since = known.full_reads_at
    if since is None or (now - since >= DAY and not tokens_off(known)):
        return replace(known, full_reads=1, full_reads_at=now)
    return replace(known, full_reads=known.full_reads + 1)


def tokens_off(known: KnownCalendar) -> bool:
    """Tell whether this calendar's tokens have lied or died too often to be used (I8, F9)."""
    return known.full_reads >= FULL_READS or known.corrections >= CORRECTIONS


def by_listing(known: KnownCalendar) -> bool:
    """Tell whether every look at this calendar is a complete listing."""
    return known.token is None or tokens_off(known)


def reconcile_at(provider: str, now: datetime, plan: Plan, draw: float) -> datetime:
    """Return when a calendar is to be listed in full again (I9), jittered by a tenth."""
    return now + plan.reconcile(provider) * (0.9 + 0.2 * draw)


def _delay(error: SyncdError, failures: int, interval: timedelta, draw: float) -> timedelta:
    if isinstance(error, TransientError) and error.retry_after is not None:
        wait = min(max(error.retry_after, timedelta(seconds=1)), LONGEST_WAIT)
        return wait * (1 + 0.1 * draw)
    if isinstance(error, ThrottledError):
        growing = UNNAMED_WAIT * float(2 ** min(failures - 1, 20))
        return min(growing, LONGEST_BACKOFF) * (1 + 0.1 * draw)
    doubled = interval * float(2 ** min(failures, 20))
    ceiling = max(min(doubled, LONGEST_BACKOFF), interval)
    return interval / 2 + ceiling * draw


def _asks_for_patience(error: SyncdError) -> bool:
    named = isinstance(error, TransientError) and error.retry_after is not None
    return named or isinstance(error, ThrottledError)


def _reason(error: RelinkRequiredError) -> Reason:
    return Reason(error.reason) if error.reason in set(Reason) else Reason.CREDENTIALS_REFUSED


def _counted(before: Proof | None, reason: Reason, now: datetime) -> Proof:
    if before is None or before.reason is not reason:
        return Proof(reason=reason, count=1, first_at=now, last_at=now)
    return replace(before, count=before.count + 1, last_at=now)


def _proven(proof: Proof, plan: Plan) -> bool:
    lasted = proof.last_at - proof.first_at
    if proof.reason is Reason.INVALID_GRANT:
        return proof.count > 1 and lasted >= plan.invalid_grant_gap
    return proof.count >= REFUSALS and lasted >= plan.disconnect_proof


def _retry_at(proof: Proof, plan: Plan) -> datetime:
    """Return when to look again, whatever the back-off says: after 60 s, or 7 and 15 min (F24)."""
    if proof.reason is Reason.INVALID_GRANT:
        return proof.first_at + plan.invalid_grant_gap
    early = plan.disconnect_proof * 7 / 15
    for due in (proof.first_at + early, proof.first_at + plan.disconnect_proof):
        if proof.last_at < due:
            return due
    return proof.last_at + early
