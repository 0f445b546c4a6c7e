"""The algebra of free time: half-open ranges of milliseconds since 1970, no clock and no store.

A *window* is where one looks. What is *busy* comes in order and disjoint, as ``united`` leaves it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Range = tuple[int, int]


def united(ranges: Iterable[Range]) -> list[Range]:
    """Return the same time in order and disjoint; what touches is joined, what is empty is gone."""
    found = list[Range]()
    begin = end = None
    for start, stop in sorted(ranges):
        if stop <= start:
            continue
        if begin is None or end is None or start > end:
            if begin is not None and end is not None:
                found.append((begin, end))
            begin, end = start, stop
        elif stop > end:
            end = stop
    if begin is not None and end is not None:
        found.append((begin, end))
    return found


def gaps(busy: Sequence[Range], window: Range) -> list[Range]:
    """Return what a window leaves free, in order."""
    found = list[Range]()
    begin, end = window
    for start, stop in _meeting(busy, window):
        if start > begin:
            found.append((begin, start))
        begin = stop
    if begin < end:
        found.append((begin, end))
    return found


def shared(some: Sequence[Range], others: Sequence[Range]) -> list[Range]:
    """Return the time that is in both; each in order and disjoint."""
    return [
        (max(start, begin), min(stop, end))
        for start, stop in some
        for begin, end in _meeting(others, (start, stop))
    ]


def widened(busy: Iterable[Range], *, before: int, after: int) -> list[Range]:
    """Return busy time that keeps a meeting ``before`` away behind it and ``after`` ahead of it.

    Whoever needs a quarter of an hour free *before* a meeting is busy so much longer after each
    event, and for what must be free *after* it, so much earlier.
    """
    return united((start - after, stop + before) for start, stop in busy)


def slots(
    free: Iterable[Range], *, begin: int, length: int, step: int, apart: bool = False
) -> Iterator[Range]:
    """Yield slots of ``length`` that start at begin + k times step, each within one free range.

    ``free`` is in order of its starts and of its ends, and may overlap. ``apart`` yields none that
    overlaps the one before.
    """
    earliest = begin
    for start, stop in free:
        at = begin + -((begin - max(start, earliest)) // step) * step
        while at + length <= stop:
            yield at, at + length
            earliest = at + (length if apart else step)
            at = begin + -((begin - earliest) // step) * step


@dataclass(frozen=True, slots=True)
class Party:
    """People of whom at least ``required`` must be free; the indices are places in ``free``."""

    members: tuple[int, ...]
    required: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """A time that suits, and which people are free from its start to its end."""

    span: Range
    people: tuple[int, ...]


def at_slot(
    parties: Sequence[Party], free: Sequence[Sequence[Range]], slot: Range
) -> Meeting | None:
    """Return the meeting of a slot, None if some party has too few people free all through it."""
    start, stop = slot
    until = [_until(one, start) for one in free]
    if _lasts(parties, until) < stop:
        return None
    return Meeting(slot, _present(parties, until, stop))


def meetings(
    parties: Sequence[Party], free: Sequence[Sequence[Range]], window: Range, length: int
) -> Iterator[Meeting]:
    """Yield the longest times in which the same people are free, by start; none within another.

    Where fewer than all must come, two of them can overlap: each has people of its own.
    """
    begin, end = window
    starts = {begin, *(start for one in free for start, _ in _meeting(one, window))}
    last = begin
    for start in sorted(one for one in starts if begin <= one < end):
        until = [_until(one, start) for one in free]
        stop = min(_lasts(parties, until), end)
        if stop > last and stop - start >= length:
            yield Meeting((start, stop), _present(parties, until, stop))
            last = stop


def _meeting(ranges: Sequence[Range], window: Range) -> Iterator[Range]:
    """Yield the ranges that meet a window."""
    start, stop = window
    place = bisect_right(ranges, start, key=lambda one: one[1])
    yield from ranges[place : bisect_left(ranges, (stop,))]


def _until(free: Sequence[Range], at: int) -> int:
    """Return the end of the free range that holds an instant; the instant itself if none does."""
    place = bisect_right(free, at, key=lambda one: one[0]) - 1
    return max(free[place][1], at) if place >= 0 else at


def _lasts(parties: Iterable[Party], until: Sequence[int]) -> int:
    """Return until when every party has enough people."""
    return min(
        sorted((until[one] for one in party.members), reverse=True)[party.required - 1]
        for party in parties
    )


def _present(parties: Iterable[Party], until: Sequence[int], stop: int) -> tuple[int, ...]:
    named = dict.fromkeys(one for party in parties for one in party.members)
    return tuple(one for one in named if until[one] >= stop)
