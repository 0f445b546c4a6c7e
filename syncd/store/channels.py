"""Channels through which providers call, and the polls that their calls ask for."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Update, and_, bindparam, case, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.channel import Channel
from syncd.model.ids import ProfileId
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.calendars import check_profile
from syncd.store.rows import AnyRow, Values, instant_of, stamp
from syncd.store.tables import channels, profiles
from syncd.store.topic import Topic

_ALL = select(channels)
_ONE = _ALL.where(channels.c.channel_id == bindparam("channel"))
_OF_PROFILE = _ALL.where(channels.c.profile_id == bindparam("profile")).order_by(
    channels.c.asked_at, channels.c.channel_id
)


class SqlChannels(Topic):
    """``Channels`` in SQL."""

    async def add_channel(self, channel: Channel) -> None:
        """Add one; raises StaleStateError if its profile is not what it was."""
        heard = {"heard_at": stamp(channel.heard_at), "hinted_at": stamp(channel.hinted_at)}
        values = {
            "channel_id": channel.id,
            "profile_id": channel.profile_id,
            "calendar_id": channel.calendar_id,
            "generation": channel.generation,
            "address": channel.address,
            "digest": channel.digest,
            "asked_at": milliseconds(channel.asked_at),
            **_fate(channel),
            **heard,
        }

        async def work(connection: AsyncConnection) -> None:
            await check_profile(connection, channel.profile_id, channel.generation)
            await connection.execute(insert(channels).values(values))

        with self._channels.rewriting(channel.profile_id):
            await self._database.write(work)

    async def channel(self, channel: str) -> Channel | None:
        """Return one by our id."""
        rows = await self._database.fetch(_ONE, {"channel": channel})
        return _channel_of(rows[0]) if rows else None

    async def channels(self, profile: ProfileId) -> Sequence[Channel]:
        """Return those of a profile's calendars, the oldest first."""

        async def fetch() -> Sequence[Channel]:
            rows = await self._database.fetch(_OF_PROFILE, {"profile": profile})
            return [_channel_of(row) for row in rows]

        return await self._channels.read(profile, fetch)

    async def save_channel(self, channel: Channel) -> None:
        """Write what became of one; a call that comes meanwhile is not overwritten."""
        mine = update(channels).where(channels.c.channel_id == channel.id)
        with self._channels.rewriting(channel.profile_id):
            await self._database.put(mine.values(_fate(channel)))

    async def hear_channel(self, channel: Channel, at: datetime, *, due: datetime | None) -> None:
        """Keep that it called, and with ``due`` have its profile polled by then."""
        heard = {"heard_at": milliseconds(at)}
        if due is not None:
            heard["hinted_at"] = milliseconds(due)
        mine = update(channels).where(channels.c.channel_id == channel.id).values(heard)

        async def work(connection: AsyncConnection) -> None:
            if due is not None:  # profiles before all else (S1)
                await connection.execute(_hasten(channel.profile_id, milliseconds(due)))
            await connection.execute(mine)

        with self._channels.rewriting(channel.profile_id):
            await self._database.write(work)

    async def doubt_channel(self, channel: Channel) -> None:
        """Take it for unheard until it calls again."""
        mine = update(channels).where(channels.c.channel_id == channel.id)
        with self._channels.rewriting(channel.profile_id):
            await self._database.put(mine.values(heard_at=None))

    async def remove_channel(self, channel: Channel) -> None:
        """Remove one; one that is gone is as good."""
        with self._channels.rewriting(channel.profile_id):
            await self._database.put(delete(channels).where(channels.c.channel_id == channel.id))


def _hasten(profile: ProfileId, due: int) -> Update:
    """Return the change that has a profile polled by ``due``, unless it is backing off."""
    column = profiles.c
    later = or_(column.hinted_at.is_(None), column.hinted_at < due)
    sooner = and_(column.failures == 0, column.next_poll_at > due)
    return (
        update(profiles)
        .where(column.profile_id == profile)
        .values(
            hinted_at=case((later, due), else_=column.hinted_at),
            next_poll_at=case((sooner, due), else_=column.next_poll_at),
        )
    )


def _fate(channel: Channel) -> Values:
    """Return the columns that ``save_channel`` writes."""
    return {
        "remote": channel.remote,
        "opened_at": stamp(channel.opened_at),
        "renew_at": stamp(channel.renew_at),
        "expires_at": stamp(channel.expires_at),
        "retry_at": stamp(channel.retry_at),
    }


def _channel_of(row: AnyRow) -> Channel:
    return Channel(
        id=row.channel_id,
        profile_id=row.profile_id,
        calendar_id=row.calendar_id,
        generation=row.generation,
        address=row.address,
        digest=row.digest,
        asked_at=from_milliseconds(row.asked_at),
        remote=row.remote,
        opened_at=instant_of(row.opened_at),
        renew_at=instant_of(row.renew_at),
        expires_at=instant_of(row.expires_at),
        heard_at=instant_of(row.heard_at),
        hinted_at=instant_of(row.hinted_at),
        retry_at=instant_of(row.retry_at),
    )
