"""Kloudless objects from what the engine tells: links, raw bodies, the calendar behind an id."""

from collections.abc import Mapping

import orjson
from aiohttp import web
from pydantic import Field

from syncd.api.address import base_url
from syncd.api.freshness import relink_url
from syncd.api.keys import profile_of
from syncd.api.pages import spliced
from syncd.api.params import Flag, parse_query
from syncd.api.parts import Json, parts_of
from syncd.api.route import Shape
from syncd.engine.occurrences import ListedEvent
from syncd.engine.records import account_document, calendar_document
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import NotFoundError
from syncd.model.ids import PRIMARY, CalendarId, ResourceKey, is_room_calendar
from syncd.model.profile import Profile
from syncd.model.resource import RawResource

RAW = "X-Kloudless-Raw-Data"
_ONLY_IDS = frozenset({"ews"})
ERRORS = (400, 409, 423, 429, 502, 503, 504)  # of what asks the provider (R15)


class _Options(Shape):
    raw: Flag = Field(default=False, alias=RAW)


def wants_raw(request: web.Request) -> bool:
    """Tell whether the caller asked for the provider's own objects (K11)."""
    given = request.headers.get(RAW)
    return given is not None and parse_query(_Options, {RAW: given}).raw


async def account_object(request: web.Request, profile: Profile) -> Json:
    """Return K1's object."""
    return account_document(profile) | {
        "relink_url": await relink_url(request, profile),
        "href": f"{base_url(request)}/v1/accounts/{profile.id}",
    }


def calendar_object(request: web.Request, known: KnownCalendar) -> Json:
    """Return a calendar, with its raw object if that was asked for."""
    told = calendar_document(known)
    if wants_raw(request):
        shown = {"href": known.key, "etag": None, "ical": None}
        told["raw"] = raw_member(profile_of(request), known.key, shown)
    told["href"] = calendar_href(request, known.profile_id, known.id)
    return told


def event_object(
    request: web.Request,
    profile: Profile,
    event: ListedEvent,
    raw: Mapping[ResourceKey, RawResource],
) -> bytes:
    """Return a stored event with what is not stored: its link, and its raw object if known."""
    calendar = calendar_href(request, profile.id, event.calendar_id)
    members: list[tuple[str, object]] = []
    body = raw.get(event.key)
    if body is not None:
        members.append(("raw", raw_member(profile, body.key, raw_object(body, "ical"))))
    return spliced(event.document, *members, ("href", f"{calendar}/events/{event.id}"))


def raw_member(profile: Profile, key: str, told: object) -> Json:
    """Return the member ``raw``: of Exchange no more than the provider's id (K11)."""
    return {"id": key} if profile.provider in _ONLY_IDS else {"id": key, "object": told}


def raw_object(body: RawResource, text: str) -> object:
    """Return JSON where the provider speaks JSON, else its ``text`` beside href and etag."""
    if body.raw.startswith(b"{"):
        return orjson.loads(body.raw)
    return {"href": body.key, "etag": body.etag, text: body.raw.decode(errors="replace")}


def calendar_href(request: web.Request, account: int, calendar: CalendarId) -> str:
    """Return a calendar's URL."""
    return f"{base_url(request)}/v1/accounts/{account}/cal/calendars/{calendar}"


async def calendar_named(
    request: web.Request, profile: Profile, name: str, *, removed: bool = False
) -> KnownCalendar:
    """Return a calendar of the profile by its id, or the primary one (R9); no room's (K18).

    One that is gone only by its id, and only if ``removed``.
    """
    if is_room_calendar(name):
        raise NotFoundError(f"of the calendar of a room only events can be listed: {name}")
    for known in await parts_of(request).store.calendars(profile.id, removed=removed):
        primary = known.calendar.primary and known.removed_at is None
        if known.id == name or (name == PRIMARY and primary):
            return known.as_of(profile.polled_at)
    raise NotFoundError(f"there is no calendar {name}")
