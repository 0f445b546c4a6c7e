"""The activity stream: pages, long poll, its end (api.md K35-K40, K42)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.freshness import relink_url
from syncd.api.keys import profile_of
from syncd.api.kloudless.shapes import ActivityPage, ActivityQuery, FollowQuery
from syncd.api.pages import spliced_page
from syncd.api.parts import Json, parts_of
from syncd.api.problems import Problem, ProblemError, problem_of
from syncd.api.records import LatestCursor
from syncd.api.route import route
from syncd.api.streams import awaited
from syncd.engine.records import with_relink_url
from syncd.engine.stream import AFTER_AUTH
from syncd.model.access import Scope
from syncd.model.activity import Activity, Batch, Filter, Kind
from syncd.model.errors import CursorExpiredError, MalformedCursorError, NotFoundError
from syncd.model.ids import PRIMARY, CalendarId, Cursor


@route(
    "GET",
    "/v1/accounts/{account_id}/events",
    scope=Scope.READ_EVENTS,
    query=ActivityQuery,
    answer=ActivityPage,
    errors=(410,),
)
async def list_activity(request: web.Request, query: ActivityQuery) -> web.Response:
    """List what happened in an account after a cursor, oldest first.

    Go on with the returned `cursor`; only empty `objects` means that there is no more now. `wait`
    holds the request until there is news.
    """
    return await page_of(request, query, await filter_of(request, query))


@route(
    "GET",
    "/v1/accounts/{account_id}/events/latest",
    scope=Scope.READ_EVENTS,
    answer=LatestCursor,
)
async def latest_cursor(request: web.Request) -> web.Response:
    """Return the cursor at the stream's current end."""
    return await end_of_stream(request)


async def page_of(request: web.Request, query: ActivityQuery, wanted: Filter) -> web.Response:
    """Answer with one page of the account's stream (K35), of what is ``wanted``."""
    async with refused_cursors(request):
        batch = await _read(request, query, wanted)
    bodies = await bodies_of(request, batch.activities)
    cursors = (Cursor(batch.stream.epoch, one.position) for one in batch.activities)
    return answer(spliced_page(bodies, cursors, end_of(batch)))


async def end_of_stream(request: web.Request) -> web.Response:
    """Answer with the cursor at the end of the account's stream (K37)."""
    stream = await parts_of(request).store.stream(profile_of(request).id)
    return answer({"cursor": str(stream.latest)})


async def filter_of(request: web.Request, query: FollowQuery) -> Filter:
    """Return which activities are wanted (K38); `primary` is the primary calendar's id (R9)."""
    calendars = None
    if query.calendar_ids:
        named = set(query.calendar_ids)
        if PRIMARY in named:
            listed = await parts_of(request).store.calendars(profile_of(request).id)
            named |= {known.id for known in listed if known.calendar.primary}
        calendars = frozenset(CalendarId(name) for name in named - {PRIMARY})
    return Filter(kinds=query.objects, types=query.types, calendars=calendars)


@asynccontextmanager
async def refused_cursors(request: web.Request) -> AsyncIterator[None]:
    """Answer a refused cursor with where to go on instead (K39)."""
    try:
        yield
    except CursorExpiredError as error:
        raise ProblemError(_refusal(request, problem_of(error), {})) from None
    except MalformedCursorError as error:
        stream = await parts_of(request).store.stream(profile_of(request).id)
        members = {"cursor": str(stream.oldest), "latest": str(stream.latest)}
        raise ProblemError(_refusal(request, problem_of(error), members)) from None


async def bodies_of(request: web.Request, activities: Sequence[Activity]) -> Sequence[bytes]:
    """Return records as they are to be read now: an account's with its relink URL (K42)."""
    if all(one.kind is not Kind.ACCOUNT for one in activities):
        return [one.body for one in activities]
    profile, url = profile_of(request), None
    with suppress(NotFoundError):  # removed meanwhile: its last records have no link any more
        profile = await parts_of(request).store.profile(profile.id)
        url = await relink_url(request, profile)
    return [
        with_relink_url(one.body, profile, url) if one.kind is Kind.ACCOUNT else one.body
        for one in activities
    ]


def end_of(batch: Batch) -> str:
    """Return the cursor behind a batch; it stays ``after-auth`` until there is such a place."""
    return AFTER_AUTH if batch.cursor is None else str(batch.cursor)


async def _read(request: web.Request, query: ActivityQuery, wanted: Filter) -> Batch:
    stream, account = parts_of(request).stream, profile_of(request).id
    cursor, limit = query.cursor, query.page_size
    return await awaited(
        request,
        query.wait,
        lambda wait: stream.read(account, cursor=cursor, limit=limit, wanted=wanted, wait=wait),
    )


def _refusal(request: web.Request, problem: Problem, members: Json) -> Problem:
    account = profile_of(request).id
    resync = {"resync": f"{base_url(request)}/v1/accounts/{account}/cal/calendars"}
    return replace(problem, members={**problem.members, **members, **resync})
