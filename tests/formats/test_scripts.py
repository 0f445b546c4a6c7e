"""Text to iCalendar and back, folded; zones to VTIMEZONEs that another reader understands."""

from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given
from hypothesis import strategies as st

from syncd.formats.blocks import headed, opened
from syncd.formats.lines import components, line_of
from syncd.formats.scripts import folded, one_line, parameter, text
from syncd.formats.vtimezone import vtimezone

ANY = st.text(st.characters(exclude_categories=["Cs"]))


@given(ANY)
def test_text_is_read_back_without_control_characters(value: str) -> None:
    line = line_of(f"SUMMARY:{text(value)}")
    assert line is not None
    kept = "".join(one for one in one_line(value, "\n") if one >= " " or one in "\t\n")
    assert line.text == kept


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.sampled_from(("", ";A=b")))
def test_a_parameter_is_read_back(value: str, before: str) -> None:
    line = line_of(f"X-A{before}{parameter('X-KEY', value)};B=1:value:2")
    assert line is not None
    assert (line.parameters["X-KEY"], line.parameters["B"], line.value) == (value, "1", "value:2")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.sampled_from((b"\r\n", b"\n")))
def test_folds_are_short_whole_and_undone(value: str, eol: bytes) -> None:
    raw = folded(f"X-A:{value}", eol)
    rows = raw.removesuffix(eol).split(eol)
    assert all(len(row) <= 75 for row in rows)
    assert all(row.decode() for row in rows)  # no character is parted
    (found,) = components(b"BEGIN:X" + eol + raw + b"END:X")
    assert found.lines["X-A"][0].value == value


@given(st.binary(max_size=300))
def test_whatever_is_opened_is_closed_with_the_same_bytes(noise: bytes) -> None:
    lines = noise.replace(b"BEGIN", b"").replace(b"END", b"")
    begun = b"BEGIN:VCALENDAR\r\nX-A:\r\n\r\n"  # what begins with a blank is no part of BEGIN
    raw = begun + lines + b"\r\nEND:VCALENDAR\r\n \r\n"
    root = opened(raw)
    assert root.text() == raw
    (held,) = components(raw)
    (block,) = root.blocks("VCALENDAR")
    assert block.component().lines == held.lines


def test_parameters_that_are_not_meant_stay_verbatim() -> None:
    head = ';CN="A; B";X-A=1;partstat=x'
    assert headed(head, {"PARTSTAT": "ACCEPTED"}) == ';CN="A; B";X-A=1;PARTSTAT=ACCEPTED'
    assert headed(head, {"CN": None}) == ";X-A=1;partstat=x"


@pytest.mark.parametrize("year", [2005, 2026, 2060])
@pytest.mark.parametrize(
    "name",
    [
        *("Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "UTC"),
        *("Asia/Kolkata", "Asia/Jerusalem", "Australia/Lord_Howe", "Africa/Casablanca"),
        *("America/Sao_Paulo", "Pacific/Auckland", "America/Caracas"),
    ],
)
def test_a_zone_is_described_as_another_reader_understands_it(name: str, year: int) -> None:
    written = vtimezone(name, year)
    other, zone = tzical(StringIO(written)).get(), ZoneInfo(name)
    assert other is not None
    for hours in range(0, 20 * 366 * 24, 37):
        wall = datetime(year, 1, 2, 12) + timedelta(hours=hours)  # noqa: DTZ001 - wall time
        one, two = (wall.replace(tzinfo=there).utcoffset() for there in (other, zone))
        assert one == two or _near_a_switch(zone, wall)
    assert len(written) < 4000


def _near_a_switch(zone: ZoneInfo, wall: datetime) -> bool:
    offsets = {
        (wall + timedelta(hours=hours)).replace(tzinfo=zone).utcoffset() for hours in (-2, 2)
    }
    return len(offsets) > 1
