"""Profiles, their schedule and their sealed credentials."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Integer,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Record
from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import ApplicationId, ProfileId, UserId
from syncd.model.profile import Profile
from syncd.model.when import milliseconds
from syncd.ports.store.profiles import PollNote
from syncd.store.bulk import change_rows
from syncd.store.published_tables import SEALED_PATHS
from syncd.store.rows import (
    AnyRow,
    error_bytes,
    profile_of,
    profile_values,
    proof_bytes,
    stamp,
)
from syncd.store.subscription_tables import signing_secrets
from syncd.store.tables import (
    SNAPSHOT,
    application_keys,
    calendars,
    channels,
    credentials,
    installations,
    managed,
    profiles,
    selections,
    streams,
)
from syncd.store.topic import Topic

_PAGE = 1000
_HEAD = 40  # bytes of a sealed text that hold its key's id (``ports.vault``)
_LIVE = select(profiles).where(~profiles.c.removed)
_ONE = _LIVE.where(profiles.c.profile_id == bindparam("profile"))
_SEALED = select(credentials.c.field, credentials.c.sealed).where(
    credentials.c.profile_id == bindparam("profile")
)
_NEXT = bindparam("next", type_=BigInteger)
_HINTED = and_(  # a provider called while this poll ran, or asks for a later one (P16)
    profiles.c.hinted_at > bindparam("began", type_=BigInteger),
    profiles.c.hinted_at < _NEXT,
    bindparam("failed", type_=Integer) == literal_column("0"),
)
_NOTE = (
    update(profiles)
    .where(
        profiles.c.profile_id == bindparam("profile"),
        profiles.c.generation == bindparam("since"),
    )
    .values(
        next_poll_at=case((_HINTED, profiles.c.hinted_at), else_=_NEXT),
        polled_at=func.coalesce(bindparam("polled"), profiles.c.polled_at),
        failures=bindparam("failed", type_=Integer),
        last_error=bindparam("error"),
        proof=bindparam("proven"),
    )
)
_NOTED = (  # as the statement has them
    *("began", "next", "failed", "next", "polled", "failed"),
    *("error", "proven", "profile", "since"),
)
_DUE = (
    _LIVE.where(profiles.c.pollable, profiles.c.next_poll_at <= bindparam("now"))
    .order_by(profiles.c.next_poll_at)
    .limit(bindparam("most"))
)


class SqlProfiles(Topic):
    """``Profiles`` in SQL."""

    async def reserve_profile(self) -> ProfileId:
        """Return an id that no profile has, or ever had (F29)."""
        count = installations.c.last_profile_id + 1
        taken = update(installations).values(last_profile_id=count)

        async def work(connection: AsyncConnection) -> ProfileId:
            row = await connection.execute(taken.returning(installations.c.last_profile_id))
            return ProfileId(row.scalar_one())

        return await self._database.write(work)

    async def add_profile(
        self, profile: Profile, *, sealed: Mapping[str, bytes], records: Sequence[Record]
    ) -> None:
        """Add a profile with its stream, its credentials by field, and its first activities.

        Raises ConflictError if the user has this person's profile already.
        """
        epoch = select(installations.c.epoch).scalar_subquery()
        stream = {"profile_id": profile.id, "epoch": epoch, "head": 0, "floor": 0}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(profiles).values(profile_values(profile)))
            await connection.execute(insert(streams).values(stream))
            await _seal(connection, profile.id, sealed)
            await self._appender.append(connection, profile.id, records)

        with self._sealed.rewriting(profile.id):
            await self._database.write(work)

    async def profile(self, profile: ProfileId) -> Profile:
        """Return one; raises NotFoundError."""
        rows = await self._database.fetch(_ONE, {"profile": profile})
        if not rows:
            raise NotFoundError(f"there is no profile {profile}")
        return profile_of(rows[0])

    async def profiles(
        self,
        *,
        user: UserId | None = None,
        application: ApplicationId | None = None,
        after: ProfileId | None = None,
        limit: int = 1000,
    ) -> Sequence[Profile]:
        """Return profiles by id, those of a user or an application if one is named."""
        wanted = _LIVE.order_by(profiles.c.profile_id).limit(limit)
        if user is not None:
            wanted = wanted.where(profiles.c.user_id == user)
        if application is not None:
            wanted = wanted.where(profiles.c.application_id == application)
        if after is not None:
            wanted = wanted.where(profiles.c.profile_id > after)
        return [profile_of(row) for row in await self._database.fetch(wanted)]

    async def profile_by_identity(
        self, user: UserId, provider: str, identity: str
    ) -> Profile | None:
        """Return the user's profile of that person at that provider."""
        person = (profiles.c.provider == provider, profiles.c.identity == identity)
        rows = await self._database.fetch(_LIVE.where(profiles.c.user_id == user, *person))
        return profile_of(rows[0]) if rows else None

    async def profiles_of_person(self, provider: str, identity: str) -> Sequence[Profile]:
        """Return everybody's profiles of that person at that provider, by id."""
        person = (profiles.c.provider == provider, profiles.c.identity == identity)
        wanted = _LIVE.where(*person).order_by(profiles.c.profile_id)
        return [profile_of(row) for row in await self._database.fetch(wanted)]

    async def profile_by_relink(self, digest: bytes) -> Profile | None:
        """Return the profile that a relink secret belongs to."""
        rows = await self._database.fetch(_LIVE.where(profiles.c.relink_digest == digest))
        return profile_of(rows[0]) if rows else None

    async def due(
        self, now: datetime, *, limit: int, shard: int | None = None
    ) -> Sequence[Profile]:
        """Return pollable profiles whose ``next_poll_at`` has come, the most overdue first."""
        wanted = _DUE if shard is None else _DUE.where(profiles.c.shard == shard)
        rows = await self._database.fetch(wanted, {"now": milliseconds(now), "most": limit})
        return [profile_of(row) for row in rows]

    async def note_polls(self, notes: Sequence[PollNote]) -> None:
        """Write what polls came to, of each profile unless its credentials have changed since."""
        rows = [_note_row(one) for one in sorted(notes, key=lambda one: one.profile_id)]
        if rows:
            await self._database.write(
                lambda connection: change_rows(connection, _NOTE, _NOTED, rows), alone=True
            )

    async def save_profile(
        self,
        profile: Profile,
        *,
        records: Sequence[Record] = (),
        sealed: Mapping[str, bytes | None] | None = None,
        first_read_done: bool = False,
    ) -> Profile:
        """Write a changed profile with the activities that tell of it; return it as stored.

        Raises StaleStateError if its revision has moved, or it was removed.
        """
        stored = replace(profile, revision=profile.revision + 1)

        async def work(connection: AsyncConnection) -> None:
            await _rewrite(connection, stored)
            if stored.removed:
                await _forget(connection, stored.id)
            await _seal(connection, stored.id, sealed or {})
            await self._appender.append(connection, stored.id, records)
            if first_read_done:
                await _mark_first_read(connection, stored.id)

        with (
            self._calendars.rewriting(stored.id),
            self._channels.rewriting(stored.id),
            self._sealed.rewriting(stored.id),
        ):
            await self._database.write(work)
        return stored

    async def sealed(self, profile: ProfileId, field: str) -> bytes | None:
        """Return a sealed credential."""

        async def fetch() -> Mapping[str, bytes]:
            rows = await self._database.fetch(_SEALED, {"profile": profile})
            return {row.field: row.sealed for row in rows}

        return (await self._sealed.read(profile, fetch)).get(field)

    async def reseal(
        self, profile: ProfileId, sealed: Mapping[str, bytes], *, generation: int
    ) -> None:
        """Replace credentials by field, if the profile's generation is still this one."""
        mine = (profiles.c.profile_id == profile, ~profiles.c.removed)
        locked = select(profiles.c.generation).where(*mine).with_for_update()

        async def work(connection: AsyncConnection) -> None:
            if (await connection.execute(locked)).scalar_one_or_none() != generation:
                raise StaleStateError(f"profile {profile} was connected anew meanwhile")
            await _seal(connection, profile, sealed)

        with self._sealed.rewriting(profile):
            await self._database.write(work)

    @asynccontextmanager
    async def alone(self, profile: ProfileId) -> AsyncIterator[None]:
        """Keep other processes on this database out of the same block for the profile (F22)."""
        async with self._database.alone(f"profile {profile}"):
            yield

    async def sealing_keys(self) -> frozenset[str]:
        """Return the ids of all keys that anything lasting is sealed with."""
        column, found, after = credentials.c, set[str](), (0, "")
        head = func.substr(column.sealed, 1, _HEAD).label("head")
        for sealed in (application_keys.c.sealed, signing_secrets.c.sealed, *SEALED_PATHS):
            heads = select(func.substr(sealed, 1, _HEAD).label("head"))
            found.update(map(_key_of, await self._database.fetch(heads)))
        while True:
            behind = tuple_(column.profile_id, column.field) > tuple_(*map(literal, after))
            page = select(column.profile_id, column.field, head).where(behind)
            ordered = page.order_by(column.profile_id, column.field).limit(_PAGE)
            rows = await self._database.fetch(ordered)
            found.update(map(_key_of, rows))
            if len(rows) < _PAGE:
                return frozenset(found)
            after = (rows[-1].profile_id, rows[-1].field)


def _note_row(note: PollNote) -> tuple[object, ...]:
    """Return the values of ``_NOTED``."""
    due = milliseconds(note.next_poll_at)
    return (
        *(stamp(note.began_at), due, note.failures, due, stamp(note.polled_at), note.failures),
        *(error_bytes(note.last_error), proof_bytes(note.proof), note.profile_id, note.generation),
    )


async def _rewrite(connection: AsyncConnection, stored: Profile) -> None:
    """Write the row, and lock the calendars out of polls with older credentials (F14).

    Lock order everywhere: profile, then calendars, then stream (S1).
    """
    known = (profiles.c.profile_id == stored.id, profiles.c.revision == stored.revision - 1)
    written = update(profiles).where(*known, ~profiles.c.removed).values(profile_values(stored))
    if (await connection.execute(written)).rowcount == 0:
        raise StaleStateError(f"profile {stored.id} has changed meanwhile")
    older = (calendars.c.profile_id == stored.id, calendars.c.generation != stored.generation)
    await connection.execute(update(calendars).where(*older).values(generation=stored.generation))


async def _forget(connection: AsyncConnection, profile: ProfileId) -> None:
    """Delete snapshot and credentials; the stream stays."""
    mine = select(calendars.c.calendar_id).where(calendars.c.profile_id == profile)
    for table in SNAPSHOT:
        await connection.execute(delete(table).where(table.c.calendar_id.in_(mine)))
    for table in (channels, calendars, credentials, managed, selections):
        await connection.execute(delete(table).where(table.c.profile_id == profile))


async def _seal(
    connection: AsyncConnection, profile: ProfileId, sealed: Mapping[str, bytes | None]
) -> None:
    """Set credentials by field; None erases one."""
    if not sealed:
        return
    place = (credentials.c.profile_id == profile, credentials.c.field.in_(sealed))
    await connection.execute(delete(credentials).where(*place))
    rows = [
        {"profile_id": profile, "field": field, "sealed": one}
        for field, one in sealed.items()
        if one is not None
    ]
    if rows:
        await connection.execute(insert(credentials), rows)


async def _mark_first_read(connection: AsyncConnection, profile: ProfileId) -> None:
    first = (streams.c.profile_id == profile, streams.c.after_auth.is_(None))
    await connection.execute(update(streams).where(*first).values(after_auth=streams.c.head))


def _key_of(row: AnyRow) -> str:
    """Return the id of the key in the head of a sealed text."""
    return bytes(row.head).split(b":", 2)[1].decode()
