"""One profile: how it is doing, its calendars, its polls, its activities, and what can be done."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, Position, parse_profile
from syncd.model.profile import Profile
from syncd.model.resource import Tally
from syncd.web.dashboard.activity import lines_of, stream_href
from syncd.web.dashboard.chart import chart
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import Choices, away, one, show
from syncd.web.dashboard.people import names_of, whose

SHOWN = 30  # activities on a page
_PATIENCE = timedelta(seconds=20)  # with a poll that somebody asked for
_ROOT = "/dashboard/profiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A calendar and how much it holds."""

    known: KnownCalendar
    tally: Tally


def path_of(profile: Profile) -> str:
    """Return where a profile's page is."""
    return f"{_ROOT}/{profile.id}"


async def profile_named(request: web.Request) -> Profile:
    """Return the profile of the request's path; raises NotFoundError."""
    number = parse_profile(request.match_info["profile"])
    if number is None:
        raise NotFoundError("there is no such profile")
    return await desk_of(request).store.profile(number)


async def retrieve(request: web.Request) -> web.Response:
    """Show one profile."""
    desk, profile = desk_of(request), await profile_named(request)
    link = await desk.linking.relink_path(profile)
    before = _position(request.query.get("before", ""))
    end = await desk.tail.end(profile.id)
    page = await desk.tail.back(profile.id, before=before, limit=SHOWN)
    user = await desk.store.user(profile.user_id)
    return show(
        request,
        "profile.html",
        profile=profile,
        user=whose(user, await names_of(desk.store)),
        relink_url=None if link is None else desk.address(request) + link,
        calendars=await _rows(request, profile),
        chart=chart(desk.ticker.diary.of(profile.id)),
        lines=lines_of(page.seen),
        newest=before is None,
        older=None if page.older is None else f"{path_of(profile)}?before={page.older}#activity",
        stream=stream_href({"profile": str(profile.id)}, after=end),
    )


async def poll(request: web.Request, _: Choices) -> web.Response:
    """Poll now; the answer comes after the poll, unless that takes long."""
    profile = await profile_named(request)
    counted = await desk_of(request).ticker.poll_now(profile.id, wait=_PATIENCE)
    return _back(profile, "polling" if counted is None else "polled")


async def pause(request: web.Request, _: Choices) -> web.Response:
    """Stop polling until resumed."""
    profile = await profile_named(request)
    await desk_of(request).control.pause(profile.id)
    return _back(profile, "paused")


async def resume(request: web.Request, _: Choices) -> web.Response:
    """Poll again."""
    profile = await profile_named(request)
    await desk_of(request).control.resume(profile.id)
    return _back(profile, "resumed")


async def relink(request: web.Request, _: Choices) -> web.Response:
    """Make a link at which the person signs in again."""
    profile = await profile_named(request)
    await desk_of(request).linking.renew_link(profile)
    return _back(profile, "relink")


async def ask_deletes(request: web.Request) -> web.Response:
    """Say what confirming would delete, in one calendar or in all."""
    profile = await profile_named(request)
    return await _ask(request, profile, request.query.get("calendar") or None)


async def confirm_deletes(request: web.Request, given: Choices) -> web.Response:
    """Delete what is missing, if it is still as much as the page said."""
    profile = await profile_named(request)
    calendar = one(given, "calendar") or None
    held = await _held(request, profile, calendar)
    if str(sum(row.tally.suspect_deletes for row in held)) != one(given, "count"):
        return await _ask(request, profile, calendar, moved=True)
    wanted = None if calendar is None else CalendarId(calendar)
    await desk_of(request).control.confirm_deletes(profile.id, wanted)
    return _back(profile, "confirmed")


async def _ask(
    request: web.Request, profile: Profile, calendar: str | None, *, moved: bool = False
) -> web.Response:
    held = await _held(request, profile, calendar)
    return show(
        request,
        "confirm.html",
        status=409 if moved else 200,
        profile=profile,
        calendar=calendar,
        held=held,
        count=sum(row.tally.suspect_deletes for row in held),
        action=f"{path_of(profile)}/confirm",
        moved=moved,
    )


async def _held(request: web.Request, profile: Profile, calendar: str | None) -> list[Row]:
    rows = await _rows(request, profile)
    return [row for row in rows if row.tally.suspect_deletes and calendar in {None, row.known.id}]


async def _rows(request: web.Request, profile: Profile) -> list[Row]:
    store = desk_of(request).store
    tallies = await store.tallies(profile.id)
    listed = await store.calendars(profile.id, holds=None)
    return [
        Row(known=known.as_of(profile.polled_at), tally=tallies.get(known.id, Tally()))
        for known in sorted(listed, key=lambda known: known.holds is not Holds.EVENTS)
    ]


def _back(profile: Profile, done: str) -> web.Response:
    """Return to the profile's page, where the outcome is seen."""
    return away(f"{path_of(profile)}?done={done}")


def _position(text: str) -> Position | None:
    known = text.isascii() and text.isdecimal() and len(text) <= 18  # noqa: PLR2004 - 63 bits
    return Position(int(text)) if known else None
