"""Channels of one profile, asked for and given up at its provider (providers.md G12, MG16)."""

from dataclasses import replace

import structlog

from syncd.engine.channels import LATER, MUCH_LATER, Close, Extend, Open, Step, ask_again
from syncd.engine.policy import reaches_profile
from syncd.model.access import digest
from syncd.model.calendar import KnownCalendar
from syncd.model.channel import Channel, new_secret
from syncd.model.errors import (
    MisconfiguredError,
    NotFoundError,
    StaleStateError,
    SyncdError,
    TransientError,
)
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.provider import Provider
from syncd.ports.pushing import Wish
from syncd.ports.store import Store
from syncd.ports.vault import Secret

log = structlog.get_logger()


class Keeping:
    """Does steps at a provider that is signed in; what it refuses is kept with the channel."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a channel touches
        self,
        store: Store,
        clock: Clock,
        meter: Meter,
        profile: Profile,
        provider: Provider,
        address: str,
    ) -> None:
        """Have ``provider`` call ``address``."""
        self._store = store
        self._clock = clock
        self._meter = meter
        self._profile = profile
        self._provider = provider
        self._address = address

    async def take(self, step: Step) -> bool:
        """Do one step; return whether the provider may be asked for more."""
        match step:
            case Open(calendar):
                return await self._open(calendar)
            case Extend(calendar, channel):
                return await self._extend(calendar, channel)
            case Close(channel):
                return await self.close(channel)

    async def _open(self, calendar: KnownCalendar) -> bool:
        """Write down whom to expect, then ask: the first call may come before the answer."""
        name, secret = new_secret()
        now = self._clock.now()
        asked = Channel(
            id=name,
            profile_id=self._profile.id,
            calendar_id=calendar.id,
            generation=self._profile.generation,
            address=self._address,
            digest=digest(secret),
            asked_at=now,
            retry_at=now + LATER,  # in case that we die meanwhile
        )
        await self._store.add_channel(asked)
        wish = Wish(id=name, address=self._address, secret=Secret(secret))
        try:
            granted = await self._provider.open_channel(calendar.key, wish)
        except SyncdError as error:
            failed = replace(asked, retry_at=now + ask_again(error))
            await self._store.save_channel(failed)
            return self._told(calendar, error)
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
            opened_at = self._clock.now()
            await self._store.hear_channel(opened, opened_at, due=opened_at)
        self._count("opened")
        return True

    async def _extend(self, calendar: KnownCalendar, channel: Channel) -> bool:
        try:
            granted = await self._provider.extend_channel(channel.id, channel.remote or "")
        except NotFoundError:
            await self._store.save_channel(replace(channel, expires_at=self._clock.now()))
            granted = None
        except SyncdError as error:
            later = self._clock.now() + ask_again(error)
            await self._store.save_channel(replace(channel, renew_at=later))
            return self._told(calendar, error)
        if granted is None:
            return await self._open(calendar)
        await self._store.save_channel(
            replace(channel, renew_at=granted.renew_at, expires_at=granted.expires_at)
        )
        self._count("extended")
        return True

    async def close(self, channel: Channel) -> bool:
        """End a channel at the provider, where it may still be alive; then forget it."""
        lives = channel.expires_at is not None and channel.expires_at > self._clock.now()
        if channel.remote is not None and lives:
            try:
                await self._provider.close_channel(channel.id, channel.remote)
            except TransientError as error:  # it is tried again until the channel's own end
                return not reaches_profile(error)
            except SyncdError as error:
                log.debug("channel.left", profile_id=self._profile.id, reason=str(error))
            self._count("closed")
        await self._store.remove_channel(channel)
        return True

    def _told(self, calendar: KnownCalendar, error: SyncdError) -> bool:
        """Count and log what was refused; return whether other calendars may be asked for."""
        if isinstance(error, StaleStateError):
            raise error
        refused = ask_again(error) == MUCH_LATER
        self._count("refused" if refused else "failed")
        tell = log.error if isinstance(error, MisconfiguredError) else log.info
        tell(
            "channel.refused" if refused else "channel.failed",
            profile_id=self._profile.id,
            calendar_id=calendar.id,
            reason=str(error),
        )
        return not reaches_profile(error)

    def _count(self, outcome: str) -> None:
        self._meter.count("channels_total", provider=self._profile.provider, outcome=outcome)
