"""Feeds: calendars published as ICS under a secret path (api.md N21, N22)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import orjson
from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.auth import calendar_covered
from syncd.api.keys import tokens_of
from syncd.api.native.feed_shapes import FeedBody, FeedChange, FeedList, FeedObject
from syncd.api.owned import owner_of, reaches
from syncd.api.pages import cut, read_page
from syncd.api.params import Paged, instant
from syncd.api.parts import Json, parts_of
from syncd.api.problems import invalid
from syncd.api.published import HEADERS, count, file_headers, is_fresh
from syncd.api.route import route
from syncd.api.versions import check_demanded, etag, versioned
from syncd.model.access import Scope
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId
from syncd.model.published import Detail, Feed, SecretPath
from syncd.model.when import utc

_ALL = "/v1/feeds"
_ONE = f"{_ALL}/{{feed_id}}"
_NO_PATH = SecretPath(digest=b"", sealed=b"")


@route(
    "POST",
    _ALL,
    scope=Scope.MANAGE_FEEDS,
    body=FeedBody,
    status=201,
    answer=FeedObject,
    idempotent=True,
    headers=("ETag", "Location"),
)
async def create_feed(request: web.Request, body: FeedBody) -> web.Response:
    """Publish calendars that the token covers, with all they say or only busy times."""
    parts = parts_of(request)
    tokens = tokens_of(request)
    calendars = await _calendars(request, body.calendar_ids, body.detail)
    token = tokens[0]
    made = await parts.feeds.add(
        Feed(
            id="",
            name=body.name,
            calendars=calendars,
            detail=body.detail,
            path=_NO_PATH,
            created=parts.clock.now(),
            user_id=await parts.tokens.user_of(token),
            profile_id=token.profile_id,
            application_id=None if token.user_id or token.profile_id else token.application_id,
            expires_at=_future(request, body.expires_at),
        )
    )
    place = {"Location": f"{base_url(request)}{_ALL}/{made.id}"}
    return _versioned(request, made, status=201, headers=place)


@route("GET", _ALL, scope=Scope.LIST_CALENDARS, query=Paged, answer=FeedList)
async def list_feeds(request: web.Request, query: Paged) -> web.Response:
    """List the feeds of the token's profile, user or application, by id."""
    token = tokens_of(request)[0]
    name = f"feeds|{token.id}"
    place = read_page(query.page, of=name)
    after = None if place.behind is None else str(place.behind[0])
    found = await parts_of(request).store.feeds(
        **owner_of(token), after=after, limit=query.page_size + 1
    )
    shown, around = cut(found, query.page_size, of=name, place=place)
    return answer(around | {"objects": [_object(request, one) for one in shown]})


@route(
    "GET",
    _ONE,
    scope=Scope.LIST_CALENDARS,
    answer=FeedObject,
    more={304: None},
    headers=("ETag",),
    takes=("If-None-Match",),
)
async def retrieve_feed(request: web.Request) -> web.Response:
    """Return a feed, also one that has expired."""
    return _versioned(request, await _named(request))


@route(
    "PATCH",
    _ONE,
    scope=Scope.MANAGE_FEEDS,
    body=FeedChange,
    answer=FeedObject,
    errors=(409, 412),
    headers=("ETag",),
    takes=("If-Match",),
)
async def update_feed(request: web.Request, body: FeedChange) -> web.Response:
    """Change a feed; its path stays. What is left out stays too, `expires_at` null lifts it."""
    feed = await _named(request, demanding=True)
    given = body.model_fields_set
    detail = feed.detail if body.detail is None else body.detail
    calendars = feed.calendars
    if body.calendar_ids is not None:
        calendars = await _calendars(request, body.calendar_ids, detail)
    elif detail is not feed.detail:
        await _check_detail(request, calendars, detail)
    changed = replace(
        feed,
        name=feed.name if body.name is None else body.name,
        detail=detail,
        calendars=calendars,
        expires_at=_future(request, body.expires_at) if "expires_at" in given else feed.expires_at,
    )
    return _versioned(request, await parts_of(request).store.save_feed(changed))


@route("DELETE", _ONE, scope=Scope.MANAGE_FEEDS, status=204, errors=(412,), takes=("If-Match",))
async def remove_feed(request: web.Request) -> web.Response:
    """End a feed; its path is dead."""
    feed = await _named(request, demanding=True)
    await parts_of(request).store.remove_feed(feed.id)
    return web.Response(status=204)


@route("POST", f"{_ONE}/rotate", scope=Scope.MANAGE_FEEDS, answer=FeedObject, errors=(409,))
async def rotate_feed(request: web.Request) -> web.Response:
    """Give a feed another path; the old one is dead."""
    rotated = await parts_of(request).feeds.rotate(await _named(request))
    return answer(_object(request, rotated))


@route(
    "GET",
    "/feeds/{secret}.ics",
    scope=None,
    content_type="text/calendar",
    more={304: None},
    headers=HEADERS,
    takes=("If-None-Match", "If-Modified-Since"),
)
async def read_feed(request: web.Request) -> web.StreamResponse:
    """Return a feed's calendars as ICS, as they are now; no token is needed."""
    secret, feeds = request.match_info["secret"], parts_of(request).feeds
    count(request, secret)
    file = await feeds.file(secret)
    headers = file_headers(file.feed.name, file.version, file.modified, request)
    if is_fresh(request, headers, file.modified):
        return web.Response(status=304, headers=headers)
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    if request.method != "HEAD":
        async for piece in feeds.write(file):
            if piece:
                await response.write(piece)
    await response.write_eof()
    return response


async def _check_detail(
    request: web.Request, calendars: Sequence[CalendarId], detail: Detail
) -> None:
    """Refuse to publish all of what is no iCalendar: a file of it would be empty."""
    parts = parts_of(request)
    for name in calendars if detail is Detail.FULL else ():
        try:
            known = await parts.store.calendar(name)
        except NotFoundError:  # it went with its profile, and is left out of the file
            continue
        if not parts.further.speaks_icalendar(await parts.store.profile(known.profile_id)):
            raise invalid(f"of calendar {name} only busy times can be published", field="detail")


async def _calendars(
    request: web.Request, names: Sequence[str], detail: Detail
) -> tuple[CalendarId, ...]:
    """Return ids that the tokens cover; 400 for others, whether or not they are anybody's."""
    store, found = parts_of(request).store, list[CalendarId]()
    for name in dict.fromkeys(names):
        try:
            _, _, known = await calendar_covered(store, tokens_of(request), name)
        except NotFoundError as error:
            raise invalid(str(error), field="calendar_ids") from None
        if known.removed_at is not None:
            raise invalid(f"calendar {name} is deleted", field="calendar_ids")
        found.append(known.id)
    await _check_detail(request, found, detail)
    return tuple(dict.fromkeys(found))


def _future(request: web.Request, given: date | None) -> datetime | None:
    if given is None:
        return None
    at = instant(given)
    if at <= parts_of(request).clock.now():
        raise invalid("must be in the future", field="expires_at")
    return at


async def _named(request: web.Request, *, demanding: bool = False) -> Feed:
    """Return the feed of the path; 404 if it is another's, 412 if ``If-Match`` wants another."""
    missing = NotFoundError("there is no such feed")
    feed = await parts_of(request).store.feed(request.match_info["feed_id"])
    if not any(reaches(token, feed) for token in tokens_of(request)):
        raise missing
    if demanding:
        check_demanded(request, _tag(request, feed), "feed")
    return feed


def _versioned(
    request: web.Request, feed: Feed, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    body = orjson.dumps(_object(request, feed))
    return versioned(request, body, _tag(request, feed), headers or {}, status=status)


def _tag(request: web.Request, feed: Feed) -> str:
    return etag(orjson.dumps(_object(request, feed)), str(feed.revision).encode())


def _object(request: web.Request, feed: Feed) -> Json:
    return {
        "id": feed.id,
        "name": feed.name,
        "calendar_ids": list(feed.calendars),
        "detail": feed.detail,
        "ics_path": base_url(request) + parts_of(request).feeds.path(feed),
        "created": utc(feed.created),
        "expires_at": None if feed.expires_at is None else utc(feed.expires_at),
    }
