"""People, alarms, raw properties: what an edit writes of them, and what it refuses."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from syncd.formats.ical_write import created, excluded, rewritten
from syncd.model.edit import EventEdit, Reply
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.event import Answer, Email, Person, Reminder
from syncd.model.ids import WHOLE, Slot
from tests.formats.edits import BERLIN, NOW, SERIES, edited, only
from tests.formats.written import vcalendar, vevent

INVITED = (
    'ORGANIZER;CN="Boss";X-A=1:mailto:boss@example.org',
    "ATTENDEE;CN=Me;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;X-B=2:MAILTO:Me@Example.org",
    'ATTENDEE;ROLE=CHAIR;CN="Bo, B":mailto:bo@example.org',
)


def test_an_answer_changes_one_parameter_of_one_line() -> None:
    raw = vcalendar(vevent(*SERIES, *INVITED))
    after = edited(raw, reply=Reply(email="me@example.org", answer=Answer.TENTATIVE))
    assert after.replace(b"\r\n ", b"").count(b"PARTSTAT=TENTATIVE") == 1
    assert {one.email: one.answer for one in only(after).attendees} == {
        "Me@Example.org": Answer.TENTATIVE,
        "bo@example.org": Answer.PENDING,
    }
    for line in (INVITED[0], INVITED[2]):
        assert line.encode() + b"\r\n" in after
    assert b"RSVP=TRUE;X-B=2" in after
    with pytest.raises(InvalidError) as error:
        edited(raw, reply=Reply(email="who@example.org", answer=Answer.ACCEPTED))
    assert error.value.field == "attendees"


def test_attendees_who_stay_keep_their_lines() -> None:
    raw = vcalendar(vevent(*SERIES, *INVITED))
    me = Person(email="me@example.org", name="Me", answer=Answer.PENDING)
    bo = Person(email="BO@example.org", name="Bo, B", answer=Answer.PENDING)
    assert edited(raw, attendees=(bo, me)) == raw
    after = edited(raw, attendees=(me, Person(email="cy@example.org", name="Cy")))
    assert INVITED[1].encode() in after
    assert b"bo@example.org" not in after
    assert b"mailto:cy@example.org" in after.replace(b"\r\n ", b"")


def test_another_organizer_leaves_nothing_of_the_former() -> None:
    line = 'ORGANIZER;CN=Boss;SENT-BY="mailto:s@example.org";SCHEDULE-AGENT=CLIENT'
    line += ":mailto:boss@example.org"
    raw = vcalendar(vevent(*SERIES, line))
    assert edited(raw, organizer=Person(email="BOSS@example.org")) == raw
    after = edited(raw, organizer=Person(email="ada@example.org", name="Ada"))
    assert b"ORGANIZER;SCHEDULE-AGENT=CLIENT;CN=Ada:mailto:ada@example.org\r\n" in after
    assert b"ORGANIZER" not in edited(raw, organizer=None)


ALARM = "\n".join([
    *("BEGIN:VALARM", "UID:A1", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Go"),
    *("ACKNOWLEDGED:20261101T000000Z", "END:VALARM"),
])  # fmt: skip
LATE = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:PT15M\nEND:VALARM"


def test_alarms_that_stay_keep_what_clients_put_into_them() -> None:
    raw = vcalendar(vevent(*SERIES, ALARM, LATE))
    go = Reminder(minutes=15, popup="Go")
    assert edited(raw, reminders=(go,)) == raw
    assert edited(raw, reminders=(Reminder(minutes=15),)) == raw
    words = edited(raw, reminders=(Reminder(minutes=15, popup="Run, now"),))
    assert b"DESCRIPTION:Run\\, now\r\nACKNOWLEDGED:20261101T000000Z" in words
    gone = edited(raw, reminders=())
    assert b"UID:A1" not in gone
    assert b"TRIGGER:PT15M" in gone
    email = Email(summary="S", description="D", to=("a@example.org",))
    more = edited(raw, reminders=(go, Reminder(minutes=30, email=email)))
    assert only(more).reminders == (go, Reminder(minutes=30, email=email))
    assert only(edited(more, reminders=(Reminder(minutes=30, email=email),))).reminders == (
        Reminder(minutes=30, email=email),
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"BEGIN": "VEVENT"},
        {"UID": "other"},
        {"recurrence-id": "20261124"},
        {"X A": "1"},
        {"X-A:1\r\nEND": "VEVENT"},
        {"X-A": 1},
        {"DTSTART": "soon"},
    ],
)
def test_raw_properties_break_nothing_k11(raw: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        edited(vcalendar(vevent(*SERIES)), raw=raw)


def test_raw_properties_are_merged_last_k11() -> None:
    raw = vcalendar(vevent(*SERIES, "X-OLD;A=1:1"))
    after = edited(raw, name="A", raw={"summary": "B", "X-OLD": None, "X-NEW": "a\r\nEND:VEVENT"})
    assert b"X-OLD" not in after
    assert b"X-NEW:a\\nEND:VEVENT\r\n" in after
    assert only(after).name == "B"


@pytest.mark.parametrize(
    "text",
    [
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261124T090000Z\r\nEND:VCALENDAR\r\n",
        vcalendar(vevent(*SERIES)).removesuffix(b"END:VCALENDAR\r\n"),
        vcalendar(vevent(*SERIES, "BEGIN:VALARM"), vevent(*SERIES, uid="2")),
    ],
)
def test_a_file_that_lacks_an_end_is_refused_rather_than_guessed_at(text: bytes) -> None:
    with pytest.raises(InvalidError):
        edited(text, name="Other")
    with pytest.raises(InvalidError):
        excluded(text, Slot("20261124T090000Z"), now=NOW)


def test_what_cannot_be_read_beside_it_stays() -> None:
    broken = vevent("DTSTART:never", "SUMMARY:Broken", uid="b")
    raw = vcalendar(broken, vevent(*SERIES))
    after = rewritten(raw, WHOLE, EventEdit(name="Other"), now=NOW)
    assert broken.replace("\n", "\r\n").encode() in after
    assert b"SUMMARY:Other" in after


@pytest.mark.parametrize("slot", ["20261208T090000Z", "nonsense", ""])
def test_an_event_that_is_not_there_is_not_made_up(slot: str) -> None:
    single = vcalendar(vevent(*SERIES))
    with pytest.raises(NotFoundError):
        edited(single if slot else vcalendar(), slot, name="Other")


def test_times_that_make_no_event_are_refused() -> None:
    raw = vcalendar(vevent(*SERIES))
    start = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
    for start_, end in ((start, start - timedelta(hours=1)), (start, date(2026, 11, 25))):
        with pytest.raises(InvalidError):
            edited(raw, start=start_, end=end, start_zone="Europe/Berlin", end_zone="Europe/Berlin")
    with pytest.raises(InvalidError):
        created(EventEdit(name="A", start=start), uid="1", now=NOW)
    with pytest.raises(InvalidError):
        edited(raw, start=start, end=start, start_zone="Nowhere/Land", end_zone="Nowhere/Land")
