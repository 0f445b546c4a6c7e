"""Provider calendars as published files (api.md N22)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from syncd.formats.ical_busy import Disguise, Document, busy_events
from syncd.formats.ical_feed import FeedWriter
from syncd.formats.ical_read import read_resource
from syncd.model.content import event_document
from syncd.model.ids import CalendarId, EventId, ProfileId, ResourceKey
from tests.formats.parsers import proven

BERLIN = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""
REVIEW = """BEGIN:VEVENT
UID:review
DTSTAMP:20261101T090000Z
DTSTART;TZID=Europe/Berlin:20261124T090000
DTEND;TZID=Europe/Berlin:20261124T100000
SUMMARY:Review of the plan\\, once more
DESCRIPTION:Bring the paper\\nand a pen
LOCATION:Room 2
ATTENDEE;CN="Bob, the other";PARTSTAT=ACCEPTED:mailto:bob@example.org
X-OTHER;X-A="b:c":kept
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Soon
END:VALARM
END:VEVENT"""
SERIES = """BEGIN:VEVENT
UID:daily
DTSTAMP:20261101T090000Z
DTSTART;TZID=Europe/Berlin:20261102T090000
DTEND;TZID=Europe/Berlin:20261102T093000
RRULE:FREQ=DAILY;COUNT=10
EXDATE;TZID=Europe/Berlin:20261103T090000
SUMMARY:Stand-up
END:VEVENT"""


def exception(start: str, *lines: str, original: str = "20261104T090000") -> str:
    return "\n".join(
        (
            "BEGIN:VEVENT",
            "UID:daily",
            "DTSTAMP:20261101T090000Z",
            f"RECURRENCE-ID;TZID=Europe/Berlin:{original}",
            f"DTSTART;TZID=Europe/Berlin:{start}",
            f"DTEND;TZID=Europe/Berlin:{start[:9]}{int(start[9:11]) + 1:02}{start[11:]}",
            "SUMMARY:Stand-up\\, late",
            *lines,
            "END:VEVENT",
        )
    )


def resource(*parts: str, eol: str = "\r\n") -> bytes:
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    rows += [row for part in parts for row in part.split("\n")]
    return (eol.join([*rows, "END:VCALENDAR"]) + eol).encode()


def full(*resources: bytes, name: str = "Team") -> bytes:
    writer = FeedWriter(name)
    told = [writer.resource(one) for one in resources]
    return b"".join([writer.head(), *told, writer.foot()])


def unfolded(text: bytes) -> list[str]:
    return text.replace(b"\r\n ", b"").decode().split("\r\n")


def documents(raw: bytes) -> list[Document]:
    read = read_resource(ResourceKey("a.ics"), raw)
    return [
        event_document(
            one,
            event_id=EventId("e"),
            profile=ProfileId(1),
            calendar=CalendarId("cal"),
            series=EventId("s"),
        )
        for one in read.events
    ]


DISGUISE = Disguise(key="feed", calendar="cal", stamped=datetime(2026, 11, 1, tzinfo=UTC))


def is_busy(one: Document) -> bool:
    return not one["transparent"] and one["status"] != "cancelled"


def busy(*resources: bytes) -> bytes:
    writer = FeedWriter("Team")
    told = [
        writer.lines(one.lines, one.zones)
        for raw in resources
        for one in busy_events(documents(raw), is_busy, DISGUISE)
    ]
    return b"".join([writer.head(), *told, writer.foot()])


def starts(calendar: Calendar) -> list[date]:
    return [event.decoded("DTSTART") for event in calendar.events]


@pytest.mark.parametrize("eol", ["\r\n", "\n", "\r"])
def test_events_stand_line_for_line(eol: str) -> None:
    text = full(resource(BERLIN, REVIEW, eol=eol))
    calendar = proven(text)
    assert (str(calendar["METHOD"]), str(calendar["X-WR-CALNAME"])) == ("PUBLISH", "Team")
    rows = unfolded(text)
    for part in (BERLIN, REVIEW):
        at = rows.index(part.split("\n")[0])
        assert rows[at : at + len(part.split("\n"))] == part.split("\n")


def test_long_lines_are_folded_between_characters() -> None:
    long = REVIEW.replace("Room 2", "Raum ü" * 40)
    text = full(resource(BERLIN, long))
    assert str(proven(text).events[0]["LOCATION"]) == "Raum ü" * 40


def test_a_zone_stands_once() -> None:
    text = full(resource(BERLIN, REVIEW), resource(BERLIN, SERIES), resource(BERLIN, REVIEW))
    assert text.count(b"BEGIN:VTIMEZONE") == 1
    assert len(proven(text).events) == 3


def test_a_name_that_means_two_zones_gets_two() -> None:
    """What one resource says of a name means nothing in another (P9)."""
    own = BERLIN.replace("Europe/Berlin", "Own")
    other = own.replace("+0100", "+0500").replace("+0200", "+0600")
    named = REVIEW.replace("Europe/Berlin", "Own")
    text = full(resource(own, named), resource(other, named), resource(other, named))
    calendar = proven(text)
    assert text.count(b"BEGIN:VTIMEZONE") == 2
    assert [start.utcoffset().total_seconds() / 3600 for start in starts(calendar)] == [1, 5, 5]  # type: ignore[attr-defined]  # times


def test_a_zone_that_no_resource_describes_is_described() -> None:
    windows = REVIEW.replace("Europe/Berlin", '"W. Europe Standard Time"')
    calendar = proven(full(resource(REVIEW), resource(windows)))
    berlin = datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    assert starts(calendar) == [berlin, berlin]


def test_a_zone_that_nobody_knows_is_floating() -> None:
    calendar = proven(full(resource(REVIEW.replace("Europe/Berlin", "Nowhere/At all"))))
    assert starts(calendar) == [datetime(2026, 11, 24, 9)]  # noqa: DTZ001 - floating


def test_what_is_no_event_is_left_out() -> None:
    broken = [
        REVIEW.replace("UID:review\n", ""),
        REVIEW.replace("DTSTART;TZID=Europe/Berlin:20261124T090000", "DTSTART:soon"),
        REVIEW.replace("\nEND:VEVENT", ""),
        REVIEW.replace("VEVENT", "VTODO"),
    ]
    for one in broken:
        assert proven(full(resource(BERLIN, one))).events == []
    assert len(proven(full(resource(BERLIN, broken[1], SERIES))).events) == 1
    assert proven(full(b"<html>", b"")).events == []


def test_an_event_without_stamp_gets_one_that_stays() -> None:
    bare = REVIEW.replace("DTSTAMP:20261101T090000Z\n", "")
    (event,) = proven(full(resource(BERLIN, bare))).events
    assert event.decoded("DTSTAMP") == datetime(1970, 1, 1, tzinfo=UTC)
    dated = bare.replace("LOCATION", "LAST-MODIFIED:20261010T080000Z\nLOCATION")
    (event,) = proven(full(resource(BERLIN, dated))).events
    assert event.decoded("DTSTAMP") == datetime(2026, 10, 10, 8, tzinfo=UTC)


def test_what_an_application_keeps_for_itself_is_not_published() -> None:
    lines = "X-SYNCD-PROPERTY;X-KEY=a:mine\nX-SYNCD-PROPERTY;X-KEY=b;X-PRIVATE=FALSE:ours\n"
    text = full(resource(BERLIN, REVIEW.replace("LOCATION", lines + "LOCATION")))
    assert b":mine" not in text
    assert b":ours" in text


def test_busy_tells_times_and_nothing_else() -> None:
    text = busy(resource(BERLIN, REVIEW))
    (event,) = proven(text).events
    assert {name for name, _ in event.property_items()} <= {
        *("BEGIN", "END", "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "TRANSP"),
    }
    assert str(event["SUMMARY"]) == "Busy"
    assert event.decoded("DTSTART") == datetime(2026, 11, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    assert event.decoded("DTEND") == datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    for secret in (b"review", b"plan", b"Room", b"bob", b"kept", b"Soon", b"paper"):
        assert secret not in text


def test_uids_are_replaced_by_the_same_ones_each_time() -> None:
    one, again = (proven(busy(resource(BERLIN, REVIEW))).events[0]["UID"] for _ in range(2))
    other = proven(busy(resource(BERLIN, REVIEW.replace("UID:review", "UID:r")))).events[0]["UID"]
    assert one == again != other
    elsewhere = Disguise(key="other", calendar="cal", stamped=DISGUISE.stamped)
    assert DISGUISE.uid("review") != elsewhere.uid("review")


def series_of(*exceptions: str, series: str = SERIES) -> Sequence[object]:
    calendar = proven(busy(resource(BERLIN, series, *exceptions)))
    return [
        (
            "EXDATE" in event and event.to_ical().count(b"EXDATE"),
            "RECURRENCE-ID" in event and event.decoded("RECURRENCE-ID").hour,
            event.decoded("DTSTART").hour,
            "RRULE" in event,
        )
        for event in calendar.events
    ]


def test_a_series_stays_one() -> None:
    moved = exception("20261104T140000")
    assert series_of(moved) == [(1, False, 9, True), (False, 9, 14, False)]
    calendar = proven(busy(resource(BERLIN, SERIES, moved)))
    assert len({str(event["UID"]) for event in calendar.events}) == 1


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_an_occurrence_that_is_not_busy_is_taken_out(line: str) -> None:
    free = exception("20261104T140000", line)
    assert series_of(free) == [(2, False, 9, True)]


def test_a_busy_exception_to_a_series_that_is_not_stands_alone() -> None:
    free = SERIES.replace("SUMMARY", "TRANSP:TRANSPARENT\nSUMMARY")
    moved = exception("20261104T140000", "TRANSP:OPAQUE")
    assert series_of(moved, series=free) == [(False, False, 14, False)]


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_what_claims_no_time_is_left_out(line: str) -> None:
    text = busy(resource(BERLIN, REVIEW.replace("LOCATION", f"{line}\nLOCATION")))
    assert [one.name for one in proven(text).subcomponents] == ["VTIMEZONE"]


def test_days_stay_days() -> None:
    day = REVIEW.replace(";TZID=Europe/Berlin:20261124T090000", ";VALUE=DATE:20261124").replace(
        ";TZID=Europe/Berlin:20261124T100000", ";VALUE=DATE:20261126"
    )
    (event,) = proven(busy(resource(day))).events
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (
        date(2026, 11, 24),
        date(2026, 11, 26),
    )


def test_a_local_exclusion_is_in_the_zone_of_its_series() -> None:
    bare = SERIES.replace("EXDATE;TZID=Europe/Berlin:", "EXDATE:")
    text = busy(resource(BERLIN, bare))
    proven(text)
    assert "EXDATE;TZID=Europe/Berlin:20261103T090000" in unfolded(text)
    utc = bare.replace(";TZID=Europe/Berlin:", ":").replace("T090000\n", "T090000Z\n")
    utc = utc.replace("T093000\n", "T093000Z\n")
    text = busy(resource(utc))
    proven(text)
    assert "EXDATE:20261103T090000Z" in unfolded(text)


def test_an_empty_feed_has_one_zone() -> None:
    for text in (full(), busy()):
        assert [one.name for one in proven(text).subcomponents] == ["VTIMEZONE"]


@settings(deadline=None)  # vobject takes its time
@given(summary=st.text(max_size=300), name=st.text(max_size=60))
def test_any_title_gives_a_valid_file(summary: str, name: str) -> None:
    row = summary.replace("\\", "").replace("\n", "").replace("\r", "")
    row = row.replace(",", "\\,").replace(";", "\\;")
    clean = name.encode("utf-8", "replace").decode()
    row = row.encode("utf-8", "replace").decode()
    raw = resource(BERLIN, REVIEW.replace("Review of the plan\\, once more", row))
    assert len(proven(full(raw, name=clean)).events) <= 1
