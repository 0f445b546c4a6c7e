"""What Graph could not tell of events and contacts, and when it is asked again (I10): pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

AT_ONCE = 20  # in one read: one batch
MOST = 200  # that wait; the others are found by the next listing
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)
_DOUBLED = 6  # times; then it is the longest anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How often an event, series or contact could not be told in a row, and when it is asked again.

    ``parts`` are exceptions that the change feed named with the series, which nothing else may.
    """

    failures: int
    due: datetime
    parts: tuple[str, ...] = ()


Waits = Mapping[str, Wait]


def due(waits: Waits, now: datetime) -> list[str]:
    """Return whose time has come, the first ones first, not more than are asked for at once."""
    there = sorted((one.due, key) for key, one in waits.items() if one.due <= now)
    return [key for _, key in islice(there, AT_ONCE)]


def named(waits: Waits, keys: Collection[str]) -> list[str]:
    """Return these with their parts: all that is to be looked up."""
    return [*keys, *(part for key in keys for part in waits[key].parts)]


def waiting(
    before: Waits, failed: Mapping[str, Collection[str]], told: Collection[str], now: datetime
) -> dict[str, Wait]:
    """Return what waits after a read.

    It ``told`` some, which no longer wait, and ``failed`` to tell others, here with their parts.
    """
    after = {key: one for key, one in before.items() if key not in told}
    for key, parts in failed.items():
        failures = before[key].failures + 1 if key in before else 1
        pause = min(_SHORTEST * 2 ** min(failures - 1, _DOUBLED), _LONGEST)
        after[key] = Wait(failures=failures, due=now + pause, parts=tuple(sorted(parts)))
    first = sorted(after, key=lambda key: (after[key].due, key))[:MOST]
    return {key: after[key] for key in first}


def waits_text(waits: Waits) -> dict[str, Any]:
    """Return what waits as a sync token keeps it."""
    return {key: (one.failures, one.due.isoformat(), one.parts) for key, one in waits.items()}


def read_waits(told: Mapping[str, Any]) -> Waits:
    """Return what a sync token keeps; raises ValueError, TypeError or AttributeError for none."""
    return {
        key: Wait(failures=int(failures), due=datetime.fromisoformat(at), parts=tuple(parts))
        for key, (failures, at, parts) in told.items()
    }
