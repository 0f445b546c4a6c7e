"""Which zone a written time means (P9): IANA, Windows name, VTIMEZONE, the calendar's, floating."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from io import StringIO
from zoneinfo import ZoneInfo

from dateutil.tz import tzical
from tzlocal.windows_tz import tz_win, win_tz

from syncd.formats.lines import Component
from syncd.formats.rule import parts, refusal
from syncd.model.when import When

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT"})
_NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
_SAMPLES = tuple(_NOON + timedelta(weeks=week) for week in range(156))
_LIKELY = (  # for a VTIMEZONE without a known name: the first of these that behaves like it
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "America/New_York"),
    *("America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix"),
    *("America/Anchorage", "America/Halifax", "America/St_Johns", "America/Sao_Paulo"),
    *("Asia/Dubai", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Bangkok", "Asia/Shanghai"),
    *("Asia/Tokyo", "Asia/Jerusalem", "Australia/Sydney", "Australia/Adelaide"),
    *("Australia/Brisbane", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Honolulu"),
    *win_tz.values(),
)
_MOST_WRITTEN = 32 * 1024  # characters of a VTIMEZONE that is made use of
_MOST_DESCRIBED = 20  # such zones in one object: to evaluate one takes milliseconds
_YEARLY = frozenset({"YEARLY", "MONTHLY"})
_MOST_SWITCHES = 12  # in a step of a VTIMEZONE's rule: more is no zone, but a bomb (F19)


@lru_cache(maxsize=1024)
def iana(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA or Windows name, also behind a vendor's path; else None."""
    text = name.strip().strip('"')
    parts = text.strip("/").split("/")
    tries = [text, win_tz.get(text, "")]
    tries += ["/".join(parts[at:]) for at in range(len(parts)) if text.startswith("/")]
    for one in tries:
        if one:
            try:
                return ZoneInfo(one)
            except (KeyError, ValueError, OSError):  # unknown, no key, a folder of the zone base
                continue
    return None


def windows(name: str) -> str | None:
    """Return the Windows name of an IANA zone, None if it has none."""
    found: str | None = tz_win.get(name)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """A zone as we can name it; ``name`` is None for offsets that no IANA zone is known to have."""

    zone: tzinfo
    name: str | None

    def at(self, wall: datetime) -> datetime:
        """Return the wall time here, aware; without a name its offset is written down."""
        aware = wall.replace(tzinfo=self.zone)
        if self.name is not None:
            return aware
        return wall.replace(tzinfo=timezone(aware.utcoffset() or timedelta()))


UTC_PLACE = Place(UTC, "UTC")


class Zones:
    """The zones of one iCalendar object; what it says of a name means nothing in another."""

    def __init__(self, components: Iterable[Component], calendar_zone: str | None) -> None:
        """Know the object's VTIMEZONEs, and the zone of the calendar that holds it."""
        self._written = {_tzid(one): one for one in components}
        self._known = dict[str, Place]()
        self._described = 0
        found = iana(calendar_zone) if calendar_zone else None
        self.floating = UTC_PLACE if found is None else Place(found, found.key)

    def place(self, tzid: str | None) -> Place:
        """Return what a TZID means; an unknown one is read like a floating time."""
        if not tzid:
            return self.floating
        if tzid not in self._known:
            self._known[tzid] = self._find(tzid)
        return self._known[tzid]

    def read(self, value: date | datetime, tzid: str | None) -> tuple[When, Place | None]:
        """Return a date as it is, or an aware time and where it is."""
        if not isinstance(value, datetime):
            return value, None
        if tzid is None and value.tzinfo is not None:
            return value.astimezone(UTC), UTC_PLACE
        place = self.place(tzid)
        return place.at(value.replace(tzinfo=None)), place

    def _find(self, tzid: str) -> Place:
        if tzid in UTC_NAMES:
            return UTC_PLACE
        found = iana(tzid)
        written = self._written.get(tzid)
        if found is None and written is not None:
            location = written.text("X-LIC-LOCATION")
            found = iana(location) if location else None
        if found is not None:
            return Place(found, found.key)
        if written is None or self._described >= _MOST_DESCRIBED:
            return self.floating
        self._described += 1
        return _described(_plain(written)) or self.floating


def _tzid(component: Component) -> str:
    return (component.text("TZID") or "").strip()


def _plain(written: Component) -> str:
    """Return a VTIMEZONE with only what tells its offsets, under a name of ours; or nothing."""
    rows = ["BEGIN:VTIMEZONE", "TZID:written"]
    for part in written.parts:
        if part.name not in ("STANDARD", "DAYLIGHT"):
            continue
        rows.append(f"BEGIN:{part.name}")
        for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO"):
            rows += [f"{name}:{line.value.strip()}" for line in part.all(name)[:1]]
        for line in part.all("RRULE"):
            if not _harmless(line.value):
                return ""
            rows.append(f"RRULE:{line.value.strip()}")
        rows += [f"RDATE:{line.value.strip()}" for line in part.all("RDATE")]
        rows.append(f"END:{part.name}")
    rows.append("END:VTIMEZONE")
    text = "\n".join(rows)
    return text if len(text) <= _MOST_WRITTEN else ""


def _harmless(rule: str) -> bool:
    found = parts(f"RRULE:{rule}")
    switches = sum(value.count(",") + 1 for name, value in found.items() if name.startswith("BY"))
    fine = found.get("FREQ") in _YEARLY and switches <= _MOST_SWITCHES
    return fine and refusal([f"RRULE:{rule}"]) is None


@lru_cache(maxsize=256)
def _described(text: str) -> Place | None:
    """Return the IANA zone that behaves like a VTIMEZONE, else its offsets; None for nonsense."""
    try:
        zone = tzical(StringIO(text)).get()
        if zone is None:
            return None
        offsets = _offsets(zone)
    except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
        return None  # dateutil says "broken" in many ways
    alike = next((name for name in _LIKELY if _offsets_of(name) == offsets), None)
    return Place(zone, None) if alike is None else Place(ZoneInfo(alike), alike)


def _offsets(zone: tzinfo) -> tuple[timedelta | None, ...]:
    return tuple(one.replace(tzinfo=zone).utcoffset() for one in _SAMPLES)


@cache
def _offsets_of(name: str) -> tuple[timedelta | None, ...]:
    return _offsets(ZoneInfo(name))
