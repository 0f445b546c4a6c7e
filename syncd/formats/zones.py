"""Which zone a written time means (P9): IANA, Windows name, VTIMEZONE, the calendar's, floating."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Component, Timezone
from icalendar.error import GloballyUniqueTZIDGuessed
from tzlocal.windows_tz import win_tz

from syncd.model.when import When

# the library guesses before ``Zones`` decides, and would say so for every such calendar
warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "GMT", "Etc/GMT"})
_YEARS = (datetime(2024, 1, 15, 12, tzinfo=UTC), datetime(2026, 1, 15, 12, tzinfo=UTC))
_SAMPLES = tuple(year.replace(month=month) for year in _YEARS for month in range(1, 13))
_LIKELY = (  # for a VTIMEZONE without a known name: the first of these that behaves like it
    *("Europe/London", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "America/New_York"),
    *("America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix"),
    *("America/Anchorage", "America/Halifax", "America/St_Johns", "America/Sao_Paulo"),
    *("Asia/Dubai", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Bangkok", "Asia/Shanghai"),
    *("Asia/Tokyo", "Asia/Jerusalem", "Australia/Sydney", "Australia/Adelaide"),
    *("Australia/Brisbane", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Honolulu"),
)


@lru_cache(maxsize=1024)
def iana(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA or Windows name, also behind a vendor's path; else None."""
    text = name.strip().strip('"')
    parts = text.strip("/").split("/")
    tries = [text, win_tz.get(text, "")]
    tries += ["/".join(parts[at:]) for at in range(1, len(parts)) if text.startswith("/")]
    for one in tries:
        if one:
            try:
                return ZoneInfo(one)
            except (KeyError, ValueError, OSError):  # unknown, no key, a folder of the zone base
                continue
    return None


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
    """The zones of one iCalendar object."""

    def __init__(self, components: Iterable[Component], calendar_zone: str | None) -> None:
        """Know the object's VTIMEZONEs, and the zone of the calendar that holds it."""
        self._written = {str(one.get("TZID", "")): one for one in components}
        self._known = dict[str, Place]()
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
        if tzid in _UTC_NAMES:
            return UTC_PLACE
        written = self._written.get(tzid)
        location = str(written.get("X-LIC-LOCATION", "")) if written is not None else ""
        found = iana(tzid) or (iana(location) if location else None)
        if found is not None:
            return Place(found, found.key)
        if not isinstance(written, Timezone):
            return self.floating
        try:
            zone = written.to_tz()
            return _named(zone) or Place(zone, None)
        except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
            return self.floating


def _named(zone: tzinfo) -> Place | None:
    offsets = [one.replace(tzinfo=zone).utcoffset() for one in _SAMPLES]
    for name in _LIKELY:
        likely = ZoneInfo(name)
        if [one.replace(tzinfo=likely).utcoffset() for one in _SAMPLES] == offsets:
            return Place(likely, name)
    return None
