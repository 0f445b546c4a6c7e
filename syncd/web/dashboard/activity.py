"""What is happening now, in all profiles or one: a page, and the events that keep it live."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlencode

import orjson
from aiohttp import web

from syncd.engine.tail import Seen
from syncd.engine.telling import details, name
from syncd.model.activity import Filter, Kind, Type
from syncd.model.errors import CursorExpiredError, MalformedCursorError, SyncdError
from syncd.model.ids import CalendarId, ProfileId, parse_profile, profile_of_calendar
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import DESK_HEADERS, SESSIONS, session_of, show

STREAM = "/dashboard/activity/stream"
STOPPING = web.AppKey("stopping", asyncio.Event)
SHOWN = 30  # what is there when the page opens
_BEAT = timedelta(seconds=0.5)  # how soon a revoked token ends a stream (R5)
_SILENCE = 30  # beats without a word; proxies end what is quiet for longer
_STALL_SECONDS = 10
_LONGEST = 200
_HEADERS = DESK_HEADERS | {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
_NOUNS = {
    Kind.EVENT: "Event",
    Kind.CALENDAR: "Calendar",
    Kind.ACCOUNT: "Profile",
    Kind.CONTACT: "Contact",
}
_VERBS = {Type.ADD: "added", Type.UPDATE: "changed", Type.DELETE: "deleted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One activity as the page shows it; every field is plain text."""

    position: int
    profile: str
    href: str
    type: str
    verb: str
    kind: str
    name: str
    details: str
    at: str  # RFC 3339
    clock: str


def lines_of(seen: Iterable[Seen]) -> list[Line]:
    """Return what pages show of activities."""
    return [_line(one) for one in seen]


def stream_href(words: Mapping[str, str], *, after: str) -> str:
    """Return where the live events of a filter come from, those behind a cursor."""
    given = {name: value for name, value in words.items() if value}
    return f"{STREAM}?{urlencode(given | {'after': after})}"


async def watch(request: web.Request) -> web.Response:
    """Show the live page."""
    desk, words = desk_of(request), _words(request)
    profile, login = _profile(words), None
    end = await desk.tail.end(profile)  # before reading: what comes between is sent, not lost
    if profile is None:
        seen = await desk.tail.latest(limit=SHOWN, wanted=_wanted(words))
    else:
        login = (await desk.store.profile(profile)).login
        seen = (await desk.tail.back(profile, limit=SHOWN, wanted=_wanted(words))).seen
    return show(
        request,
        "activity.html",
        words=words,
        login=login,
        lines=lines_of(seen),
        stream=stream_href(words, after=end),
        kinds=[(kind.value, noun) for kind, noun in _NOUNS.items()],
        types=[(type_.value, verb) for type_, verb in _VERBS.items()],
        curl=_curl(desk.address(request), profile, words),
    )


async def follow(request: web.Request) -> web.StreamResponse:
    """Send what is recorded from now on as server-sent events."""
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    with suppress(SyncdError, ConnectionError, TimeoutError):  # the page comes back by itself
        async with aclosing(_chunks(request)) as chunks:
            async for chunk in chunks:
                async with asyncio.timeout(_STALL_SECONDS):
                    await response.write(chunk)
    return response


async def _chunks(request: web.Request) -> AsyncGenerator[bytes]:
    """Yield what is to be written, until the session or the daemon ends.

    It begins where the page was read, or where a reader broke off; at the end, if that is gone.
    """
    desk, words, quiet = desk_of(request), _words(request), 0
    sessions, session = request.config_dict[SESSIONS], session_of(request)
    stopping, profile = request.config_dict[STOPPING], _profile(words)
    cursor = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    yield b"retry: 3000\n\nevent: ready\ndata: {}\n\n"
    while True:
        news = desk.tail.follow(_wanted(words), cursor=cursor, heartbeat=_BEAT, profile=profile)
        try:
            async for one in news:
                if stopping.is_set() or not await sessions.lives(session):
                    return
                for line in lines_of(one.seen):
                    yield b"event: activity\ndata: %b\n\n" % orjson.dumps(asdict(line))
                quiet = 0 if one.seen else quiet + 1
                if one.seen or quiet == _SILENCE:
                    quiet = 0
                    yield b"id: %b\n: \n\n" % one.cursor.encode()
        except (MalformedCursorError, CursorExpiredError):
            cursor = await desk.tail.end(profile)


def _line(seen: Seen) -> Line:
    record, about = seen.record, seen.record["metadata"]
    return Line(
        position=seen.position,
        profile=str(seen.profile_id),
        href=f"/dashboard/profiles/{seen.profile_id}",
        type=record["type"],
        verb=_VERBS[Type(record["type"])],
        kind=_NOUNS[Kind(about["type"])],
        name=name(about),
        details=", ".join(details(record)),
        at=record["recorded_at"],
        clock=seen.at.strftime("%H:%M:%S"),
    )


def _words(request: web.Request) -> dict[str, str]:
    """Return what the filter says, by the names of its fields."""
    given = request.query
    kind, type_ = given.get("kind", ""), given.get("type", "")
    return {
        "profile": given.get("profile", "").strip()[:_LONGEST],
        "kind": kind if kind in set(Kind) else "",
        "type": type_ if type_ in set(Type) else "",
        "calendar": given.get("calendar", "").strip()[:_LONGEST],
    }


def _wanted(words: Mapping[str, str]) -> Filter:
    return Filter(
        kinds=frozenset({Kind(words["kind"])}) if words["kind"] else frozenset(Kind),
        types=frozenset({Type(words["type"])}) if words["type"] else frozenset(Type),
        calendars=frozenset({CalendarId(words["calendar"])}) if words["calendar"] else None,
    )


def _profile(words: Mapping[str, str]) -> ProfileId | None:
    """Return the profile that is named, or whose calendar is; one that cannot be is none."""
    named = words["profile"] or (words["calendar"] and profile_of_calendar(words["calendar"]))
    return (parse_profile(named) or ProfileId(0)) if named else None


def _curl(address: str, profile: ProfileId | None, words: Mapping[str, str]) -> str:
    """Return a command that follows the same stream (api.md K41, N11)."""
    asked = {"objects": words["kind"], "types": words["type"], "calendar_ids": words["calendar"]}
    query = urlencode({name: value for name, value in asked.items() if value})
    path = "/v1/activity/stream" if profile is None else f"/v1/accounts/{profile}/events/stream"
    url = f"{address}{path}{'?' if query else ''}{query}"
    return f"curl -N -H \"Authorization: Bearer $TOKEN\" '{url}'"
