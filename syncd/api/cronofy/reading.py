"""What a request for events or for free and busy times asks, and reading it (api.md C6, C8)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from syncd.api.cronofy.asking import Place, Reach, chosen, reach
from syncd.api.cronofy.objects import UTC_ZONE
from syncd.api.cronofy.pages import Asked
from syncd.api.keys import tokens_of
from syncd.api.params import Flag, Moment, near
from syncd.api.parts import parts_of
from syncd.api.problems import invalid
from syncd.api.route import Shape
from syncd.engine.agenda import AgendaPage, AgendaQuery, Listed, Managed
from syncd.formats.zones import iana
from syncd.model.ids import CalendarId, Cursor, EventId
from syncd.model.managed import application_of

BEFORE = timedelta(days=42)
BEHIND = timedelta(days=201)
A_PAGE = 200


class PeriodQuery(Shape):
    """The parameters of C8, all of which C6 has too."""

    tzid: str = Field(default=UTC_ZONE, description="The zone of dates in `from` and `to`.")
    from_: Moment | None = Field(
        default=None, alias="from", description="Default: 42 days before today."
    )
    to: Moment | None = Field(default=None, description="Default: 201 days after today.")
    calendar_ids: tuple[str, ...] = Field(
        default=(), alias="calendar_ids[]", description="Calendars to look at; none means all."
    )
    include_managed: Flag = Field(default=False, description="Also what this application made.")
    localized_times: Flag = Field(default=False, description="Times as `time` and `tzid`.")


class EventsOfUserQuery(PeriodQuery):
    """The parameters of C6."""

    last_modified: Moment | None = Field(
        default=None, description="Only what was recorded at or after this."
    )
    only_managed: Flag = Field(default=False, description="Only what this application made.")
    include_deleted: Flag = Field(
        default=False, description="Also what was deleted within the retention time."
    )
    include_moved: Flag = Field(
        default=False, description="Also what lay in the window at some retained time."
    )
    include_geo: Flag = Field(default=False, description="`lat` and `long` of a location.")


async def first(request: web.Request, kind: str, query: PeriodQuery) -> tuple[Asked, Reach]:
    """Return what the first page asks, and what the tokens cover."""
    zone = zone_named(query.tzid, field="tzid")
    now = parts_of(request).clock.now()
    today = datetime.combine(now.astimezone(zone).date(), time(), zone)
    start = today - BEFORE if query.from_ is None else moment(query.from_, zone)
    end = today + BEHIND if query.to is None else moment(query.to, zone)
    if end < start:
        raise invalid("to must not be before from", field="to")
    whole = await reach(request, deleted=True)
    places = chosen(whole, query.calendar_ids)
    asked = Asked(
        kind=kind,
        told_at=now,
        start=start,
        end=end,
        usual_start=query.from_ is None,
        usual_end=query.to is None,
        tzid=query.tzid,
        calendars=tuple(one.calendar.id for one in places) if query.calendar_ids else None,
        managed=Managed.ALSO if query.include_managed else Managed.LEFT_OUT,
        localized=query.localized_times,
        cursors={int(one): str(cursor) for one, cursor in whole.cursors.items()},
    )
    if isinstance(query, EventsOfUserQuery):
        since = query.last_modified
        asked = asked.model_copy(
            update={
                "since": None if since is None else moment(since, zone),
                "managed": Managed.ONLY if query.only_managed else asked.managed,
                "deleted": query.include_deleted,
                "moved": query.include_moved,
                "geo": query.include_geo,
            }
        )
    return asked, whole


async def listed(
    request: web.Request, asked: Asked, whole: Reach
) -> tuple[AgendaPage, Asked | None]:
    """Return a page, and what the next one is, None behind the last."""
    places = _places(asked, whole)
    page = await parts_of(request).agenda.page(
        AgendaQuery(
            calendars=[
                Listed(
                    profile=one.profile.id,
                    calendar=one.calendar.id,
                    zone=one.calendar.calendar.timezone,
                )
                for one in places
            ],
            start=asked.start.astimezone(UTC),
            end=asked.end.astimezone(UTC),
            usual_start=asked.usual_start,
            usual_end=asked.usual_end,
            since=asked.since,
            application=application_of(tokens_of(request)[0]),
            managed=asked.managed,
            deleted=asked.deleted,
            moved=asked.moved,
            behind=asked.behind and (asked.behind[0], EventId(asked.behind[1])),
            limit=A_PAGE,
        )
    )
    if not page.more:
        return page, None
    now = parts_of(request).clock.now()
    last = {"number": asked.number + 1, "behind": page.events[-1].place, "told_at": now}
    return page, asked.model_copy(update=last)


def headers(asked: Asked, whole: Reach, page: AgendaPage) -> dict[str, str]:
    """Return how fresh a page is; all pages name the streams' positions of the first (R21)."""
    cursors = {
        one.id: Cursor.parse(asked.cursors[one.id])
        for one in whole.profiles
        if one.id in asked.cursors
    }
    profiles = [one for one in whole.profiles if one.id in cursors]
    there = Reach(profiles=profiles, cursors=cursors, places=_places(asked, whole))
    return there.headers(truncated=page.truncated)


def places_by_id(whole: Reach) -> dict[CalendarId, Place]:
    """Return the calendars by their ids."""
    return {one.calendar.id: one for one in whole.places}


def zone_named(name: str, *, field: str) -> ZoneInfo:
    """Return a zone; one that is unknown is a problem of ``field`` (R12)."""
    zone = iana(name)
    if zone is None:
        raise invalid(f"there is no zone {name!r}: use a name of the IANA list", field=field)
    return zone


def moment(given: Moment, zone: ZoneInfo) -> datetime:
    """Return the instant of a date or a local time in a zone, or of a time with its offset."""
    if not isinstance(given, datetime):
        given = datetime.combine(given, time(), zone)
    return near(given if given.tzinfo else given.replace(tzinfo=zone))


def _places(asked: Asked, whole: Reach) -> list[Place]:
    """Return the calendars of a listing that there still are."""
    if asked.calendars is None:
        return list(whole.places)
    return [one for one in whole.places if one.calendar.id in asked.calendars]
