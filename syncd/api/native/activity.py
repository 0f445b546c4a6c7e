"""The activity stream of all profiles that the caller covers (api.md N11)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.freshness import relink_url
from syncd.api.keys import tokens_of
from syncd.api.native.activity_shapes import AllActivityPage, AllActivityQuery, FollowAllQuery
from syncd.api.pages import spliced, spliced_page
from syncd.api.parts import parts_of
from syncd.api.problems import ProblemError, problem_of
from syncd.api.records import ActivityMessage, LatestCursor
from syncd.api.route import route
from syncd.api.sse import AT_ONCE, heartbeat, message, sent
from syncd.api.streams import awaited
from syncd.api.together import Piece, packed, together
from syncd.engine.records import with_relink_url
from syncd.model.access import Scope
from syncd.model.activity import Filter, Kind
from syncd.model.errors import CursorExpiredError, MalformedCursorError, NotFoundError
from syncd.model.ids import ProfileId, profile_name
from syncd.model.merged import MergedBatch, MergedCursor
from syncd.model.profile import Profile
from syncd.model.reach import Reach, reach_of

_PATH = "/v1/activity"


@route(
    "GET",
    _PATH,
    scope=Scope.READ_EVENTS,
    query=AllActivityQuery,
    answer=AllActivityPage,
    errors=(410,),
)
async def list_all_activity(request: web.Request, query: AllActivityQuery) -> web.Response:
    """List what happened in all profiles that the token covers, after a cursor.

    The records of one profile come in its order; there is none between profiles. Go on with the
    returned `cursor`; only empty `objects` means that there is no more now. `wait` holds the
    request until there is news.
    """
    reach, merged = _reach(request), parts_of(request).merged
    wanted = Filter(kinds=query.objects, types=query.types)
    cursor, limit = query.cursor, query.page_size
    async with _refused_cursors(request, reach):
        batch = await awaited(
            request,
            query.wait,
            lambda wait: merged.read(reach, cursor=cursor, limit=limit, wanted=wanted, wait=wait),
        )
    bodies = await _bodies(request, batch)
    cursors = (batch.behind(one) for one in batch.activities)
    return answer(spliced_page(bodies, cursors, str(batch.cursor)))


@route("GET", f"{_PATH}/latest", scope=Scope.READ_EVENTS, answer=LatestCursor)
async def latest_of_all(request: web.Request) -> web.Response:
    """Return the cursor at the current end of the stream of all profiles."""
    ends = await parts_of(request).merged.ends(_reach(request))
    return answer({"cursor": str(MergedCursor(ends.epoch, ends.latest))})


@route(
    "GET",
    f"{_PATH}/stream",
    scope=Scope.READ_EVENTS,
    query=FollowAllQuery,
    answer=ActivityMessage,
    content_type="text/event-stream",
    errors=(410,),
    takes=("Last-Event-ID",),
)
async def follow_all_activity(request: web.Request, query: FollowAllQuery) -> web.StreamResponse:
    """Follow all profiles that the token covers as server-sent events, with cursors as `id`.

    `Last-Event-ID` wins over `cursor`. A comment is sent every 15 s; the server ends the stream
    after 4 h, when it stops and when the token dies.
    """
    reach = _reach(request)
    cursor = request.headers.get("Last-Event-ID") or query.cursor
    wanted = Filter(kinds=query.objects, types=query.types)
    async with _refused_cursors(request, reach):
        batch = await parts_of(request).merged.read(
            reach, cursor=cursor, limit=AT_ONCE, wanted=wanted
        )
    mine = together(request).lane((reach, wanted, base_url(request)))
    look = partial(_look, request, reach, wanted)
    first = await _piece(request, batch)
    return await sent(request, first, lambda cursor: mine.ask(cursor, look))


def _reach(request: web.Request) -> Reach:
    return reach_of(tokens_of(request))


async def _look(request: web.Request, reach: Reach, wanted: Filter, cursor: str) -> Piece:
    """Return what follows a cursor, or a heartbeat; each read begins where the last one ended."""
    parts = parts_of(request)
    batch = await parts.merged.read(
        reach, cursor=cursor, limit=AT_ONCE, wanted=wanted, wait=parts.pace.heartbeat
    )
    return await _piece(request, batch)


async def _piece(request: web.Request, batch: MergedBatch) -> Piece:
    messages = list[bytes]()
    bodies = await _bodies(request, batch)
    for one, body in zip(batch.activities, bodies, strict=True):
        cursor = str(batch.behind(one))
        messages.append(message(spliced(body, ("cursor", cursor)), cursor))
    end = str(batch.cursor)
    return Piece(parts=packed(messages or [heartbeat(end)]), cursor=end)


async def _bodies(request: web.Request, batch: MergedBatch) -> Sequence[bytes]:
    """Return records with their profile; those of accounts with the relink URL of now (K42)."""
    links = dict[ProfileId, tuple[Profile | None, str | None]]()
    bodies = list[bytes]()
    for one in batch.activities:
        profile, body = one.place.profile, one.activity.body
        if one.activity.kind is Kind.ACCOUNT:
            if profile not in links:
                links[profile] = await _link(request, profile)
            body = with_relink_url(body, *links[profile])
        bodies.append(spliced(body, ("profile_id", profile_name(profile))))
    return bodies


async def _link(request: web.Request, number: ProfileId) -> tuple[Profile | None, str | None]:
    try:
        profile = await parts_of(request).store.profile(number)
    except NotFoundError:  # removed: its last records have no link any more
        return None, None
    return profile, await relink_url(request, profile)


@asynccontextmanager
async def _refused_cursors(request: web.Request, reach: Reach) -> AsyncIterator[None]:
    """Answer a refused cursor with where to go on instead (K39)."""
    members = {"resync": f"{base_url(request)}/v1/accounts"}
    try:
        yield
    except CursorExpiredError as error:
        problem = problem_of(error)
    except MalformedCursorError as error:
        problem = problem_of(error)
        ends = await parts_of(request).merged.ends(reach)
        members |= {
            "cursor": str(MergedCursor(ends.epoch, ends.floor)),
            "latest": str(MergedCursor(ends.epoch, ends.latest)),
        }
    else:
        return
    raise ProblemError(replace(problem, members={**problem.members, **members}))
