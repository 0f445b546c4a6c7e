"""Feeds: provider calendars published as ICS, kept current from the snapshot (N21, N22)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import orjson

from syncd.engine.noticing import noticed
from syncd.formats.ical_busy import Disguise, Document, busy_events
from syncd.formats.ical_feed import FeedWriter
from syncd.model.access import digest
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, ResourceKey, Slot, short
from syncd.model.own import has_declined, own_addresses
from syncd.model.published import Detail, Feed, SecretPath, new_id, new_secret
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.store.feeds import Content
from syncd.ports.vault import Secret, Vault

FORM = "1"  # of what we write: another one makes every file a new version
RESOURCES = 100  # written at once, so that the loop is not held for long
EVENTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One calendar of a feed, as it is now; ``own`` are the addresses of its profile."""

    calendar: CalendarId
    revision: int
    own: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFile:
    """What a feed's path leads to; calendars that are gone are left out."""

    feed: Feed
    sources: tuple[Source, ...]
    version: str
    modified: datetime


class Feeds:
    """Keeps feeds, and writes their files page by page, so that no calendar is too large."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        """Seal paths by ``vault``."""
        self._store = store
        self._vault = vault
        self._clock = clock

    async def add(self, feed: Feed) -> Feed:
        """Keep a new feed; id, path and time are ours to give."""
        identity = new_id()
        made = replace(feed, id=identity, path=self._new_path(identity), created=self._clock.now())
        await self._store.add_feed(made)
        return made

    async def rotate(self, feed: Feed) -> Feed:
        """Give a feed another path; the old one is dead. Raises StaleStateError."""
        return await self._store.save_feed(replace(feed, path=self._new_path(feed.id)))

    def path(self, feed: Feed) -> str:
        """Return the secret path of a feed's file."""
        secret = self._vault.open(feed.path.sealed, place=_place(feed.id))
        return f"/feeds/{secret.reveal()}.ics"

    async def file(self, secret: str) -> FeedFile:
        """Return the file at a secret path.

        Raises NotFoundError for unknown and expired ones, and for those whose people have revoked
        what they allowed.
        """
        now = self._clock.now()
        feed = await self._store.feed_at(digest(secret), now)
        if feed is None or not feed.alive(now):
            raise NotFoundError("there is no such feed")
        sources = await self._sources(feed)
        told = [f"{one.calendar}={one.revision} {sorted(one.own)}" for one in sources]
        version = short(FORM, feed.id, feed.name, feed.detail, *told, length=26)
        seen = await noticed(
            feed.noticed,
            version,
            self._clock.now(),
            lambda one: self._store.notice_feed(feed.id, one),
        )
        return FeedFile(feed=feed, sources=sources, version=version, modified=seen.since)

    async def write(self, file: FeedFile) -> AsyncIterator[bytes]:
        """Yield the file; what changes meanwhile may stand in it, and makes a new version."""
        writer = FeedWriter(file.feed.name)
        yield writer.head()
        for source in file.sources:
            whole = file.feed.detail is Detail.FULL
            pages = self._full(source, writer) if whole else self._busy(file.feed, source, writer)
            async for page in pages:
                yield page
        yield writer.foot()

    async def _full(self, source: Source, writer: FeedWriter) -> AsyncIterator[bytes]:
        after: ResourceKey | None = None
        while True:
            page = await self._store.bodies(source.calendar, after=after, limit=RESOURCES)
            yield b"".join(writer.resource(one.raw) for one in page)
            if len(page) < RESOURCES:
                return
            after = page[-1].key

    async def _busy(self, feed: Feed, source: Source, writer: FeedWriter) -> AsyncIterator[bytes]:
        disguise = Disguise(key=feed.id, calendar=source.calendar, stamped=feed.created)

        def is_busy(one: Document) -> bool:
            people = [(each["email"], each.get("status")) for each in one["attendees"]]
            free = one["transparent"] or one["status"] == "cancelled"
            return not free and not has_declined(people, source.own)

        async for page in self._resources(source.calendar):
            told = list[bytes]()
            for some in page:
                documents = [orjson.loads(one.document) for one in some]
                for event in busy_events(documents, is_busy, disguise):
                    told.append(writer.lines(event.lines, event.zones))
            yield b"".join(told)

    async def _resources(self, calendar: CalendarId) -> AsyncIterator[Sequence[Sequence[Content]]]:
        """Yield pages of resources, each whole, with the events in them."""
        after: tuple[ResourceKey, Slot] | None = None
        held = list[Content]()
        while True:
            page = await self._store.contents(calendar, after=after, limit=EVENTS)
            held += page
            groups = [list(some) for _, some in groupby(held, key=lambda one: one.key)]
            if len(page) < EVENTS:
                yield groups
                return
            held = groups.pop()  # more of it may follow
            yield groups
            after = (page[-1].key, page[-1].slot)

    async def _sources(self, feed: Feed) -> tuple[Source, ...]:
        revisions = await self._store.revisions(feed.calendars)
        found = list[Source]()
        for calendar in feed.calendars:
            if calendar not in revisions:
                continue
            own = frozenset[str]()
            if feed.detail is Detail.BUSY:
                known = await self._store.calendar(calendar)
                own = own_addresses(await self._store.profile(known.profile_id))
            found.append(Source(calendar=calendar, revision=revisions[calendar], own=own))
        return tuple(found)

    def _new_path(self, identity: str) -> SecretPath:
        secret = new_secret()
        sealed = self._vault.seal(Secret(secret), place=_place(identity))
        return SecretPath(digest=digest(secret), sealed=sealed)


def _place(feed: str) -> str:
    return f"feeds|{feed}|path"
