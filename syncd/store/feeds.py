"""Feeds: provider calendars that are published as ICS."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import ApplicationId, CalendarId, ProfileId, ResourceKey, Slot, UserId
from syncd.model.invitation import Reach
from syncd.model.published import Feed, Noticed
from syncd.model.resource import RawResource
from syncd.model.when import milliseconds
from syncd.ports.store.feeds import Content
from syncd.store.chunks import chunks
from syncd.store.grant_tables import grants
from syncd.store.published_rows import feed_of, feed_values
from syncd.store.published_tables import feeds
from syncd.store.tables import applications, objects, profiles, resources, tokens, users
from syncd.store.tables import calendars as known
from syncd.store.topic import Topic

_ALL = select(feeds)
_with_owner = (
    select(feeds)
    .outerjoin(profiles, profiles.c.profile_id == feeds.c.profile_id)
    .outerjoin(users, users.c.user_id == func.coalesce(feeds.c.user_id, profiles.c.user_id))
)
_client = func.coalesce(feeds.c.application_id, users.c.application_id)


def _allowed(at: datetime) -> ColumnElement[bool]:
    """Tell whether a feed of an application, or of one of its users, has not lost its ground.

    That is the application, and for what belongs to its users a consent of theirs, or a token
    that the operator made for them.
    """
    there = exists().where(
        applications.c.application_id == _client, applications.c.removed_at.is_(None)
    )
    granted = exists().where(
        grants.c.application_id == _client,
        grants.c.user_id == users.c.user_id,
        grants.c.revoked_at.is_(None),
        or_(grants.c.code_digest.is_(None), grants.c.redeemed_at.is_not(None)),
        or_(grants.c.reach == Reach.USER, grants.c.profile_id == feeds.c.profile_id),
    )
    made_here = exists().where(
        tokens.c.application_id.is_(None),
        tokens.c.revoked_at.is_(None),
        or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > milliseconds(at)),
        or_(tokens.c.user_id == users.c.user_id, tokens.c.profile_id == feeds.c.profile_id),
    )
    theirs = or_(feeds.c.application_id.is_not(None), granted, made_here)
    return or_(_client.is_(None), and_(there, theirs))


class SqlFeeds(Topic):
    """``Feeds`` in SQL."""

    async def add_feed(self, feed: Feed) -> None:
        """Add one."""
        await self._database.put(insert(feeds).values(feed_values(feed)))

    async def feeds(
        self,
        *,
        user: UserId | None = None,
        profile: ProfileId | None = None,
        application: ApplicationId | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[Feed]:
        """Return feeds by id, those of a user, profile or application if one is named."""
        column = feeds.c
        wanted = _ALL.order_by(column.feed_id).limit(limit)
        if user is not None:
            wanted = wanted.where(column.user_id == user)
        if profile is not None:
            wanted = wanted.where(column.profile_id == profile)
        if application is not None:
            wanted = wanted.where(column.application_id == application)
        if after is not None:
            wanted = wanted.where(column.feed_id > after)
        return [feed_of(row) for row in await self._database.fetch(wanted)]

    async def feed(self, feed: str) -> Feed:
        """Return one; raises NotFoundError."""
        rows = await self._database.fetch(_ALL.where(feeds.c.feed_id == feed))
        if not rows:
            raise NotFoundError("there is no such feed")
        return feed_of(rows[0])

    async def feed_at(self, digest: bytes, at: datetime) -> Feed | None:
        """Return the one whose path has this digest, as long as its people allow it."""
        wanted = _with_owner.where(feeds.c.path_digest == digest, _allowed(at))
        rows = await self._database.fetch(wanted)
        return feed_of(rows[0]) if rows else None

    async def save_feed(self, feed: Feed) -> Feed:
        """Write a changed feed; return it as stored. Raises StaleStateError."""
        stored = replace(feed, revision=feed.revision + 1)
        mine = update(feeds).where(feeds.c.feed_id == feed.id, feeds.c.revision == feed.revision)
        if not await self._database.put(mine.values(feed_values(stored))):
            raise StaleStateError(f"feed {feed.id} has changed meanwhile")
        return stored

    async def notice_feed(self, feed: str, noticed: Noticed) -> None:
        """Keep which version was served."""
        mine = update(feeds).where(feeds.c.feed_id == feed)
        seen = {"version": noticed.version, "noticed_at": milliseconds(noticed.since)}
        await self._database.put(mine.values(seen))

    async def remove_feed(self, feed: str) -> None:
        """Remove one; one that is gone is as good."""
        await self._database.put(delete(feeds).where(feeds.c.feed_id == feed))

    async def revisions(self, calendars: Collection[CalendarId]) -> Mapping[CalendarId, int]:
        """Return how often each calendar was written; those that are gone are left out."""
        found: dict[CalendarId, int] = {}
        for some in chunks(calendars):
            wanted = select(known.c.calendar_id, known.c.revision).where(
                known.c.calendar_id.in_(some), known.c.removed_at.is_(None)
            )
            rows = await self._database.fetch(wanted)
            found.update((row.calendar_id, row.revision) for row in rows)
        return found

    async def bodies(
        self, calendar: CalendarId, *, after: ResourceKey | None, limit: int
    ) -> Sequence[RawResource]:
        """Return a page of a calendar's resources as their provider wrote them, by key."""
        column = resources.c
        wanted = select(resources).where(column.calendar_id == calendar)
        if after is not None:
            wanted = wanted.where(column.resource_key > after)
        rows = await self._database.fetch(wanted.order_by(column.resource_key).limit(limit))
        return [RawResource(key=row.resource_key, etag=row.etag, raw=row.raw) for row in rows]

    async def contents(
        self, calendar: CalendarId, *, after: tuple[ResourceKey, Slot] | None, limit: int
    ) -> Sequence[Content]:
        """Return a page of a calendar's events, those of a resource beside each other."""
        column = objects.c
        place = (column.resource_key, column.slot)
        wanted = select(*place, column.document).where(column.calendar_id == calendar)
        if after is not None:
            wanted = wanted.where(column.resource_key >= after[0])  # for the index
            wanted = wanted.where(tuple_(*place) > tuple_(*map(literal, after)))
        rows = await self._database.fetch(wanted.order_by(*place).limit(limit))
        return [Content(key=key, slot=slot, document=document) for key, slot, document in rows]
