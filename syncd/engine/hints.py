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

from syncd.engine.channels import (
    LATER,
    MUCH_LATER,
    Close,
    Extend,
    Open,
    Step,
    Terms,
    ask_again,
    last_hint,
    poll_due,
    relieved,
    steps,
)
from syncd.engine.look import Look
from syncd.engine.policy import reaches_profile
from syncd.model.access import digest
from syncd.model.calendar import KnownCalendar
from syncd.model.channel import Channel, is_id, new_secret
from syncd.model.errors import (
    MisconfiguredError,
    NotFoundError,
    StaleStateError,
    SyncdError,
    TransientError,
)
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.provider import Provider, Providers
from syncd.ports.pushing import Wish
from syncd.ports.store import Store
from syncd.ports.vault import Secret

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
        for step in todo:
            if not await self._take(profile, provider, step):
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
                for one in channels:
                    await self._close(profile, provider, one)

    def _serves(self, profile: Profile) -> bool:
        return self._base is not None and self._providers.abilities(profile.provider).push

    def _terms(self, profile: Profile) -> Terms:
        address = f"{self._base}/{profile.provider}"
        return Terms(now=self._clock.now(), generation=profile.generation, address=address)

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

    async def _take(self, profile: Profile, provider: Provider, step: Step) -> bool:
        """Do one step; return whether the provider may be asked for more."""
        match step:
            case Open(calendar):
                return await self._open(profile, provider, calendar)
            case Extend(calendar, channel):
                return await self._extend(profile, provider, calendar, channel)
            case Close(channel):
                return await self._close(profile, provider, channel)

    async def _open(self, profile: Profile, provider: Provider, calendar: KnownCalendar) -> bool:
        """Write down whom to expect, then ask: the first call may come before the answer."""
        name, secret = new_secret()
        terms = self._terms(profile)
        asked = Channel(
            id=name,
            profile_id=profile.id,
            calendar_id=calendar.id,
            generation=terms.generation,
            address=terms.address,
            digest=digest(secret),
            asked_at=terms.now,
            retry_at=terms.now + LATER,  # in case that we die meanwhile
        )
        await self._store.add_channel(asked)
        wish = Wish(id=name, address=terms.address, secret=Secret(secret))
        try:
            granted = await provider.open_channel(calendar.key, wish)
        except SyncdError as error:
            failed = replace(asked, retry_at=terms.now + ask_again(error))
            await self._store.save_channel(failed)
            return self._told(profile, calendar, error)
        opened = replace(
            asked,
            remote=granted.remote,
            opened_at=self._clock.now(),
            renew_at=granted.renew_at,
            expires_at=granted.expires_at,
            retry_at=None,
        )
        await self._store.save_channel(opened)
        if granted.reached:  # the look that its first call would ask for
            now = self._clock.now()
            await self._store.hear_channel(opened, now, due=now)
        self._count(profile, "opened")
        return True

    async def _extend(
        self, profile: Profile, provider: Provider, calendar: KnownCalendar, channel: Channel
    ) -> bool:
        try:
            granted = await provider.extend_channel(channel.id, channel.remote or "")
        except NotFoundError:
            await self._store.save_channel(replace(channel, expires_at=self._clock.now()))
            granted = None
        except SyncdError as error:
            later = self._clock.now() + ask_again(error)
            await self._store.save_channel(replace(channel, renew_at=later))
            return self._told(profile, calendar, error)
        if granted is None:
            return await self._open(profile, provider, calendar)
        await self._store.save_channel(
            replace(channel, renew_at=granted.renew_at, expires_at=granted.expires_at)
        )
        self._count(profile, "extended")
        return True

    async def _close(self, profile: Profile, provider: Provider, channel: Channel) -> bool:
        """End a channel at the provider, where it may still be alive; then forget it."""
        lives = channel.expires_at is not None and channel.expires_at > self._clock.now()
        if channel.remote is not None and lives:
            try:
                await provider.close_channel(channel.id, channel.remote)
            except TransientError as error:  # it is tried again until the channel's own end
                return not reaches_profile(error)
            except SyncdError as error:
                log.debug("channel.left", profile_id=profile.id, reason=str(error))
            self._count(profile, "closed")
        await self._store.remove_channel(channel)
        return True

    def _told(self, profile: Profile, calendar: KnownCalendar, error: SyncdError) -> bool:
        """Count and log what was refused; return whether other calendars may be asked for."""
        if isinstance(error, StaleStateError):
            raise error
        refused = ask_again(error) == MUCH_LATER
        self._count(profile, "refused" if refused else "failed")
        tell = log.error if isinstance(error, MisconfiguredError) else log.info
        tell(
            "channel.refused" if refused else "channel.failed",
            profile_id=profile.id,
            calendar_id=calendar.id,
            reason=str(error),
        )
        return not reaches_profile(error)

    def _count(self, profile: Profile, outcome: str) -> None:
        self._meter.count("channels_total", provider=profile.provider, outcome=outcome)


_NOBODYS = Channel(  # an unknown channel takes as long to refuse as a wrong secret
    id="",
    profile_id=ProfileId(0),
    calendar_id=CalendarId(""),
    generation=0,
    address="",
    digest=bytes(32),
    asked_at=datetime.min,  # noqa: DTZ901 - never compared
)
