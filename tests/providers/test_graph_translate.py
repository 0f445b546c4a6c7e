"""Microsoft Graph's JSON to the model; the events here are valid by its schema (10.4)."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.model.errors import MalformedReplyError
from syncd.model.event import Answer, Event, Person, Reminder, Status, Visibility
from syncd.model.when import When
from syncd.providers.graph.translate import calendar_of, event_of, exception_of, original_of
from tests.servers.graph_schema import check

BERLIN = ZoneInfo("Europe/Berlin")
UID = "040000008200E00074C5B7101A82E008" + "00000000" + "0" * 40
ON_28 = "040000008200E00074C5B7101A82E008" + "07EA0B1C" + "0" * 40  # 2026-11-28
START = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
WEEKLY = {
    "pattern": {
        "type": "weekly",
        "interval": 1,
        "month": 0,
        "dayOfMonth": 0,
        "daysOfWeek": ["tuesday"],
        "firstDayOfWeek": "monday",
        "index": "first",
    },
    "range": {
        "type": "endDate",
        "startDate": "2026-11-24",
        "endDate": "2027-01-31",
        "recurrenceTimeZone": "W. Europe Standard Time",
        "numberOfOccurrences": 0,
    },
}


def at(text: str, zone: str = "UTC") -> dict[str, str]:
    return {"dateTime": f"{text}.0000000", "timeZone": zone}


def address(email: str, name: str | None = None) -> dict[str, Any]:
    return {"emailAddress": {"address": email, "name": name}}


def item(**changed: object) -> dict[str, Any]:
    """Return an event as Graph tells it, judged by its schema."""
    told: dict[str, Any] = {
        "@odata.etag": 'W/"1"',
        "id": "AAMk=",
        "iCalUId": UID,
        "createdDateTime": "2026-11-20T08:00:00.1234567Z",
        "lastModifiedDateTime": "2026-11-20T09:00:00Z",
        "subject": "Review",
        "body": {"contentType": "text", "content": "Agenda"},
        "location": {"displayName": "Room 2", "locationType": "default", "uniqueIdType": "unknown"},
        "start": at("2026-11-24T09:00:00"),
        "end": at("2026-11-24T10:00:00"),
        "originalStartTimeZone": "W. Europe Standard Time",
        "originalEndTimeZone": "Europe/Berlin",
        "isAllDay": False,
        "isCancelled": False,
        "isReminderOn": True,
        "reminderMinutesBeforeStart": 15,
        "sensitivity": "normal",
        "showAs": "busy",
        "type": "singleInstance",
        "categories": [],
        "attendees": [],
        "recurrence": None,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "organizer": address("ada@example.org", "Ada"),
        **changed,
    }
    check("event", told)
    return told


def read(**changed: object) -> Event:
    return event_of(item(**changed), {"Red category": "#FF0000"}, own={"me@example.org"})


def test_an_event_is_read_as_people_wrote_it() -> None:
    assert read() == Event(
        uid=UID,
        start=START,
        end=START.replace(hour=11),
        start_zone="Europe/Berlin",
        end_zone="Europe/Berlin",
        name="Review",
        description="Agenda",
        location="Room 2",
        created=datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC),
        modified=datetime(2026, 11, 20, 9, tzinfo=UTC),
        organizer=Person(email="ada@example.org", name="Ada"),
        reminders=(Reminder(minutes=15),),
        reminder=15,
        visibility=Visibility.DEFAULT,
    )
    assert read().start.utcoffset() == START.utcoffset()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"sensitivity": "personal"}, "visibility", Visibility.PRIVATE),
        ({"sensitivity": "private"}, "visibility", Visibility.PRIVATE),
        ({"sensitivity": "confidential"}, "visibility", Visibility.CONFIDENTIAL),
        ({"showAs": "free"}, "transparent", True),
        ({"showAs": "workingElsewhere"}, "transparent", True),
        ({"showAs": "tentative"}, "transparent", False),
        ({"showAs": "oof"}, "transparent", False),
        ({"isCancelled": True}, "status", Status.CANCELLED),  # MG14
        ({"isReminderOn": False}, "reminders", ()),
        ({"isReminderOn": False}, "reminder", None),
        ({"reminderMinutesBeforeStart": -5}, "reminders", ()),
        ({"reminderMinutesBeforeStart": 0}, "reminder", 0),
        ({"categories": ["Red category", "Other"]}, "color", "#FF0000"),
        ({"categories": ["Unknown"]}, "color", None),
        ({"subject": None}, "name", None),
        ({"body": {"contentType": "text", "content": ""}}, "description", None),
        ({"location": {"displayName": ""}}, "location", None),
        ({"organizer": None}, "organizer", None),
        ({"createdDateTime": "0001-01-01T00:00:00Z"}, "created", None),
    ],
)
def test_a_member_is_read_by_the_table(changed: dict[str, Any], field: str, value: object) -> None:
    assert getattr(read(**changed), field) == value


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("none", Answer.PENDING),
        ("notResponded", Answer.PENDING),
        ("accepted", Answer.ACCEPTED),
        ("organizer", Answer.ACCEPTED),
        ("tentativelyAccepted", Answer.TENTATIVE),
        ("declined", Answer.DECLINED),
    ],
)
def test_an_answer_is_read_by_the_table(told: str, answer: Answer) -> None:
    guest = {**address("bo@example.org", "Bo"), "type": "optional", "status": {"response": told}}
    (person,) = read(attendees=[guest]).attendees
    assert person == Person(email="bo@example.org", name="Bo", required=False, answer=answer)


def test_the_organizer_among_the_invited_has_accepted_and_ones_own_answer_is_the_event_s() -> None:
    """MG13: on a guest's copy Graph knows neither from the list."""
    silent = {"response": "none", "time": "0001-01-01T00:00:00Z"}
    room = {**address("room2@example.org"), "type": "resource", "status": silent}
    told = read(
        attendees=[
            {**address("Ada@example.org"), "type": "required", "status": silent},
            {**address("me@example.org"), "type": "required", "status": silent},
            room,
        ],
        responseStatus={"response": "declined", "time": "2026-11-20T08:00:00Z"},
    )
    answers = [(one.answer, one.resource) for one in told.attendees]
    assert answers == [
        (Answer.ACCEPTED, False),
        (Answer.DECLINED, False),
        (Answer.PENDING, True),
    ]


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        (("W. Europe Standard Time", None), "Europe/Berlin"),
        (("America/New_York", "Europe/Berlin"), "America/New_York"),
        (("tzone://Microsoft/Custom", "Tokyo Standard Time"), "Asia/Tokyo"),
        (("", ""), "UTC"),
        ((None, None), "UTC"),
        (("Nowhere Standard Time", None), "UTC"),
    ],
)
def test_a_zone_is_known_by_its_windows_or_iana_name(
    names: tuple[str | None, str | None], zone: str
) -> None:
    """P9, MG11: an unknown one loses its name, never the event."""
    told = read(originalStartTimeZone=names[0], originalEndTimeZone=names[1])
    assert (told.start_zone, told.start) == (zone, START)


def test_a_series_repeats_in_the_zone_of_its_pattern() -> None:
    """MG11: not in that of the request, nor of who looked last."""
    told = item(type="seriesMaster", recurrence=WEEKLY, originalStartTimeZone="UTC")
    excluded = datetime(2026, 12, 1, 10, tzinfo=BERLIN)
    series = event_of(told, {}, excluded=[excluded])
    assert (series.start, series.start_zone) == (START, "Europe/Berlin")
    assert series.recurrence == (
        "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20270131T225959Z",
        "EXDATE;TZID=Europe/Berlin:20261201T100000",
    )


def test_all_day_is_dates_that_meet_no_zone() -> None:
    told = {"isAllDay": True, "originalStartTimeZone": "Pacific/Kiritimati"}
    day = read(**told, start=at("2026-11-24T00:00:00"), end=at("2026-11-26T00:00:00"))
    assert (day.start, day.end, day.start_zone) == (date(2026, 11, 24), date(2026, 11, 26), None)
    short = read(**told, start=at("2026-11-24T00:00:00"), end=at("2026-11-24T00:00:00"))
    assert short.end == date(2026, 11, 25)
    series = item(**told, start=at("2026-11-24T00:00:00"), recurrence=WEEKLY)
    excluded = event_of(series, {}, excluded=[date(2026, 12, 8), date(2026, 12, 1)])
    assert excluded.recurrence == (
        "RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20270131",
        "EXDATE;VALUE=DATE:20261201",
        "EXDATE;VALUE=DATE:20261208",
    )


def test_the_ends_of_time_are_clamped() -> None:
    first = {"dateTime": "0001-01-01T00:00:00.0000000", "timeZone": "UTC"}
    last = {"dateTime": "9999-12-31T23:59:59.9999999", "timeZone": "UTC"}
    told = read(start=first, end=last, originalStartTimeZone="Hawaiian Standard Time")
    assert told.start == datetime(1, 1, 1, tzinfo=UTC)
    assert told.end == datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "original"),
    [
        ({"originalStart": "2026-12-01T09:00:00Z"}, datetime(2026, 12, 1, 10, tzinfo=BERLIN)),
        ({"iCalUId": ON_28}, datetime(2026, 11, 28, 10, tzinfo=BERLIN)),
        ({"iCalUId": ON_28, "originalStart": None}, datetime(2026, 11, 28, 10, tzinfo=BERLIN)),
        ({}, None),
        ({"iCalUId": "of-another-system"}, None),
    ],
)
def test_an_exception_says_which_start_it_replaces(
    changed: dict[str, Any], original: When | None
) -> None:
    """MG8."""
    series = read(type="seriesMaster", recurrence=WEEKLY)
    told = item(type="exception", seriesMasterId="AAMk=", **changed)
    assert original_of(told, series, {}) == original


def test_an_exception_of_days_replaces_a_day() -> None:
    day = {"isAllDay": True, "start": at("2026-11-24T00:00:00"), "end": at("2026-11-25T00:00:00")}
    series = read(type="seriesMaster", recurrence=WEEKLY, **day)
    assert original_of(item(iCalUId=ON_28, **day), series, {}) == date(2026, 11, 28)


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("W. Europe Standard Time", "2026-11-30T23:00:00Z"),
        ("Pacific Standard Time", "2026-12-01T08:00:00Z"),
        ("New Zealand Standard Time", "2026-11-30T11:00:00Z"),
        ("UTC", "2026-12-01T00:00:00Z"),
        ("tzone://Microsoft/Custom", "2026-11-30T23:00:00Z"),
        ("", "2026-12-01T08:00:00Z"),
        ("", "2026-12-01T00:00:00Z"),
    ],
)
def test_a_day_that_is_replaced_is_a_midnight_where_its_series_repeats(
    zone: str, midnight: str
) -> None:
    """MG8, F17, microsoft-graph-docs#7163: guests are not told the zone."""
    day = {"isAllDay": True, "start": at("2026-11-24T00:00:00"), "end": at("2026-11-25T00:00:00")}
    told = {**WEEKLY, "range": {**WEEKLY["range"], "recurrenceTimeZone": zone}}
    master = item(type="seriesMaster", recurrence=told, **day)
    exception = item(originalStart=midnight, **day)
    assert original_of(exception, event_of(master, {}), master) == date(2026, 12, 1)


def test_an_exception_has_the_uid_of_its_series() -> None:
    """MG12."""
    series = read(type="seriesMaster", recurrence=WEEKLY)
    original = datetime(2026, 12, 1, 10, tzinfo=BERLIN)
    moved = item(type="exception", iCalUId=ON_28, start=at("2026-12-02T09:00:00"))
    found = exception_of({**moved, "end": at("2026-12-02T10:00:00")}, series, original, {})
    assert (found.uid, found.original_start, found.recurrence) == (UID, original, ())
    assert found.original_start_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "A"},
        {"id": "A", "start": {"dateTime": "soon"}, "end": {}},
        {"id": "A", "isAllDay": True, "start": {"dateTime": None}, "end": None},
        {"id": "A", "iCalUId": UID, "start": at("2026-11-24T09:00:00"), "end": None},
        {**item(), "attendees": ["bo@example.org"]},
        {**item(), "recurrence": {"pattern": {"type": "sometimes"}}},
    ],
)
def test_what_is_no_event_is_malformed(broken: dict[str, Any]) -> None:
    """I10: it becomes unread, and does not end the poll."""
    with pytest.raises(MalformedReplyError):
        event_of(broken, {})


def test_a_calendar_is_read_by_the_table() -> None:
    """MG17."""
    told = {
        "id": "AAMkC=",
        "name": "Calendar",
        "color": "auto",
        "hexColor": "#a0c4ff",
        "isDefaultCalendar": True,
        "canEdit": True,
    }
    check("calendar", told)
    found = calendar_of(told)
    assert (found.key, found.name, found.color) == ("AAMkC=", "Calendar", "#A0C4FF")
    assert (found.primary, found.read_only) == (True, False)
    other = calendar_of({**told, "hexColor": "", "isDefaultCalendar": False, "canEdit": False})
    assert (other.color, other.primary, other.read_only) == (None, False, True)
