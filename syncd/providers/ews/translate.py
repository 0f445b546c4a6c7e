"""Exchange's calendar items and folders to ours (providers.md §9, E6, E11): pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lxml.etree import _Element as Element

from syncd.formats.dates import excluded_line, nearest_day
from syncd.formats.zones import iana
from syncd.model.calendar import Calendar, Holds
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Answer, Event, File, Person, Reminder, Status, Visibility
from syncd.model.ids import CalendarKey
from syncd.model.when import When
from syncd.providers.ews.recurrence import read_lines
from syncd.providers.ews.xml import attribute, child, children, local, text

BROKEN = (KeyError, ValueError, TypeError, AttributeError, OverflowError)  # of a wrong shape
FREE = frozenset({"Free", "WorkingElsewhere"})
_ANSWERS = {
    "Accept": Answer.ACCEPTED,
    "Organizer": Answer.ACCEPTED,
    "Tentative": Answer.TENTATIVE,
    "Decline": Answer.DECLINED,
}
_VISIBILITIES = {
    "Personal": Visibility.PRIVATE,
    "Private": Visibility.PRIVATE,
    "Confidential": Visibility.CONFIDENTIAL,
}
_GUESTS = ("RequiredAttendees", "OptionalAttendees", "Resources")
_DAY = timedelta(days=1)
_UTC = ZoneInfo("UTC")
_BEGINNING = 1601  # of time in Exchange: a stamp from then is none


def calendar_of(folder: Element, *, primary: bool, holds: Holds = Holds.EVENTS) -> Calendar:
    """Return a folder as a calendar or address book (E10)."""
    key = attribute(child(folder, "FolderId"), "Id")
    if not key:
        raise MalformedReplyError(f"{local(folder)} has no id")
    return Calendar(
        key=CalendarKey(key),
        name=text(folder, "DisplayName") or "",
        primary=primary,
        read_only=text(folder, "EffectiveRights", "CreateContents") == "false",
        holds=holds,
    )


def event_of(item: Element, *, own: str = "") -> Event:
    """Return a single event, or a series without its deleted occurrences (E6, P8).

    ``own`` is the address of the profile. Raises MalformedReplyError.
    """
    return _read(item, own, None)


def exception_of(item: Element, series: Event, original: When, *, own: str = "") -> Event:
    """Return what stands in place of the start ``original`` of a series."""
    return _read(item, own, (series, original))


def modified_starts(master: Element, series: Event) -> dict[str, When]:
    """Return the original starts of a series' exceptions by their ids (E6)."""
    found, zone = dict[str, When](), _zone(master, "StartTimeZone", "EndTimeZone")
    for one in children(child(master, "ModifiedOccurrences"), "Occurrence"):
        try:
            at = _time(_needed(one, "OriginalStart"), zone)
        except BROKEN as error:
            raise MalformedReplyError(f"an exception has no original start: {error!r}") from None
        key = attribute(child(one, "ItemId"), "Id") or ""
        found[key] = nearest_day(at) if series.all_day else at
    return found


def _read(item: Element, own: str, place: tuple[Event, When] | None) -> Event:
    try:
        return _event(item, own, place)
    except BROKEN as error:
        raise MalformedReplyError(f"event {_key(item)} cannot be read: {error!r}") from None


def _key(item: Element) -> str:
    return attribute(child(item, "ItemId"), "Id") or ""


def _event(item: Element, own: str, place: tuple[Event, When] | None) -> Event:
    if local(item) != "CalendarItem":
        raise ValueError(f"a {local(item)}")
    series, original = place or (None, None)
    start, start_zone = _when(item, "Start", None)
    end, end_zone = _when(item, "End", start)
    reminder = _reminder(item)
    return Event(
        uid=series.uid if series else text(item, "UID") or _key(item),
        start=start,
        end=end,
        start_zone=start_zone,
        end_zone=end_zone,
        name=text(item, "Subject"),
        description=_body(item),
        location=text(item, "Location"),
        created=instant(text(item, "DateTimeCreated")),
        modified=instant(text(item, "LastModifiedTime")),
        organizer=_person(child(item, "Organizer", "Mailbox")),
        attendees=tuple(_attendees(item, own)),
        attachments=tuple(map(_file, children(child(item, "Attachments")))),
        reminders=() if reminder is None else (Reminder(minutes=reminder),),
        reminder=reminder,
        recurrence=() if series else _recurrence(item, start),
        original_start=original,
        original_start_zone=series.start_zone if series else None,
        visibility=_VISIBILITIES.get(text(item, "Sensitivity") or "", Visibility.DEFAULT),
        transparent=text(item, "LegacyFreeBusyStatus") in FREE,
        status=Status.CANCELLED if text(item, "IsCancelled") == "true" else Status.CONFIRMED,
    )


def _when(item: Element, name: str, start: When | None) -> tuple[When, str | None]:
    """Return a start or end and its zone: of all-day events the date there (E11)."""
    other = "EndTimeZone" if name == "Start" else "StartTimeZone"
    zone = _zone(item, f"{name}TimeZone", other)
    at = _time(_needed(item, name), zone)
    if text(item, "IsAllDayEvent") == "true":
        day = nearest_day(at)
        return (day if start is None else max(day, _after(start))), None
    return (at if not isinstance(start, datetime) else max(at, start)), zone.key


def _after(start: When) -> date:
    return (start.date() if isinstance(start, datetime) else start) + _DAY


def _zone(item: Element, *names: str) -> ZoneInfo:
    """Return the first zone that is known by its Windows name (P9), else UTC."""
    for name in names:
        named = attribute(child(item, name), "Id")
        found = iana(named) if named else None
        if found is not None:
            return found
    return _UTC


def _time(told: str, zone: ZoneInfo) -> datetime:
    """Return a time in its zone; the first and the last of all times stay where they are."""
    at = datetime.fromisoformat(told.strip())
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def _recurrence(item: Element, start: When) -> tuple[str, ...]:
    pattern = child(item, "Recurrence")
    if pattern is None:
        return ()
    zone = _zone(item, "StartTimeZone", "EndTimeZone")
    line = read_lines(pattern, start, zone)
    starts = set[When]()
    for one in children(child(item, "DeletedOccurrences"), "DeletedOccurrence"):
        at = _time(_needed(one, "Start"), zone)
        starts.add(at if isinstance(start, datetime) else nearest_day(at))
    return (line, *map(excluded_line, sorted(starts)))


def _needed(item: Element, name: str) -> str:
    found = text(item, name)
    if not found:
        raise ValueError(f"no {name}")
    return found


def _body(item: Element) -> str | None:
    told = (text(item, "Body") or "").replace("\r\n", "\n").rstrip("\n")
    return told or None


def instant(told: str | None) -> datetime | None:
    """Return a stamp, None for none; raises ValueError for what is no time."""
    at = datetime.fromisoformat(told.strip()) if told else None
    if at is None or at.year <= _BEGINNING:
        return None
    return datetime.combine(at.date(), time(at.hour, at.minute, at.second), at.tzinfo or UTC)


def _reminder(item: Element) -> int | None:
    """Return minutes before the start; after it there is none."""
    if text(item, "ReminderIsSet") != "true":
        return None
    minutes = int(text(item, "ReminderMinutesBeforeStart") or "0")
    return minutes if minutes >= 0 else None


def _person(mailbox: Element | None) -> Person | None:
    email = text(mailbox, "EmailAddress")
    return Person(email=email, name=text(mailbox, "Name")) if email else None


def _attendees(item: Element, own: str) -> Iterable[Person]:
    """Yield who is invited; a guest's own answer is the event's (MyResponseType)."""
    mine = text(item, "MyResponseType")
    for kind in _GUESTS:
        for one in children(child(item, kind), "Attendee"):
            email = text(one, "Mailbox", "EmailAddress") or ""
            answer = text(one, "ResponseType")
            if own and email.casefold() == own.casefold() and mine in _ANSWERS:
                answer = mine
            yield Person(
                email=email,
                name=text(one, "Mailbox", "Name"),
                required=kind != "OptionalAttendees",
                resource=kind == "Resources",
                answer=_ANSWERS.get(answer or "", Answer.PENDING),
            )


def _file(told: Element) -> File:
    """Return an attachment: Exchange has no address for it."""
    return File(
        url="",
        id=attribute(child(told, "AttachmentId"), "Id"),
        name=text(told, "Name"),
        mime_type=text(told, "ContentType"),
    )
