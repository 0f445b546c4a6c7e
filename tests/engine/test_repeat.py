"""Recurrence lines as callers write them (K25)."""

import pytest

from syncd.engine.repeat import settle_recurrence
from syncd.formats.patterned import unsupported_part
from syncd.model.errors import InvalidError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("FREQ=DAILY;COUNT=10", "RRULE:FREQ=DAILY;COUNT=10"),
        ("RRULE:FREQ=DAILY;COUNT=10", "RRULE:FREQ=DAILY;COUNT=10"),
        (" rrule:FREQ=WEEKLY ", "RRULE:FREQ=WEEKLY"),
        ("RRULE;TZID=Europe/Berlin:FREQ=DAILY", "RRULE:FREQ=DAILY"),
        ("FREQ=DAILY;UNTIL=20261201T000000+0100", "RRULE:FREQ=DAILY;UNTIL=20261201T000000"),
        ("rdate;VALUE=DATE:20261201", "RDATE;VALUE=DATE:20261201"),
    ],
)
def test_a_line_has_its_name_in_front_and_no_zone_inside(given: str, kept: str) -> None:
    assert settle_recurrence([given], any_rule=True) == (kept,)


def test_a_series_may_have_dates_beside_its_rule() -> None:
    lines = (
        "RRULE:FREQ=DAILY",
        "EXDATE:20261201T090000Z,20261202T090000Z",
        "RDATE:20261224T090000Z",
    )
    assert settle_recurrence(lines, any_rule=True) == lines
    assert settle_recurrence([], any_rule=True) == ()


@pytest.mark.parametrize(
    "lines",
    [
        ["FREQ=SOMETIMES"],
        ["every day"],
        [""],
        ["FREQ=DAILY\nEXDATE:20261201"],
        ["FREQ=DAILY;COUNT=2;UNTIL=20261201"],
        ["FREQ=DAILY", "FREQ=WEEKLY"],
        ["EXDATE:20261201T090000Z"],
        ["RDATE:tomorrow"],
        ["RDATE:"],
        ["EXRULE:FREQ=DAILY", "FREQ=DAILY"],
        ["FREQ=DAILY;X=" + "1" * 5000],
        ["FREQ=DAILY;INTERVAL=0"],
        ["FREQ=DAILY;INTERVAL=-1"],
        ["FREQ=DAILY;COUNT=0"],
        ["FREQ=DAILY;COUNT=-3"],
        ["FREQ=DAILY;COUNT=2;COUNT=3"],
    ],
)
def test_what_rfc_5545_does_not_know_is_refused(lines: list[str]) -> None:
    with pytest.raises(InvalidError) as told:
        settle_recurrence(lines, any_rule=True)
    assert (told.value.field, told.value.code) == ("recurrence", "")


TAKEN = [
    *("FREQ=DAILY;INTERVAL=2;COUNT=5", "FREQ=DAILY;UNTIL=20261201T000000Z"),
    *("FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU", "FREQ=WEEKLY"),
    *("FREQ=MONTHLY;BYMONTHDAY=15", "FREQ=MONTHLY"),
    *("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=31"),
    *("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", "FREQ=MONTHLY;BYMONTHDAY=29,28;BYSETPOS=-1"),
    *("FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2", "FREQ=YEARLY;BYMONTHDAY=29;BYMONTH=2"),
    *("FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=4"),
    *("FREQ=YEARLY;BYMONTHDAY=24;BYMONTH=12", "FREQ=YEARLY;BYDAY=+1MO;BYMONTH=9"),
    *("FREQ=YEARLY;BYDAY=SU;BYSETPOS=-1;BYMONTH=3", "FREQ=YEARLY;BYDAY=2TU"),
]
WITHOUT_PLACE = {
    "FREQ=HOURLY": "FREQ",
    "FREQ=DAILY;BYDAY=MO": "BYDAY",
    "FREQ=DAILY;BYHOUR=9": "BYHOUR",
    "FREQ=DAILY;WKST=MO": "WKST",
    "FREQ=WEEKLY;BYDAY=2MO": "BYDAY",
    "FREQ=WEEKLY;BYSETPOS=1": "BYSETPOS",
    "FREQ=MONTHLY;BYMONTHDAY=1,15": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=-2": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=32": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=28,29,30": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTHDAY=15;BYSETPOS=1": "BYSETPOS",
    "FREQ=MONTHLY;BYDAY=1MO,1TU": "BYDAY",  # two days, where a pattern has one position
    "FREQ=DAILY;INTERVAL=0": "INTERVAL",
    "FREQ=DAILY;COUNT=0": "COUNT",
    "FREQ=MONTHLY;BYDAY=TU": "BYDAY",
    "FREQ=MONTHLY;BYDAY=5TU": "BYDAY",
    "FREQ=MONTHLY;BYDAY=1MO,2TU": "BYDAY",
    "FREQ=MONTHLY;BYDAY=2TU;BYSETPOS=1": "BYDAY",
    "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=5": "BYSETPOS",
    "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1,2": "BYSETPOS",
    "FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=3": "BYMONTHDAY",
    "FREQ=MONTHLY;BYMONTH=3": "BYMONTH",
    "FREQ=YEARLY;BYMONTH=3,4": "BYMONTH",
    "FREQ=YEARLY;BYMONTHDAY=15": "BYMONTHDAY",  # every month's
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": "BYMONTHDAY",
    "FREQ=YEARLY;BYWEEKNO=20": "BYWEEKNO",
    "FREQ=YEARLY;BYYEARDAY=100": "BYYEARDAY",
}


@pytest.mark.parametrize("rule", TAKEN)
def test_patterned_recurrences_take_what_the_table_has(rule: str) -> None:
    assert settle_recurrence([rule], any_rule=False) == (f"RRULE:{rule}",)


@pytest.mark.parametrize(("rule", "part"), WITHOUT_PLACE.items())
def test_a_part_without_a_place_is_named(rule: str, part: str) -> None:
    assert unsupported_part(f"RRULE:{rule}") == part
    with pytest.raises(InvalidError) as told:
        settle_recurrence([rule], any_rule=False)
    assert (told.value.code, dict(told.value.members)) == ("unsupported_recurrence", {"part": part})


@pytest.mark.parametrize("name", ["RDATE", "EXDATE"])
def test_single_dates_have_no_place_in_a_pattern(name: str) -> None:
    with pytest.raises(InvalidError) as told:
        settle_recurrence(["FREQ=DAILY", f"{name}:20261201T090000Z"], any_rule=False)
    assert dict(told.value.members) == {"part": name}
