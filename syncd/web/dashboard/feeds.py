"""Feeds: which calendars are published as ICS, whose doing that is, and ending it (N21)."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from aiohttp import web

from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.published import Feed
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import Choices, away, show
from syncd.web.dashboard.people import Owner, owner_of

ROOT = "/dashboard/feeds"
PER_PAGE = 50
_MOST = 5  # calendars of a feed that are named


class Served(StrEnum):
    """Whether the path of a feed leads to its file."""

    YES = "yes"
    EXPIRED = "expired"
    NOT_ALLOWED = "not allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A calendar of a feed; without ``profile`` it is gone."""

    name: str
    profile: ProfileId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A feed, whose it is, and what it is made of; never its path, which is all one needs."""

    feed: Feed
    owner: Owner
    served: Served
    sources: tuple[Source, ...]

    @property
    def further(self) -> int:
        """Return how many calendars are not named."""
        return len(self.feed.calendars) - len(self.sources)


async def overview(request: web.Request) -> web.Response:
    """Show all feeds, page by page."""
    given = request.query.get("after", "")
    after = given if given.isalnum() else None  # as ids are
    found = await desk_of(request).store.feeds(after=after, limit=PER_PAGE + 1)
    shown = found[:PER_PAGE]
    more = urlencode({"after": shown[-1].id}) if len(found) > PER_PAGE else None
    return show(
        request,
        "feeds.html",
        rows=[await _row(request, one) for one in shown],
        first=ROOT if after else None,
        older=f"{ROOT}?{more}" if more else None,
    )


async def ask_remove(request: web.Request) -> web.Response:
    """Ask before a feed ends."""
    return show(request, "unpublish.html", row=await _row(request, await _named(request)))


async def remove(request: web.Request, _: Choices) -> web.Response:
    """End a feed; its path is dead."""
    await desk_of(request).store.remove_feed((await _named(request)).id)
    return away(f"{ROOT}?done=unpublished")


async def _named(request: web.Request) -> Feed:
    return await desk_of(request).store.feed(request.match_info["feed"])


async def _row(request: web.Request, feed: Feed) -> Row:
    return Row(
        feed=feed,
        owner=await owner_of(
            desk_of(request).store,
            user=feed.user_id,
            profile=feed.profile_id,
            application=feed.application_id,
            nobody="an administrator",
        ),
        served=await _served(request, feed),
        sources=tuple([await _source(request, one) for one in feed.calendars[:_MOST]]),
    )


async def _served(request: web.Request, feed: Feed) -> Served:
    desk = desk_of(request)
    now = desk.clock.now()
    if not feed.alive(now):
        return Served.EXPIRED
    found = await desk.store.feed_at(feed.path.digest, now)
    return Served.NOT_ALLOWED if found is None else Served.YES


async def _source(request: web.Request, calendar: CalendarId) -> Source:
    try:
        known = await desk_of(request).store.calendar(calendar)
    except NotFoundError:
        return Source(name=calendar, profile=None)
    return Source(name=known.calendar.name, profile=known.profile_id)
