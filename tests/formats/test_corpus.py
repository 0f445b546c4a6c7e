"""The iCalendar files that the wheels of icalendar and recurring-ical-events bring (F18)."""

import time
from importlib.util import find_spec
from pathlib import Path

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.formats.ical_event import Reading, read_event
from syncd.formats.ical_read import read_resource
from syncd.formats.lines import components
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Event
from syncd.model.ids import ResourceKey
from syncd.model.resource import Resource
from tests.formats.written import CUSTOM_BERLIN, vcalendar, vevent

PATIENCE_SECONDS = 5.0  # of this thread, whose worker may just tidy a large heap
TEXTS = ("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "COLOR")


def corpus() -> list[Path]:
    found = [find_spec(name) for name in ("icalendar", "recurring_ical_events")]
    homes = [Path(spec.origin).parent for spec in found if spec and spec.origin]
    files = sorted(path for home in homes for path in home.rglob("*.ics"))
    assert len(files) > 200, "the wheels no longer bring their files"
    return files


def read(raw: bytes) -> Resource | None:
    try:
        return read_resource(ResourceKey("x"), raw)
    except MalformedReplyError:
        return None


def test_every_file_ends_as_events_or_faults_in_time() -> None:
    read_some = 0
    for path in corpus():
        begun = time.thread_time()
        found = read(path.read_bytes())
        assert time.thread_time() - begun < PATIENCE_SECONDS, path.name
        read_some += bool(found and (found.events or found.faults))
    assert read_some > 150


def test_an_event_beside_a_broken_one_is_never_lost() -> None:
    """Each file's text, planted as a second event, must not take the sound one with it."""
    sound = vevent("DTSTART:20261124T090000Z", "SUMMARY:Sound", uid="sound")
    texts = {path.name: path.read_text("utf-8", "replace") for path in corpus()}
    for name, written in {**texts, "bad alarm": BAD_ALARM}.items():
        text = written.replace("\r\n", "\n")
        begin, end = text.find("BEGIN:VEVENT"), text.rfind("END:VEVENT")
        if begin < 0 or end < begin:
            continue
        found = read(vcalendar(sound, text[begin : end + len("END:VEVENT")] + "\n"))
        assert found is not None, name
        assert found.events[0].name == "Sound", name


def written(vevent: icalendar.Component) -> dict[str, str]:
    found = {name: vevent.get(name) for name in TEXTS}
    firsts = {name: one[0] if isinstance(one, list) else one for name, one in found.items()}
    return {name: str(one) for name, one in firsts.items() if one is not None}


@pytest.mark.filterwarnings("ignore::icalendar.error.GloballyUniqueTZIDGuessed")
def test_text_is_what_the_library_reads() -> None:
    """A second reader, that shares nothing with ours, where it does not give the file up."""
    compared = 0
    for path in corpus():
        ours = [one for root in components(path.read_bytes()) for one in root.inside("VEVENT")]
        try:
            calendars = icalendar.Calendar.from_ical(path.read_bytes(), multiple=True)
        except ValueError:
            continue
        theirs = [one for calendar in calendars for one in calendar.walk("VEVENT")]
        if len(ours) != len(theirs):
            continue  # it keeps nothing of a body that was cut
        for mine, other in zip(ours, theirs, strict=True):
            told = {name: mine.text(name) for name in TEXTS if mine.first(name)}
            assert told == written(other), path.name
            compared += 1
    assert compared > 1000


BAD_ALARM = vevent(
    "DTSTART:20261124T090000Z",
    "RRULE:FREQ=SOMETIMES",
    "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:foo\nEND:VALARM",
)
SEED = vcalendar(
    CUSTOM_BERLIN,
    vevent(
        "DTSTART;TZID=Head Office:20261124T100000",
        "RRULE:FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20271231T000000Z",
        "EXDATE;TZID=Head Office:20261126T100000",
        "ATTENDEE;CN=Bo;PARTSTAT=ACCEPTED:mailto:bo@example.org",
        "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:x\nEND:VALARM",
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_mutation_of_a_calendar_object_gets_past_the_two_ways_out(data: st.DataObject) -> None:
    raw = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "double"])):
            case "flip":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                raw[at:at] = data.draw(st.binary(max_size=20))
            case _:
                raw[at:at] = raw[at : at + 60]
        raw = raw or bytearray(b" ")
    read(bytes(raw))


@given(st.binary(max_size=300))
def test_no_bytes_get_past_the_two_ways_out(raw: bytes) -> None:
    read(raw)
    read(b"BEGIN:VCALENDAR\r\n" + raw)


def test_a_parser_that_drops_the_calendar_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(reading: Reading) -> Event:
        try:
            return read_event(reading)
        except ValueError as error:
            raise MalformedReplyError("one event could not be read") from error

    monkeypatch.setattr("syncd.formats.ical_read.read_event", give_up)
    with pytest.raises(AssertionError):
        test_an_event_beside_a_broken_one_is_never_lost()
