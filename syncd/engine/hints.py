"""Channels through which providers call, and what a call means: poll now (design decision 10).

A poll keeps the channels of its profile, while it is signed in: the schedule is data, and a channel
has no timer of its own. Calendars that their provider would call for are looked at less often.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import islice

import structlog

from syncd.engine.channels import Terms, last_hint, poll_due, relieved, steps
from syncd.engine.keeping import Keeping
from syncd.engine.look import Look
from syncd.model.channel import Channel, is_id
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.provider import Provider, Providers
from syncd.ports.store import Store

MOST = 10  # requests about channels in one poll
RECENT = 0.9  # of the interval: a look that is older counts as due, as polls are jittered
FAREWELL_SECONDS = 10

log = structlog.get_logger()


class News(Enum):
    """What a provider calls about."""

    CHANGE = auto()  # also: calls were lost
    RENEW = auto()  # the channel ends unless it is asked for again
    END = auto()  # the channel has ended


class Hints:
    """Keeps channels and hears calls; without ``base`` it asks for none.

    ``base`` is the https address below which a provider finds the path of its name.
    """

    def __init__(  # noqa: PLR0913 - what a channel touches
        self,
        store: Store,
        providers: Providers,
        clock: Clock,
        meter: Meter,
        *,
        base: str | None,
        interval: timedelta,
    ) -> None:
        """Have calendars looked at every ``interval`` although their provider would call."""
        self._store = store
        self._providers = providers
        self._clock = clock
        self._meter = meter
        self._base = base
        self._interval = interval
        self._looks = dict[ProfileId, Mapping[CalendarId, datetime]]()

    async def spared(self, profile: Profile) -> frozenset[CalendarId]:
        """Return the calendars that a poll now need not look at; none of a profile that fails.

        Only what was asked can show that a login or a server works again.
        """
        if profile.failures or not self._serves(profile):
            return frozenset()
        terms = self._terms(profile)
        since = terms.now - self._interval * RECENT
        looks = self._looks.get(profile.id, {})
        recent = {name: at for name, at in looks.items() if at > since}
        return relieved(await self._store.channels(profile.id), recent, terms)

    async def settle(
        self, profile: Profile, provider: Provider, look: Look, began_at: datetime
    ) -> datetime | None:
        """Keep the profile's channels after a look; return until when no look is needed.

        None where that is a matter of the ordinary interval. What a provider refuses is kept with
        the channel and raises nothing; StaleStateError if the profile has changed.
        """
        if not self._serves(profile):
            return None
        channels = await self._store.channels(profile.id)
        before = self._looks.get(profile.id, {})
        quiet = relieved(channels, before, self._terms(profile))
        silent = [one for one in channels if one.calendar_id in look.found & quiet]
        for one in silent:
            await self._store.doubt_channel(one)
            log.info("channel.silent", profile_id=profile.id, calendar_id=one.calendar_id)
        here = {one.id for one in look.living}
        looks = {**before, **dict.fromkeys(look.read, began_at)}
        self._looks[profile.id] = {name: at for name, at in looks.items() if name in here}
        ready = [one for one in look.living if one.first_read_at or one.id in look.read]
        todo = list(islice(steps(ready, channels, self._terms(profile)), MOST))
        keeping = self._keeping(profile, provider)
        for step in todo:
            if not await keeping.take(step):
                break
        if silent or todo:
            channels = await self._store.channels(profile.id)
        return self._look_again_at(profile, channels, look)

    async def hear(self, provider: str, channel: str, secret: str, news: News) -> None:
        """Have the calendar of a channel polled, at most once in five seconds (P16).

        Raises NotFoundError for a channel that is not there, or has another secret.
        """
        known = await self._store.channel(channel) if is_id(channel) else None
        refused = known or _NOBODYS
        if not refused.opens_to(secret) or known is None:
            self._meter.count("pushes_total", provider=provider, outcome="refused")
            raise NotFoundError("there is no such channel")
        now = self._clock.now()
        if news is News.RENEW:
            await self._store.save_channel(replace(known, renew_at=now))
        elif news is News.END:
            await self._store.save_channel(replace(known, expires_at=now))
        beside = await self._store.channels(known.profile_id)
        due = poll_due(now, last_hint(beside, known.calendar_id))
        if due is not None or known.heard_at is None:
            await self._store.hear_channel(known, now, due=due)
        outcome = "covered" if due is None else "heard"
        self._meter.count("pushes_total", provider=provider, outcome=outcome)

    async def leave(self, profile: Profile) -> None:
        """Tell the provider to call no more for any calendar of a profile, if it listens.

        Where it does not, or the login is lost, channels run out by themselves.
        """
        self._looks.pop(profile.id, None)
        channels = await self._store.channels(profile.id)
        if profile.refused is not None or not any(one.remote for one in channels):
            return
        with suppress(SyncdError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS), self._providers.open(profile) as provider:
                keeping = self._keeping(profile, provider)
                for one in channels:
                    await keeping.close(one)

    def _serves(self, profile: Profile) -> bool:
        return self._base is not None and self._providers.abilities(profile.provider).push

    def _address(self, profile: Profile) -> str:
        return f"{self._base}/{profile.provider}"

    def _terms(self, profile: Profile) -> Terms:
        address = self._address(profile)
        return Terms(now=self._clock.now(), generation=profile.generation, address=address)

    def _keeping(self, profile: Profile, provider: Provider) -> Keeping:
        address = self._address(profile)
        return Keeping(self._store, self._clock, self._meter, profile, provider, address)

    def _look_again_at(
        self, profile: Profile, channels: Sequence[Channel], look: Look
    ) -> datetime | None:
        """Return when the first look grows old; None if any calendar is to be looked at sooner."""
        looks = self._looks[profile.id]
        here = {one.id for one in look.living}
        restless = look.failing or look.suspect or not here
        if restless or here - relieved(channels, looks, self._terms(profile)):
            return None
        return min(looks.values()) + self._interval


_NOBODYS = Channel(  # an unknown channel takes as long to refuse as a wrong secret
    id="",
    profile_id=ProfileId(0),
    calendar_id=CalendarId(""),
    generation=0,
    address="",
    digest=bytes(32),
    asked_at=datetime.min,  # noqa: DTZ901 - never compared
)
