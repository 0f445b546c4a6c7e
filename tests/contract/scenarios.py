"""What the suites over all stages share: events as people mean them, and what a scenario needs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from tests.contract.stage import Lack, Planned, Stage

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
T = TypeVar("T")


def needs(*lacks: Lack) -> Callable[[T], T]:
    """Mark a scenario that a stage with any of these lacks cannot play; the matrix prints it."""

    def marked(scenario: T) -> T:
        scenario.needs = frozenset(lacks)  # type: ignore[attr-defined] # a function's own attribute
        return scenario

    return marked


def lacking(scenario: object, stage: type[Stage]) -> list[Lack]:
    """Return why a stage cannot play a scenario; nothing if it can."""
    wanted: frozenset[Lack] = getattr(scenario, "needs", frozenset())
    return sorted(wanted & stage.lacks)


def dice(seed: str) -> Random:
    """Return dice that fall as they did before."""
    return Random(seed)  # noqa: S311 - a test's


def start(day: int = 24, hour: int = 9, *, zone: ZoneInfo = UTC) -> datetime:
    """Return a time in November 2026."""
    return datetime(2026, 11, day, hour, tzinfo=zone)


def single(name: str, *, day: int = 24, hour: int = 9, **fields: object) -> Planned:
    """Return an event of one hour."""
    begin = start(day, hour)
    return replace(Planned(name=name, start=begin, end=begin + HOUR), **fields)  # type: ignore[arg-type]


def timed(name: str, begin: datetime, length: timedelta = HOUR, *, rule: str = "") -> Planned:
    """Return an event that begins and ends by the clocks of one place."""
    return Planned(name=name, start=begin, end=begin + length, rule=rule)


def weekly(name: str = "Weekly", *, week: int = 0, rule: str = "FREQ=WEEKLY;COUNT=8") -> Planned:
    """Return a series on Tuesdays at ten in Berlin that begins in a week from 24 November on."""
    return timed(name, slot(week), rule=rule)


def slot(week: int) -> datetime:
    """Return the start of an occurrence of ``weekly``."""
    return start(24, 10, zone=BERLIN) + week * WEEK


def moved(week: int, hour: int, name: str = "Later") -> Planned:
    """Return what becomes of an occurrence that is moved on its day."""
    return timed(name, slot(week).replace(hour=hour))


def days(name: str, first: date, count: int = 1, *, rule: str = "") -> Planned:
    """Return an event of whole days."""
    return Planned(name=name, start=first, end=first + timedelta(days=count), rule=rule)
