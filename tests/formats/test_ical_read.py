from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncd.formats.ical_read import read_resource
from syncd.formats.lines import DEEPEST, LONGEST_LINE, MOST_LINES
from syncd.model.errors import MalformedReplyError
from syncd.model.event import (
    Answer,
    CustomProperty,
    Email,
    File,
    Geo,
    Person,
    Reminder,
    Status,
    Visibility,
)
from syncd.model.resource import slot
from tests.formats.written import (
    KEY,
    event,
    resource,
    vcalendar,
    vevent,
)

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
SERIES = ("DTSTART;TZID=Europe/Berlin:20261124T100000", "RRULE:FREQ=WEEKLY;COUNT=4")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("GEO:52.5;-13.4", Geo(lat=52.5, long=-13.4)),
        ("GEO:+52.5000001\\; 13.4", Geo(lat=52.5, long=13.4)),
        *(
            (f"GEO:{one}", None)
            for one in ("", ";", "52.5", "91;0", "0;181", "nan;0", "a;b", "1;2;3")
        ),
    ],
)
def test_a_place_is_read_if_it_is_on_the_globe(line: str, place: Geo | None) -> None:
    """Anything else in GEO does not cost the event."""
    assert event(line).geo == place


def test_text_is_read_as_it_was_meant() -> None:
    found = event(
        "SUMMARY:Review\\, weekly", "DESCRIPTION:one\\ntwo\\;", "LOCATION:Room 1", "COLOR:turquoise"
    )
    assert (found.name, found.description) == ("Review, weekly", "one\ntwo;")
    assert (found.location, found.color, found.uid) == ("Room 1", "turquoise", "8d1c@example.org")


def test_stamps_are_read_and_their_absence_is_null() -> None:
    found = event("CREATED:20261120T080000Z", "LAST-MODIFIED:20261120T081500Z")
    assert found.created == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert found.modified == datetime(2026, 11, 20, 8, 15, tzinfo=UTC)
    bare = event("DTSTAMP:20261120T080000Z")
    assert (bare.created, bare.modified) == (None, None)


def test_the_body_is_kept_byte_for_byte_p10() -> None:
    raw = vcalendar("X-ODD;A=b:c\n", vevent("DTSTART:20261124T090000Z", "X-KEEP:me"))
    assert read_resource(KEY, raw).raw == raw


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        (["DTEND:20261124T100000Z"], NINE + timedelta(hours=1)),
        (["DURATION:PT90M"], NINE + timedelta(minutes=90)),
        (["DURATION:P1DT1H"], NINE + timedelta(hours=25)),
        ([], NINE),
    ],
)
def test_the_end_is_dtend_else_duration_else_the_start(lines: list[str], end: datetime) -> None:
    assert event(*lines).end == end


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ([], date(2026, 11, 25)),
        (["DTEND;VALUE=DATE:20261126"], date(2026, 11, 26)),
        (["DTEND;VALUE=DATE:20261124"], date(2026, 11, 25)),
        (["DURATION:P2D"], date(2026, 11, 26)),
    ],
)
def test_a_day_is_a_day_and_ends_before_the_next_p9(lines: list[str], end: date) -> None:
    found = event("DTSTART;VALUE=DATE:20261124", *lines, zone="Pacific/Kiritimati")
    assert (found.all_day, found.start, found.end) == (True, date(2026, 11, 24), end)
    assert (found.start_zone, found.end_zone) == (None, None)


def test_attendees_have_status_role_and_kind() -> None:
    found = event(
        'ORGANIZER;CN="Ada, L.":mailto:ada@example.org',
        "ATTENDEE;CN=Bo;PARTSTAT=ACCEPTED:MAILTO:bo@example.org",
        "ATTENDEE;PARTSTAT=DELEGATED;ROLE=OPT-PARTICIPANT:mailto:cy@example.org",
        "ATTENDEE;ROLE=CHAIR;PARTSTAT=TENTATIVE:mailto:di@example.org",
        "ATTENDEE;CUTYPE=ROOM:mailto:room@example.org",
        "ATTENDEE;EMAIL=ed@example.org:urn:uuid:1",
    )
    assert found.organizer == Person(email="ada@example.org", name="Ada, L.")
    assert found.attendees == (
        Person(email="bo@example.org", name="Bo", answer=Answer.ACCEPTED),
        Person(email="cy@example.org", required=False, answer=Answer.DECLINED),
        Person(email="di@example.org", answer=Answer.TENTATIVE),
        Person(email="room@example.org", resource=True, answer=Answer.PENDING),
        Person(email="ed@example.org", answer=Answer.PENDING),
    )


def alarm(*lines: str) -> str:
    return "\n".join(["BEGIN:VALARM", *lines, "END:VALARM"])


@pytest.mark.parametrize(
    ("lines", "reminder"),
    [
        (("TRIGGER:-PT15M",), Reminder(minutes=15, popup="Review")),
        (("TRIGGER:-PT90S", "DESCRIPTION:Go"), Reminder(minutes=1, popup="Go")),
        (("TRIGGER:-P1D", "DESCRIPTION:Go"), Reminder(minutes=1440, popup="Go")),
        (("TRIGGER:PT0S", "DESCRIPTION:Go"), Reminder(minutes=0, popup="Go")),
        (("TRIGGER;RELATED=END:-PT75M",), Reminder(minutes=15, popup="Review")),
        (("TRIGGER;VALUE=DATE-TIME:20261124T083000Z",), Reminder(minutes=30, popup="Review")),
    ],
)
def test_alarms_become_reminders_before_the_start(
    lines: tuple[str, ...], reminder: Reminder
) -> None:
    found = event("SUMMARY:Review", "DTEND:20261124T100000Z", alarm("ACTION:DISPLAY", *lines))
    assert found.reminders == (reminder,)


def test_an_email_alarm_tells_what_it_sends() -> None:
    lines = ("ACTION:EMAIL", "TRIGGER:-PT5M", "SUMMARY:Soon", "DESCRIPTION:Come")
    found = event(alarm(*lines, "ATTENDEE:mailto:bo@example.org", "ATTENDEE:mailto:cy@example.org"))
    email = Email(summary="Soon", description="Come", to=("bo@example.org", "cy@example.org"))
    assert found.reminders == (Reminder(minutes=5, email=email),)
    assert found.reminders[0].method == "email"


@pytest.mark.parametrize(
    "lines",
    [
        ("ACTION:DISPLAY", "TRIGGER:PT5M"),
        ("ACTION:DISPLAY", "TRIGGER:nonsense"),
        ("ACTION:X-NONE", "TRIGGER:-PT5M"),
        ("ACTION:DISPLAY",),
    ],
)
def test_an_alarm_that_is_no_reminder_costs_only_itself(lines: tuple[str, ...]) -> None:
    assert event("SUMMARY:Kept", alarm(*lines)).reminders == ()


@pytest.mark.parametrize(
    ("written", "visibility"),
    [
        ((), Visibility.DEFAULT),
        (("CLASS:PUBLIC",), Visibility.PUBLIC),
        (("CLASS:private",), Visibility.PRIVATE),
        (("CLASS:CONFIDENTIAL",), Visibility.CONFIDENTIAL),
        (("CLASS:X-SECRET",), Visibility.PRIVATE),
    ],
)
def test_class_is_visibility(written: tuple[str, ...], visibility: Visibility) -> None:
    assert event(*written).visibility is visibility


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ((), Status.CONFIRMED),
        (("STATUS:TENTATIVE",), Status.TENTATIVE),
        (("STATUS:CANCELLED",), Status.CANCELLED),
        (("STATUS:ODD",), Status.CONFIRMED),
    ],
)
def test_status_is_read(written: tuple[str, ...], status: Status) -> None:
    assert event(*written).status is status


def test_transparency_is_read() -> None:
    assert event("TRANSP:TRANSPARENT").transparent
    assert not event("TRANSP:OPAQUE").transparent
    assert not event().transparent


def test_attachments_are_links_and_bytes_stay_in_raw() -> None:
    found = event(
        "ATTACH;FMTTYPE=image/png;FILENAME=a.png:https://example.org/a.png",
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA",
    )
    file = File(url="https://example.org/a.png", name="a.png", mime_type="image/png")
    assert found.attachments == (file,)


def test_custom_properties_are_lines_of_our_own() -> None:
    found = event(
        "X-SYNCD-PROPERTY;X-KEY=room;X-PRIVATE=FALSE:a\\,b\\nc",
        "X-SYNCD-PROPERTY;X-KEY=x:1",
        "X-SYNCD-PROPERTY;X-KEY=x:2",
        "X-OTHER:3",
    )
    assert found.custom_properties == (
        CustomProperty(key="room", value="a,b\nc", private=False),
        CustomProperty(key="x", value="1"),
    )


def test_recurrence_lines_are_kept_as_written_and_unfolded() -> None:
    found = event(
        "DTSTART;TZID=Europe/Berlin:20261124T100000",
        "RRULE:FREQ=WEEKLY;UNTIL=20270101T0000\n 00Z;BYDAY=TU;X-ODD=1",
        "EXDATE;TZID=Europe/Berlin:20261208T100000,2026\n 1201T100000",
        "EXDATE:20261215T090000Z",
        "EXRULE:FREQ=YEARLY",
        "RDATE;VALUE=DATE:20261230",
        "RDATE;VALUE=PERIOD:20270102T090000Z/PT1H",
    )
    assert found.recurrence == (
        "RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z;BYDAY=TU;X-ODD=1",
        "RDATE;VALUE=DATE:20261230",
        "RDATE;VALUE=PERIOD:20270102T090000Z/PT1H",
        "EXDATE;TZID=Europe/Berlin:20261208T100000,20261201T100000",
        "EXDATE:20261215T090000Z",
        "EXRULE:FREQ=YEARLY",
    )


@pytest.mark.parametrize(
    "lines", [("EXDATE:20261124T090000Z",), ("RDATE:",), ("RRULE: ", "EXDATE:")]
)
def test_what_excludes_alone_makes_no_series(lines: tuple[str, ...]) -> None:
    assert event(*lines).recurrence == ()


def test_a_series_and_its_exceptions_are_events_of_their_own_p8() -> None:
    moved = vevent("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T120000Z")
    found = resource(moved, vevent(*SERIES))
    series, exception = found.events
    assert [slot(one) for one in found.events] == ["", "20261201T090000Z"]
    assert series.recurrence
    assert not exception.recurrence
    assert exception.original_start == datetime(2026, 12, 1, 10, tzinfo=BERLIN)
    assert exception.original_start_zone == "Europe/Berlin"


def test_an_exception_of_an_all_day_series_is_named_by_its_day() -> None:
    series = vevent("DTSTART;VALUE=DATE:20261124", "RRULE:FREQ=DAILY")
    moved = vevent("RECURRENCE-ID;VALUE=DATE:20261126", "DTSTART;VALUE=DATE:20261127")
    assert [slot(one) for one in resource(series, moved).events] == ["", "20261126"]


@pytest.mark.parametrize(
    "lines",
    [
        ("SUMMARY:no start",),
        ("DTSTART:nonsense",),
        ("DTSTART:20261124T090000Z", "DTEND:20261124T080000Z"),
        ("DTSTART:20261124T090000Z", "DTEND;VALUE=DATE:20261125"),
        ("DTSTART:20261124T090000Z", "DURATION:-PT1H"),
        ("DTSTART:20261124T090000Z", "RRULE:FREQ=SOMETIMES"),
        ("DTSTART:20261124T090000Z", "RRULE:FREQ=DAILY", "EXDATE:nonsense"),
        ("DTSTART:20261124T090000Z", "RDATE;VALUE=TIME:083000"),
        ("DTSTART:20261124T090000Z", "RRULE:FREQ=DAILY;BYDAY=" + "MO," * 2000 + "MO"),
        ("DTSTART:99991231T235959Z", "DURATION:P9D"),
    ],
)
def test_one_bad_event_costs_that_event_i10_f21(lines: tuple[str, ...]) -> None:
    sound = vevent("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T120000Z")
    found = resource(vevent(*lines), sound)
    assert [slot(one) for one in found.events] == ["20261201T090000Z"]
    (fault,) = found.faults
    assert "8d1c@example.org" in fault
    assert "no start" not in fault


def test_a_bad_line_costs_nothing_else_f18() -> None:
    found = event("this line has no colon", "SUMMARY:Kept\x0b\x00", "X-Y", "PRIORITY:much")
    assert found.name == "Kept"


def test_a_character_that_a_fold_parts_is_whole_again() -> None:
    """RFC 5545 §3.1 counts octets; old clients part the bytes of one character."""
    raw = vcalendar(vevent("DTSTART:20261124T090000Z", "SUMMARY:Caf@")).replace(
        b"@", b"\xc3\r\n \xa9"
    )
    assert read_resource(KEY, raw).events[0].name == "Café"


@pytest.mark.parametrize("name", ['"Bo', 'Bo"', '"B"o"'])
def test_an_open_quote_costs_the_name_at_most_f18(name: str) -> None:
    found = event(f"ATTENDEE;CN={name};PARTSTAT=ACCEPTED:mailto:bo@example.org", "SUMMARY:Kept")
    assert (len(found.attendees), found.name) == (1, "Kept")


def test_names_are_unescaped_as_rfc_6868_says() -> None:
    found = event("ORGANIZER;CN=Ada ^'the Countess^' L^^:mailto:ada@example.org")
    assert found.organizer == Person(email="ada@example.org", name='Ada "the Countess" L^')


@pytest.mark.parametrize("ending", ["", "END:VEVENT\n", "BEGIN:VEVENT\nUID:z\n"])
def test_a_body_that_was_cut_is_told_and_loses_no_sound_event_p1(ending: str) -> None:
    whole = vcalendar(vevent("DTSTART:20261124T090000Z")).decode().removesuffix("END:VCALENDAR\r\n")
    found = read_resource(KEY, f"{whole}BEGIN:VEVENT\nUID:y\nDTSTART:2026\n{ending}".encode())
    assert [one.uid for one in found.events] == ["8d1c@example.org"]
    assert "the object has no END:VCALENDAR" in found.faults


@pytest.mark.parametrize("end", ["", "END:VTOOD\n"])
@pytest.mark.parametrize("other", ["VTODO", "VTIMEZONE", "VEVENT", "VJOURNAL"])
def test_a_component_without_its_end_swallows_no_event_f18(other: str, end: str) -> None:
    found = resource(f"BEGIN:{other}\nUID:t\n{end}", vevent("DTSTART:20261124T090000Z"))
    assert [one.uid for one in found.events] == ["8d1c@example.org"]


def test_an_event_without_uid_is_named_by_its_resource() -> None:
    raw = vcalendar("BEGIN:VEVENT\nDTSTART:20261124T090000Z\nEND:VEVENT\n")
    assert read_resource(KEY, raw).events[0].uid == read_resource(KEY, raw).events[0].uid != ""


def test_a_task_is_a_resource_without_events() -> None:
    found = resource("BEGIN:VTODO\nUID:t\nEND:VTODO\n")
    assert (found.events, found.faults) == ((), ())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>Please sign in</html>",
        b"BEGIN:VCALENDAR\r\nSUMMARY:" + b"x" * (LONGEST_LINE + 1),
        b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 50_001,
        b"BEGIN:VCALENDAR\r\n" + b" \r\n" * 9_000_000,
        b"BEGIN:VCALENDAR\r\n" + b"A:b\r\n" * (MOST_LINES + 1),
        b"BEGIN:VCALENDAR\r\n" + b"BEGIN:X\r\n" * DEEPEST,
    ],
    ids=["empty", "html", "long line", "many components", "large", "many lines", "deep"],
)
def test_what_is_no_calendar_object_or_too_large_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        read_resource(KEY, raw)
