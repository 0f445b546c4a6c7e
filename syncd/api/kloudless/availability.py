"""Free time of calendars of one or several accounts (api.md K28)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from aiohttp import web
from pydantic import Field, StrictInt

from syncd.api.answers import answer
from syncd.api.auth import ME
from syncd.api.freshness import HEADERS, cursors_of, freshness_of
from syncd.api.keys import PROFILE, profiles_of
from syncd.api.parts import parts_of
from syncd.api.problems import invalid
from syncd.api.route import Shape, route
from syncd.api.spans import MOST_FOUND, Duration, TimeWindow, Windows
from syncd.engine.availability import Range, gaps, slots, united
from syncd.model.access import Scope
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import NotFoundError
from syncd.model.ids import PRIMARY, CalendarId, is_room_calendar
from syncd.model.profile import Profile

_MILLISECOND, _MINUTE = timedelta(milliseconds=1), 60_000
_BODY = {
    "meeting_duration": "PT1H",
    "time_slot_increment": 30,
    "time_windows": [{"start": "2026-11-24T10:00:00+07:00", "end": "2026-11-24T12:00:00+07:00"}],
}
_FOUND = {
    "time_windows": [{"start": "2026-11-24T10:00:00+07:00", "end": "2026-11-24T11:00:00+07:00"}],
    "type": "availability",
    "api": "calendar",
}


class AvailabilityQuery(Shape, json_schema_extra={"examples": [_BODY]}):
    """Which calendars must be free, for how long and when."""

    calendars: tuple[str, ...] | dict[str, tuple[str, ...]] | None = Field(
        default=None,
        description="Ids of calendars; with several accounts, by account. Else the primary one.",
    )
    meeting_duration: Duration
    time_windows: Windows
    time_slot_increment: StrictInt | None = Field(
        default=None, ge=0, description="Minutes between slots; none or 0 for free ranges."
    )


class FreeWindow(Shape):
    """A free range, or a slot."""

    start: str
    end: str


class Availability(Shape, json_schema_extra={"examples": [_FOUND]}):
    """Free ranges or slots, window by window."""

    time_windows: tuple[FreeWindow, ...]
    type: str
    api: str


@route(
    "POST",
    "/v1/accounts/{account_ids}/cal/availability",
    scope=Scope.READ_FREE_BUSY,
    body=AvailabilityQuery,
    answer=Availability,
    errors=(423, 429, 502, 503, 504),
    headers=(*HEADERS, "X-Syncd-Truncated"),
)
async def find_availability(request: web.Request, body: AvailabilityQuery) -> web.Response:
    """Find the times at which all calendars are free for a meeting.

    Each window is answered by itself, in order, with its own offset: the ranges that are free for
    at least `meeting_duration`, or with `time_slot_increment` the slots of that length that begin
    at the window's start and every so many minutes behind it. What is transparent, cancelled or
    declined by the account itself is free; all-day events last from 00:00 to 00:00 in the
    calendar's zone. When the calendars of rooms are taken, their provider says at once.
    """
    parts, profiles = parts_of(request), profiles_of(request)
    wanted = _wanted(body, profiles, alias=request.match_info["account_ids"] == ME)
    asked = [(profile, *_parted(profile, wanted.get(profile.id, ()))) for profile in profiles]
    kept = [(profile, names) for profile, names, rooms in asked if names or not rooms]
    cursors = await cursors_of(parts.store, [profile for profile, _ in kept])
    whose = [
        (profile, known.as_of(profile.polled_at))
        for profile, names in kept
        for known in _named(await parts.store.calendars(profile.id), names)
    ]
    spans = [window.span for window in body.time_windows]
    live = [(profile, rooms) for profile, _, rooms in asked if rooms]
    taken = await _taken(request, live, spans)
    busy = await parts.busy.read(whose, spans)
    windows = [united((*some, *taken)) for some in busy.windows] if live else busy.windows
    found = list(islice(_found(body, windows), MOST_FOUND + 1))
    told = freshness_of(
        profiles,
        cursors,
        [known for _, known in whose],
        read_at=parts.clock.now() if live else None,
        truncated=busy.cut or len(found) > MOST_FOUND,
    )
    listed = [
        {"start": window.written(start), "end": window.written(end)}
        for window, (start, end) in found[:MOST_FOUND]
    ]
    return answer({"time_windows": listed, "type": "availability", "api": "calendar"}, headers=told)


def _wanted(
    body: AvailabilityQuery, profiles: Sequence[Profile], *, alias: bool
) -> Mapping[int, tuple[str, ...]]:
    """Return the calendars that are named, by account."""
    given = body.calendars
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        if len(profiles) > 1:
            raise invalid("with several accounts, name calendars by account", field="calendars")
        return {profiles[0].id: given}
    ids = {str(profile.id): int(profile.id) for profile in profiles}
    if alias:
        ids[ME] = int(profiles[0].id)
    if unknown := sorted(given.keys() - ids.keys()):
        raise invalid(f"the path does not name the account {unknown[0]}", field="calendars")
    return {ids[name]: named for name, named in given.items()}


def _parted(
    profile: Profile, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[CalendarId, ...]]:
    """Return the calendars of the snapshot, and those of rooms, each once."""
    rooms = [CalendarId(one) for one in names if is_room_calendar(one, profile.id)]
    return tuple(one for one in names if one not in rooms), tuple(dict.fromkeys(rooms))


async def _taken(
    request: web.Request,
    live: Iterable[tuple[Profile, Sequence[CalendarId]]],
    spans: Sequence[Range],
) -> list[Range]:
    """Return when rooms are taken, which the provider is asked for now."""
    found = list[Range]()
    for profile, rooms in live:
        request[PROFILE] = profile  # whose it is if the provider refuses its login
        try:
            found += await parts_of(request).room_calendars.busy(profile, rooms, spans)
        except NotFoundError as error:
            raise invalid(str(error), field="calendars") from None
    return found


def _named(known: Iterable[KnownCalendar], names: Sequence[str]) -> list[KnownCalendar]:
    """Return an account's calendars of these names, without one its primary (R9)."""
    ids = {str(one.id): one for one in known}
    primary = next((one for one in ids.values() if one.calendar.primary), None)
    if primary is not None:
        ids[PRIMARY] = primary
    named = names or (PRIMARY,)
    if unknown := [name for name in named if name not in ids]:
        raise invalid(f"there is no calendar {unknown[0]}", field="calendars")
    return list({ids[name].id: ids[name] for name in named}.values())


def _found(
    body: AvailabilityQuery, busy: Sequence[Sequence[Range]]
) -> Iterator[tuple[TimeWindow, Range]]:
    length = body.meeting_duration // _MILLISECOND
    step = (body.time_slot_increment or 0) * _MINUTE
    for window, taken in zip(body.time_windows, busy, strict=True):
        free = [one for one in gaps(taken, window.span) if one[1] - one[0] >= length]
        begin, _ = window.span
        for one in slots(free, begin=begin, length=length, step=step) if step else free:
            yield window, one
