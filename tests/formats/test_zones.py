"""Which zone a time means, whatever a client calls it (P9, F16, F18)."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.formats.written import CUSTOM_BERLIN, ODD_ZONE, event

BERLIN = ZoneInfo("Europe/Berlin")
SERIES = ("DTSTART;TZID=Europe/Berlin:20261124T100000", "RRULE:FREQ=WEEKLY;COUNT=4")
CHILE = (
    CUSTOM_BERLIN.replace("+0200", "-0300")
    .replace("+0100", "-0400")
    .replace("19700329T020000", "19700906T000000")
    .replace("BYMONTH=3;BYDAY=-1SU", "BYMONTH=9;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=SU")
    .replace("19701025T030000", "19700405T000000")
    .replace("BYMONTH=10;BYDAY=-1SU", "BYMONTH=4;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=SU")
)


@pytest.mark.parametrize(
    ("tzid", "zones"),
    [
        ("Europe/Berlin", ""),
        ("W. Europe Standard Time", ""),
        ("/Europe/Berlin", ""),
        ("/freeassociation.sourceforge.net/Europe/Berlin", ""),
        ('"Europe/Berlin"', ""),
        ("Head Office", CUSTOM_BERLIN),
    ],
)
def test_a_zone_is_known_by_many_names_p9(tzid: str, zones: str) -> None:
    found = event(f"DTSTART;TZID={tzid}:20260724T100000", zones=zones)
    assert found.start == datetime(2026, 7, 24, 10, tzinfo=BERLIN)
    assert found.start_zone == "Europe/Berlin"


def test_a_zone_that_only_its_vtimezone_describes_gives_its_offset() -> None:
    found = event("DTSTART;TZID=Odd:20260724T100000", zones=ODD_ZONE)
    assert found.start.isoformat() == "2026-07-24T10:00:00+01:23"
    assert found.start_zone is None


@pytest.mark.parametrize("head", ["DTSTART", "DTSTART;TZID=Nowhere/Known"])
@pytest.mark.parametrize(("zone", "named"), [("Europe/Berlin", "Europe/Berlin"), (None, "UTC")])
def test_floating_and_unknown_zones_are_the_calendars_else_utc(
    head: str, zone: str | None, named: str
) -> None:
    found = event(f"{head}:20261124T100000", zone=zone)
    assert found.start == datetime(2026, 11, 24, 10, tzinfo=ZoneInfo(named))
    assert found.start_zone == named


def test_each_end_has_its_own_zone() -> None:
    found = event(
        "DTSTART;TZID=Europe/Berlin:20261124T100000", "DTEND;TZID=America/New_York:20261124T100000"
    )
    assert (found.start_zone, found.end_zone) == ("Europe/Berlin", "America/New_York")
    assert isinstance(found.end, datetime)
    assert isinstance(found.start, datetime)
    assert found.end - found.start == timedelta(hours=6)


def test_a_custom_zone_is_recognized_by_how_it_behaves() -> None:
    found = event("DTSTART;TZID=Head Office:20260724T100000", zones=CHILE)
    assert (found.start_zone, found.start.isoformat()[-6:]) == ("America/Santiago", "-04:00")


@pytest.mark.parametrize(
    "often", ["SECONDLY", "DAILY", "YEARLY;INTERVAL=0", "YEARLY;BYHOUR=" + "1," * 23 + "1"]
)
def test_a_zone_that_is_a_bomb_is_read_like_floating_time_f19(often: str) -> None:
    bomb = CUSTOM_BERLIN.replace("FREQ=YEARLY", f"FREQ={often}")
    begun = time.process_time()
    found = event("DTSTART;TZID=Head Office:20260724T100000", zones=bomb)
    assert time.process_time() - begun < 0.2
    assert found.start_zone == "UTC"


def test_many_zones_cost_no_more_than_some() -> None:
    zones = "".join(
        ODD_ZONE.replace("Odd", f"Odd {at}").replace("0123", f"01{at % 60:02}") for at in range(500)
    )
    dates = (f"EXDATE;TZID=Odd {at}:20261124T100000" for at in range(500))
    begun = time.process_time()
    event("RRULE:FREQ=DAILY", *dates, zones=zones)
    assert time.process_time() - begun < 1


def test_dates_in_zones_that_only_the_object_knows_are_written_anew() -> None:
    """Who reads the stored event has no VTIMEZONE."""
    found = event(
        *SERIES,
        "EXDATE;TZID=W. Europe Standard Time:20261208T100000",
        "EXDATE;TZID=Head Office:20261201T100000",
        "RDATE;TZID=Odd:20261230T100000,20261231T100000Z",
        zones=CUSTOM_BERLIN + ODD_ZONE,
    )
    assert found.recurrence[1:] == (
        "RDATE:20261230T083700Z,20261231T100000Z",
        "EXDATE;TZID=Europe/Berlin:20261208T100000",
        "EXDATE;TZID=Europe/Berlin:20261201T100000",
    )


def test_a_zone_named_in_one_object_means_nothing_in_the_next() -> None:
    """Two people's clients may call two zones ``Odd`` (P9)."""
    east = event("DTSTART;TZID=Odd:20261124T100000", zones=ODD_ZONE)
    west = event("DTSTART;TZID=Odd:20261124T100000", zones=ODD_ZONE.replace("+0123", "-0745"))
    alone = event("DTSTART;TZID=Odd:20261124T100000")
    told = [one.start.isoformat()[-6:] for one in (east, west, alone)]
    assert told == ["+01:23", "-07:45", "+00:00"]
