"""An IANA zone as a VTIMEZONE (RFC 5545 §3.6.5), as short as the zone's rules allow."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from syncd.formats.scripts import text

_YEARS = 25  # that a rule must hold to be written as one; else its days are listed
_STEP = timedelta(days=7)
_WEEK = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_Switch = tuple[datetime, timedelta, timedelta]  # naive, by the clock before; offset from, to


@lru_cache(maxsize=256)
def vtimezone(name: str, year: int) -> str:
    """Return the lines, LF, for times from the beginning of ``year`` on; ``name`` is known."""
    zone = ZoneInfo(name)
    first = min(max(year, 2), 9990)
    begins = datetime(first, 1, 1, tzinfo=UTC)
    until = datetime(min(first + _YEARS, 9998), 1, 1, tzinfo=UTC)
    switches = list(_switches(zone, begins, until))
    base = _offset(zone, begins)
    rows = ["BEGIN:VTIMEZONE", f"TZID:{text(name)}"]
    rows += _observance("STANDARD", (begins.replace(tzinfo=None), base, base), zone, [])
    alike: dict[tuple[timedelta, timedelta], list[_Switch]] = {}
    for one in switches:
        alike.setdefault((one[1], one[2]), []).append(one)
    for (before, after), some in alike.items():
        kind = "DAYLIGHT" if after > before else "STANDARD"
        rule = _rule([one[0] for one in some], begins.year)
        days = [f"RDATE:{one[0]:%Y%m%dT%H%M%S}" for one in some[1:]]
        rows += _observance(kind, some[0], zone, days if rule is None else [rule])
    return "\n".join([*rows, "END:VTIMEZONE", ""])


def _observance(kind: str, switch: _Switch, zone: ZoneInfo, more: Sequence[str]) -> Iterator[str]:
    at, before, after = switch
    name = (at - before).replace(tzinfo=UTC).astimezone(zone).tzname() or ""
    yield f"BEGIN:{kind}"
    yield f"DTSTART:{at.year:04}{at:%m%dT%H%M%S}"
    yield f"TZOFFSETFROM:{_told(before)}"
    yield f"TZOFFSETTO:{_told(after)}"
    yield f"TZNAME:{text(name)}"
    yield from more
    yield f"END:{kind}"


def _switches(zone: ZoneInfo, begins: datetime, until: datetime) -> Iterator[_Switch]:
    """Yield the changes of offset, found by halving the weeks that have one."""
    at, offset = begins, _offset(zone, begins)
    while at < until:
        then = at + _STEP
        if _offset(zone, then) != offset:
            low, high = at, then
            while high - low > timedelta(seconds=1):
                middle = (low + (high - low) / 2).replace(microsecond=0)
                low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
            after = _offset(zone, high)
            yield (high + offset).replace(tzinfo=None), offset, after
            at, offset = high, after
        else:
            at = then


def _rule(days: Sequence[datetime], begins: int) -> str | None:
    """Return the RRULE of a switch in every year on one weekday, first to last of its month."""
    years = [day.year for day in days]
    first = days[0]
    if years != list(range(begins, begins + _YEARS)):
        return None
    if any(
        (d.month, d.weekday(), d.time()) != (first.month, first.weekday(), first.time())
        for d in days
    ):
        return None
    if all((day + timedelta(days=7)).month != day.month for day in days):
        place = -1
    elif len({(day.day - 1) // 7 for day in days}) == 1:
        place = (first.day - 1) // 7 + 1
    else:
        return None
    return f"RRULE:FREQ=YEARLY;BYMONTH={first.month};BYDAY={place}{_WEEK[first.weekday()]}"


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _told(offset: timedelta) -> str:
    seconds = int(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    told = f"{sign}{seconds // 3600:02}{seconds // 60 % 60:02}"
    return f"{told}{seconds % 60:02}" if seconds % 60 else told
