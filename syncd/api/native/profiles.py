"""Profiles with their health, and what may be done to them (api.md N8, N10, N12, N13)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.freshness import relink_url
from syncd.api.keys import profile_of
from syncd.api.native.shapes import (
    ConfirmBody,
    LastPoll,
    PolledProfile,
    Profile,
    RelinkUrl,
    SyncQuery,
    UnreadList,
)
from syncd.api.pages import cut, read_page
from syncd.api.params import Paged
from syncd.api.parts import Json, parts_of
from syncd.api.route import route
from syncd.engine.records import account_document
from syncd.model.access import Scope
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import InvalidError
from syncd.model.ids import PRIMARY, CalendarId
from syncd.model.profile import Profile as Known
from syncd.model.resource import Fault, Tally
from syncd.model.when import utc

MOST_SECONDS = 86_400.0  # that a timedelta is asked to hold
_PATH = "/v1/profiles/{profile_id}"
_MOST_FAULTS = 1000


@route("GET", _PATH, scope=Scope.READ_ACCOUNT, answer=Profile)
async def retrieve_profile(request: web.Request) -> web.Response:
    """Return a profile with its state, its calendars and what went wrong last."""
    return answer(await profile_object(request, profile_of(request)))


@route("GET", f"{_PATH}/errors", scope=Scope.READ_ACCOUNT, query=Paged, answer=UnreadList)
async def list_unread(request: web.Request, query: Paged) -> web.Response:
    """List events that could not be read, newest first, the last 1,000 of them."""
    profile = profile_of(request)
    name = f"errors|{profile.id}"
    place = read_page(query.page, of=name)
    faults = await parts_of(request).store.faults(profile.id, limit=_MOST_FAULTS)
    behind = list(faults)
    if place.behind is not None:
        keys = [(calendar, fault.key) for calendar, fault in faults]
        last = (place.behind[0], place.behind[1])
        if last not in keys:
            raise InvalidError("this page is stale; begin without page", field="page")
        behind = behind[keys.index(last) + 1 :]
    shown, around = cut(
        behind, query.page_size, of=name, place=place, key=lambda one: [one[0], one[1].key]
    )
    return answer(around | {"objects": [_unread(calendar, fault) for calendar, fault in shown]})


@route(
    "POST",
    f"{_PATH}/sync",
    scope=Scope.MANAGE_PROFILES,
    query=SyncQuery,
    status=202,
    answer=LastPoll,
    more={200: PolledProfile},
    errors=(409, 423),
)
async def poll_profile(request: web.Request, query: SyncQuery) -> web.Response:
    """Poll now, at most once a second; a running poll is joined.

    With `wait` the answer comes after the poll, with the profile and how many `activities` were
    recorded, null if the poll took longer.
    """
    profile, parts = profile_of(request), parts_of(request)
    if query.wait is None:
        await parts.ticker.poll_now(profile.id, wait=None)
        return answer({"polled_at": _instant(profile.polled_at)}, status=202)
    wait = min(timedelta(seconds=min(query.wait, MOST_SECONDS)), parts.pace.longest_wait)
    activities = await parts.ticker.poll_now(profile.id, wait=wait)
    after = await parts.store.profile(profile.id)
    return answer(await profile_object(request, after) | {"activities": activities})


@route("POST", f"{_PATH}/pause", scope=Scope.MANAGE_PROFILES, answer=Profile)
async def pause_profile(request: web.Request) -> web.Response:
    """Stop polling until it is resumed; reading goes on."""
    paused = await parts_of(request).control.pause(profile_of(request).id)
    return answer(await profile_object(request, paused))


@route("POST", f"{_PATH}/resume", scope=Scope.MANAGE_PROFILES, answer=Profile)
async def resume_profile(request: web.Request) -> web.Response:
    """Poll again, at once."""
    resumed = await parts_of(request).control.resume(profile_of(request).id)
    return answer(await profile_object(request, resumed))


@route("POST", f"{_PATH}/relink", scope=Scope.MANAGE_PROFILES, answer=RelinkUrl)
async def renew_relink(request: web.Request) -> web.Response:
    """Return where a person signs in again; of a connected profile it lives for 24 h."""
    path = await parts_of(request).linking.renew_link(profile_of(request))
    return answer({"relink_url": base_url(request) + path})


@route(
    "POST",
    f"{_PATH}/confirm_deletes",
    scope=Scope.MANAGE_PROFILES,
    body=ConfirmBody,
    status=202,
    answer=Profile,
)
async def confirm_deletes(request: web.Request, body: ConfirmBody) -> web.Response:
    """Record suspect absences as deletes, of one calendar or of all."""
    parts, profile = parts_of(request), profile_of(request)
    calendar = None if body.calendar_id is None else CalendarId(body.calendar_id)
    if calendar == PRIMARY:
        listed = await parts.store.calendars(profile.id)
        calendar = next((known.id for known in listed if known.calendar.primary), calendar)
    profile = await parts.control.confirm_deletes(profile.id, calendar)
    return answer(await profile_object(request, profile), status=202)


@route("DELETE", _PATH, scope=Scope.MANAGE_PROFILES, status=204)
async def remove_profile(request: web.Request) -> web.Response:
    """Erase the credentials and what was read; the stream ends with a `delete`."""
    await parts_of(request).control.remove(profile_of(request).id)
    return web.Response(status=204)


async def profile_object(request: web.Request, profile: Known) -> Json:
    """Return N8's object."""
    parts = parts_of(request)
    stream = await parts.store.stream(profile.id)
    error = profile.last_error
    return {
        "profile_id": profile.public_name,
        "account_id": str(profile.id),
        "user_id": profile.user_id,
        "provider": profile.provider,
        "service": account_document(profile)["service"],
        "login": profile.login,
        "name": profile.name,
        "state": profile.state,
        "state_reason": profile.state_reason,
        "state_since": utc(profile.state_since),
        "relink_url": await relink_url(request, profile),
        "created": utc(profile.created),
        "polled_at": _instant(profile.polled_at),
        "next_poll_at": _instant(profile.next_poll_at),
        "consecutive_failures": profile.failures,
        "last_error": error and {"at": utc(error.at), "code": error.code, "message": error.message},
        "cursor": str(stream.latest),
        "oldest_cursor": str(stream.oldest),
        "calendars": await _calendars(request, profile),
    }


async def _calendars(request: web.Request, profile: Known) -> Sequence[Json]:
    parts = parts_of(request)
    tallies = await parts.store.tallies(profile.id)
    now = parts.clock.now()
    listed = [one.as_of(profile.polled_at) for one in await parts.store.calendars(profile.id)]
    return [_calendar(known, tallies.get(known.id, Tally()), now) for known in listed]


def _calendar(known: KnownCalendar, tally: Tally, now: datetime) -> Json:
    lag = known.lag(now)
    return {
        "calendar_id": known.id,
        "name": known.calendar.name,
        "primary": known.calendar.primary,
        "readonly": known.calendar.read_only,
        "events": tally.events,
        "polled_at": _instant(known.polled_at),
        "lag_seconds": None if lag is None else lag.total_seconds(),
        "reconciled_at": _instant(known.reconciled_at),
        "mode": known.mode,
        "suspect_deletes": tally.suspect_deletes,
        "unparsed": tally.unparsed,
        "last_error": known.last_error,
    }


def _unread(calendar: CalendarId, fault: Fault) -> Json:
    return {
        "calendar_id": calendar,
        "href": fault.key,
        "first_seen": _instant(fault.first_seen),
        "count": fault.count,
        "message": fault.message,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else utc(at)
