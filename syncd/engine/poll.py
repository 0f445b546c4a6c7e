"""One poll of one profile, and what it leaves on it (design §4)."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from syncd.engine import policy
from syncd.engine.hints import Hints
from syncd.engine.hub import Hub
from syncd.engine.look import Look
from syncd.engine.plan import Plan
from syncd.engine.records import account_update
from syncd.engine.written import Written
from syncd.model.errors import StaleStateError, SyncdError
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.profile import LastError, Profile, Reason, changed
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.provider import Providers
from syncd.ports.store import Store
from syncd.ports.store.profiles import PollNote

LISTED_EVERY = timedelta(minutes=5)  # the list of calendars

Keep = Callable[[PollNote], None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a poll came to; ``error`` is what the profile shows, None if all went well."""

    activities: int
    error: LastError | None = None


class Poller:
    """Polls profiles, each at most once at a time; the caller sees to that."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a poll touches
        self,
        store: Store,
        providers: Providers,
        hub: Hub,
        clock: Clock,
        meter: Meter,
        plan: Plan,
        *,
        draw: Callable[[], float] = random.random,
        written: Written | None = None,
        hints: Hints | None = None,
    ) -> None:
        """Poll by ``plan``; ``draw`` gives numbers in [0, 1) for jitter.

        ``written`` is what the Writer beside it writes to (F6); ``hints`` keeps the channels
        through which providers call (P16), None asks for none.
        """
        self._store = store
        self._providers = providers
        self._hub = hub
        self._clock = clock
        self._meter = meter
        self._plan = plan
        self._draw = draw
        self._written = written or Written(clock)
        self._log = log.bind()  # once: it costs more than what most polls have to say
        self._hints = hints
        self._list_at = dict[ProfileId, datetime]()  # when each list of calendars is due again

    async def poll(
        self, profile: Profile, *, listing: bool = False, keep: Keep | None = None
    ) -> Polled:
        """Look once at what changed and write it down; never raises for what a provider does.

        ``listing`` asks for the list of calendars too, whenever it was read last, and for every
        calendar, whether or not its provider would have called. The outcome, and when to look
        again, are left on the profile; that of a poll that went as it should, and found nothing,
        is given to ``keep`` instead, which sees that it is written soon.
        """
        with self._hub.polled(profile.id):
            return await self._poll(profile, listing=listing, keep=keep)

    async def _poll(self, profile: Profile, *, listing: bool, keep: Keep | None) -> Polled:
        parts = (self._store, self._hub, self._clock, self._meter, self._plan, self._draw)
        look = Look(*parts, self._written, profile)
        error: SyncdError | None = None
        begun, began_at = self._clock.monotonic(), self._clock.now()
        rest_until: datetime | None = None
        try:
            async with self._providers.open(profile) as provider:
                spared = frozenset() if listing else await self._spared(profile)
                listing = listing or self._list_due(profile.id)
                await look.run(provider, listing=listing, spared=spared)
                if self._hints is not None:
                    rest_until = await self._hints.settle(profile, provider, look, began_at)
        except SyncdError as caught:
            error = caught
        self._remember_list(profile.id, look, done=error is None)
        shown: LastError | None = None
        if isinstance(error, StaleStateError):
            await self._drop(profile, began_at)
        elif error is not None:
            shown = await self._fail(profile, error)
        else:
            await self._succeed(profile, look, keep, began_at, rest_until)
        word = "ok" if error is None else shown.code if shown else "dropped"
        taken = self._clock.monotonic() - begun
        self._meter.count("polls_total", provider=profile.provider, outcome=word)
        self._meter.observe("poll_seconds", taken, provider=profile.provider, outcome=word)
        self._meter.count("activities_total", look.told, provider=profile.provider)
        self._log.debug("poll.finished", profile_id=profile.id, activities=look.told, outcome=word)
        return Polled(activities=look.told, error=shown)

    async def _spared(self, profile: Profile) -> frozenset[CalendarId]:
        return frozenset() if self._hints is None else await self._hints.spared(profile)

    def _list_due(self, profile: ProfileId) -> bool:
        due = self._list_at.get(profile)
        return due is None or due <= self._clock.now()

    def _remember_list(self, profile: ProfileId, look: Look, *, done: bool) -> None:
        """Keep when the list is due: a poll that broke off has not looked at the address books."""
        if look.relist or (look.listed and not done):
            self._list_at.pop(profile, None)
        elif look.listed:
            self._list_at[profile] = self._clock.now() + LISTED_EVERY

    async def _succeed(
        self,
        profile: Profile,
        look: Look,
        keep: Keep | None,
        began_at: datetime,
        rest_until: datetime | None,
    ) -> None:
        now = self._clock.now()
        with suppress(StaleStateError):  # changed meanwhile: the next poll finds the same
            await self._settle(profile, look, now)
        note = policy.succeeded(
            *(profile, now, self._plan, self._draw()), began_at=began_at, rest_until=rest_until
        ).note
        if keep is not None and not (look.told or profile.failures):
            keep(note)
            return
        await self._note(note)
        if profile.failures:
            log.info("profile.recovered", profile_id=profile.id, provider=profile.provider)

    async def _settle(self, profile: Profile, look: Look, now: datetime) -> None:
        """Tell the stream of an ended first read, and of what came into or out of suspicion."""
        suspect = bool(look.suspect)
        if profile.suspect and not suspect:
            tallies = await self._store.tallies(profile.id)
            suspect = any(tally.suspect_deletes for tally in tallies.values())
        done = profile.first_read and await self._first_read_done(profile)
        if suspect == profile.suspect and not done:
            return
        after = changed(profile, now, suspect=suspect, first_read=profile.first_read and not done)
        told = account_update(profile, after, now, initial=profile.first_read)
        records = [] if told is None else [told]
        await self._store.save_profile(after, records=records, first_read_done=done)
        self._hub.wake(profile.id)
        log.info("profile.changed", profile_id=profile.id, outcome=after.state)

    async def _first_read_done(self, profile: Profile) -> bool:
        known = await self._store.calendars(profile.id, holds=None)
        return not any(one.first_read_at is None and not policy.given_up(one) for one in known)

    async def _fail(self, profile: Profile, error: SyncdError) -> LastError | None:
        now = self._clock.now()
        outcome = policy.failed(profile, error, now, self._plan, self._draw())
        shown = outcome.note.last_error
        if outcome.refused is not None:
            await self._disconnect(profile, outcome.refused, shown, now)
            return shown
        await self._note(outcome.note)
        if not profile.failures and shown is not None:
            log.info(
                "profile.failing",
                profile_id=profile.id,
                provider=profile.provider,
                outcome=shown.code,
            )
        return shown

    async def _disconnect(
        self, profile: Profile, refused: Reason, shown: LastError | None, now: datetime
    ) -> None:
        after = changed(profile, now, refused=refused, refused_at=now, proof=None, last_error=shown)
        told = account_update(profile, after, now)
        try:
            await self._store.save_profile(after, records=[] if told is None else [told])
        except StaleStateError:
            await self._drop(profile)
            return
        self._hub.wake(profile.id)
        log.error("profile.disconnected", profile_id=profile.id, reason=refused)

    async def _drop(self, profile: Profile, began_at: datetime | None = None) -> None:
        """Let a poll that a faster one overtook leave nothing but its next turn (I5)."""
        now = self._clock.now()
        kept = policy.overtaken(profile, now, self._plan, self._draw())
        await self._note(replace(kept.note, began_at=began_at))

    async def _note(self, note: PollNote) -> None:
        """Leave the outcome, unless the profile was relinked meanwhile: that polls at once."""
        await self._store.note_polls([note])
