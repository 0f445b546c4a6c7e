"""Mass deletes are held until listings agree (I7, F1, F4)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.engine.brake import Verdict, judge
from syncd.model.ids import ResourceKey
from syncd.model.resource import Absence

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def keys(count: int) -> list[ResourceKey]:
    return [ResourceKey(f"{number:04}.ics") for number in range(count)]


@pytest.mark.parametrize(
    ("absent", "total", "held"),
    [
        (1, 2, False),
        (1, 1, True),  # all of it
        (20, 21, False),  # not more than 20
        (21, 22, True),
        (20, 20, True),
        (30, 100, False),  # not more than 30 %
        (31, 100, True),
        (300, 1000, False),
        (301, 1000, True),
        (0, 0, False),
    ],
)
def test_more_than_20_and_30_percent_or_all_is_suspect(
    absent: int,
    total: int,
    held: bool,  # noqa: FBT001 - a table
) -> None:
    verdict = judge(keys(absent), total, (), now=NOW, interval=MINUTE)
    assert len(verdict.held) == (absent if held else 0)
    assert len(verdict.gone) == (0 if held else absent)


def looks(count: int, every: timedelta) -> Verdict:
    """Return what is judged at the last of some listings that all miss everything."""
    verdict = judge(keys(50), 50, (), now=NOW, interval=MINUTE)
    for number in range(1, count):
        verdict = judge(keys(50), 50, verdict.held, now=NOW + number * every, interval=MINUTE)
    return verdict


def test_the_third_agreeing_listing_is_believed() -> None:
    assert looks(2, MINUTE).gone == frozenset()
    assert looks(3, MINUTE) == Verdict(gone=frozenset(keys(50)), held=())


def test_listings_within_an_interval_count_once() -> None:
    verdict = looks(5, MINUTE / 10)
    assert verdict.gone == frozenset()
    assert {one.count for one in verdict.held} == {1}


def test_what_is_named_again_is_forgotten() -> None:
    first = judge(keys(50), 50, (), now=NOW, interval=MINUTE)
    second = judge(keys(40), 50, first.held, now=NOW + MINUTE, interval=MINUTE)
    assert len(second.held) == 40
    third = judge(keys(50), 50, second.held, now=NOW + 2 * MINUTE, interval=MINUTE)
    assert third.gone == frozenset(keys(40))
    assert {one.key for one in third.held} == set(keys(50)) - set(keys(40))


@given(
    total=st.integers(1, 80),
    observations=st.lists(st.tuples(st.sets(st.integers(0, 79)), st.integers(0, 130)), max_size=8),
)
def test_nothing_of_a_mass_goes_before_three_looks_an_interval_apart(
    total: int, observations: list[tuple[set[int], int]]
) -> None:
    """I7, against a slow and plain account of what was missed when."""
    names, now, held = keys(total), NOW, tuple[Absence, ...]()
    missed = dict[ResourceKey, list[datetime]]()
    for numbers, seconds in observations:
        now += timedelta(seconds=seconds)
        absent = {names[number] for number in numbers if number < total}
        missed = {key: [*missed.get(key, []), now] for key in absent}
        verdict = judge(absent, total, held, now=now, interval=MINUTE)
        mass = len(absent) == total or (len(absent) > 20 and len(absent) > 0.3 * total)
        if not mass:
            assert verdict.gone == absent
            missed = {}
        for key in verdict.gone if mass else ():
            assert missed[key][-1] - missed[key][0] >= 2 * MINUTE
            assert len(missed[key]) >= 3
        assert verdict.gone | {one.key for one in verdict.held} == absent
        held = verdict.held
