"""Microsoft Graph's events and calendars to ours (providers.md §9, MG8, MG11-MG14, MG17): pure."""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from syncd.formats.dates import nearest_day
from syncd.formats.outlook import read_recurrence
from syncd.formats.zones import iana
from syncd.model.calendar import Calendar
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Answer, Event, Person, Reminder, Status, Visibility
from syncd.model.ids import CalendarKey
from syncd.model.own import is_own
from syncd.model.when import When
from syncd.providers.graph.properties import properties_of

BROKEN = (KeyError, ValueError, TypeError, AttributeError, OverflowError)  # of a wrong shape

_ANSWERS = {
    "accepted": Answer.ACCEPTED,
    "organizer": Answer.ACCEPTED,
    "tentativelyaccepted": Answer.TENTATIVE,
    "declined": Answer.DECLINED,
}
_VISIBILITIES = {
    "personal": Visibility.PRIVATE,
    "private": Visibility.PRIVATE,
    "confidential": Visibility.CONFIDENTIAL,
}
FREE = frozenset({"free", "workingElsewhere"})
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_SERIES_DATE = re.compile(r"[0-9A-Fa-f]{32}([0-9A-Fa-f]{4})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})")
_DAY = timedelta(days=1)


def calendar_of(entry: Mapping[str, Any]) -> Calendar:
    """Return one of ``/me/calendars`` (MG17); raises one of ``BROKEN``."""
    color = entry.get("hexColor")
    told = isinstance(color, str) and _COLOR.fullmatch(color)
    return Calendar(
        key=CalendarKey(entry["id"]),
        name=entry.get("name") or "",
        color=str(color).upper() if told else None,
        primary=entry.get("isDefaultCalendar") is True,
        read_only=entry.get("canEdit") is False,
    )


def event_of(
    item: Mapping[str, Any],
    palette: Mapping[str, str],
    *,
    own: AbstractSet[str] = frozenset(),
    excluded: Iterable[When] = (),
) -> Event:
    """Return a single event or a series without its ``excluded`` starts (P8).

    ``palette`` holds colours by category, ``own`` are the addresses of the profile. Raises
    MalformedReplyError.
    """
    return _read(item, palette, own, None, tuple(excluded))


def exception_of(
    item: Mapping[str, Any],
    series: Event,
    original: When,
    palette: Mapping[str, str],
    *,
    own: AbstractSet[str] = frozenset(),
) -> Event:
    """Return the exception that stands in place of the start ``original`` of a series (MG8)."""
    return _read(item, palette, own, (series, original), ())


def start_of(item: Mapping[str, Any]) -> When:
    """Return when an event, or an entry of a few members, starts; raises one of ``BROKEN``."""
    return _start(item)[0]


def original_of(item: Mapping[str, Any], series: Event, master: Mapping[str, Any]) -> When | None:
    """Return which start of the series an exception replaces, None if the item does not say (MG8).

    It is ``originalStart``, else the day inside ``iCalUId`` at the hour of the series, whose body
    is ``master``. Of days ``originalStart`` is the midnight where the series repeats, which is not
    always told: then the nearest one.
    """
    start = series.start
    told = item.get("originalStart")
    if isinstance(told, str) and told:
        try:
            at = datetime.fromisoformat(told)
            at = at.replace(tzinfo=at.tzinfo or UTC)
            if not isinstance(start, datetime):
                return nearest_day(_in(at, _zone(_extent(master).get("recurrenceTimeZone"))))
        except (ValueError, OverflowError):
            return None
        return _in(at, start.tzinfo or UTC)
    found = _SERIES_DATE.match(str(item.get("iCalUId") or ""))
    if found is None:
        return None
    try:
        day = date(int(found[1], 16), int(found[2], 16), int(found[3], 16))
    except ValueError:  # zeros, where the id is not of an occurrence
        return None
    return datetime.combine(day, start.timetz()) if isinstance(start, datetime) else day


def _read(
    item: Mapping[str, Any],
    palette: Mapping[str, str],
    own: AbstractSet[str],
    place: tuple[Event, When] | None,
    excluded: tuple[When, ...],
) -> Event:
    try:
        return _event(item, palette, own, place, excluded)
    except BROKEN as error:
        raise MalformedReplyError(f"event {item.get('id')} cannot be read: {error!r}") from None


def _event(
    item: Mapping[str, Any],
    palette: Mapping[str, str],
    own: AbstractSet[str],
    place: tuple[Event, When] | None,
    excluded: tuple[When, ...],
) -> Event:
    start, start_zone = _start(item)
    end, end_zone = _end(item, start)
    series, original = place or (None, None)
    reminder = _reminder(item)
    organizer = _person(item.get("organizer"))
    category = next(iter(item.get("categories") or ()), "")
    return Event(
        uid=series.uid if series else item.get("iCalUId") or item["id"],
        start=start,
        end=end,
        start_zone=start_zone,
        end_zone=end_zone,
        name=item.get("subject"),
        description=(item.get("body") or {}).get("content") or None,
        location=(item.get("location") or {}).get("displayName") or None,
        created=_instant(item.get("createdDateTime")),
        modified=_instant(item.get("lastModifiedDateTime")),
        organizer=organizer,
        attendees=_attendees(item, organizer, own),
        reminders=() if reminder is None else (Reminder(minutes=reminder),),
        reminder=reminder,
        recurrence=_recurrence(item, start, excluded) if series is None else (),
        original_start=original,
        original_start_zone=series.start_zone if series else None,
        custom_properties=properties_of(item),
        visibility=_VISIBILITIES.get(str(item.get("sensitivity")), Visibility.DEFAULT),
        transparent=item.get("showAs") in FREE,
        status=Status.CANCELLED if item.get("isCancelled") is True else Status.CONFIRMED,
        color=palette.get(category),
    )


def _start(item: Mapping[str, Any]) -> tuple[When, str | None]:
    if item.get("isAllDay") is True:
        return _day(item["start"]), None
    names = [item.get("originalStartTimeZone"), item.get("originalEndTimeZone")]
    zone = _zone(_extent(item).get("recurrenceTimeZone"), *names)
    return _in(at_of(item["start"]), zone), zone.key


def _extent(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return (item.get("recurrence") or {}).get("range") or {}


def _end(item: Mapping[str, Any], start: When) -> tuple[When, str | None]:
    """Return the end; some calendars hold all-day events that end on the day they start."""
    if not isinstance(start, datetime):
        return max(_day(item["end"]), start + _DAY), None
    zone = _zone(item.get("originalEndTimeZone"), item.get("originalStartTimeZone"))
    return _in(max(at_of(item["end"]), start), zone), zone.key


def _zone(*names: str | None) -> ZoneInfo:
    """Return the first zone that is known by an IANA or Windows name (P9), else UTC."""
    found = (iana(name) for name in names if name)
    return next((zone for zone in found if zone is not None), ZoneInfo("UTC"))


def at_of(told: Mapping[str, Any]) -> datetime:
    """Return a dateTimeTimeZone: asked for in UTC (MG3), but what it says counts."""
    wall = datetime.fromisoformat(told["dateTime"])  # cuts the seventh digit off
    return wall if wall.tzinfo else wall.replace(tzinfo=_zone(told.get("timeZone")))


def _day(told: Mapping[str, Any]) -> date:
    return date.fromisoformat(told["dateTime"][:10])


def _in(at: datetime, zone: tzinfo) -> datetime:
    """Return the time in its zone; the first and the last of all times stay where they are."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def _recurrence(item: Mapping[str, Any], start: When, excluded: Iterable[When]) -> tuple[str, ...]:
    pattern = item.get("recurrence")
    if not pattern:
        return ()
    zone = start.tzinfo if isinstance(start, datetime) else None
    return (read_recurrence(pattern, start, zone or UTC), *map(_excluded_line, sorted(excluded)))


def _excluded_line(start: When) -> str:
    if not isinstance(start, datetime):
        return f"EXDATE;VALUE=DATE:{start:%Y%m%d}"
    zone = start.tzinfo
    if isinstance(zone, ZoneInfo) and zone.key != "UTC":
        return f"EXDATE;TZID={zone.key}:{start:%Y%m%dT%H%M%S}"
    return f"EXDATE:{start.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _reminder(item: Mapping[str, Any]) -> int | None:
    """Return minutes before the start; one that rings later is told by ``raw`` alone."""
    minutes = item.get("reminderMinutesBeforeStart")
    on = item.get("isReminderOn") is True and isinstance(minutes, int)
    return minutes if on and minutes is not None and minutes >= 0 else None


def _instant(text: str | None) -> datetime | None:
    at = datetime.fromisoformat(text) if text else None
    if at is None or at.date() in (date.min, date.max):
        return None
    return datetime.combine(at.date(), at.time(), at.tzinfo or UTC).astimezone(UTC)


def _person(told: Mapping[str, Any] | None) -> Person | None:
    address = (told or {}).get("emailAddress") or {}
    if not address.get("address"):
        return None
    return Person(email=address["address"], name=address.get("name"))


def _attendees(
    item: Mapping[str, Any], organizer: Person | None, own: AbstractSet[str]
) -> tuple[Person, ...]:
    """Return who is invited; the organizer among them has accepted (MG13)."""
    mine = (item.get("responseStatus") or {}).get("response")
    host = organizer.email.casefold() if organizer else ""
    people: list[Person] = []
    for told in item.get("attendees") or ():
        address = told.get("emailAddress") or {}
        email, answer = address.get("address") or "", (told.get("status") or {}).get("response")
        if is_own(email, own) and mine not in (None, "none"):
            answer = mine
        accepted = bool(host) and email.casefold() == host
        people.append(
            Person(
                email=email,
                name=address.get("name"),
                required=told.get("type") != "optional",
                resource=told.get("type") == "resource",
                answer=Answer.ACCEPTED if accepted else _answer(answer),
            )
        )
    return tuple(people)


def _answer(response: object) -> Answer:
    return _ANSWERS.get(str(response).lower(), Answer.PENDING)


def midnight(day: date) -> str:
    """Return how Graph writes a date."""
    return datetime.combine(day, time()).isoformat()
