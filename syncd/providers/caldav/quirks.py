"""What we learned of each server, kept while the process runs; the right thing without it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from aiohttp import DigestAuthMiddleware
from yarl import URL

from syncd.model.ids import CalendarKey
from syncd.ports.vault import Secret

MOST_HREFS = 500  # a multiget (D9)
FEWEST_HREFS = 25
_BELIEVED_AGAIN = timedelta(days=1)
_SLOW_HOME = 1.0  # seconds; below this nothing is called slow
_MUCH_SLOWER = 3.0  # times the single requests


class Scheme(StrEnum):
    """How a server wants to be signed in to."""

    BASIC = "basic"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a calendar's own properties told of it."""

    sync: bool  # it has sync-collection
    zone: str | None  # IANA, of floating times


@dataclass(slots=True)
class Quirks:
    """One server."""

    scheme: Scheme | None = None
    plain_allowed: bool = False  # Basic over http: its addresses are private (D25)
    hrefs: int = MOST_HREFS  # how many a multiget may name
    multiget: bool = True
    bare_get: bool = False  # GET tells no etag
    facts: dict[CalendarKey, Facts] = field(default_factory=dict)
    books: dict[str, Sequence[URL]] = field(default_factory=dict)  # homes by user name
    bookless_until: float = 0.0  # monotonic; until then nobody has address books there
    # where sync-collection failed, and until when (monotonic) it is not asked for again
    unsynced: dict[CalendarKey, float] = field(default_factory=dict)
    _digests: dict[str, tuple[str, DigestAuthMiddleware]] = field(default_factory=dict)
    _single: float | None = None
    _home: float | None = None  # a home's PROPFIND, by calendar that it listed

    def learn(self, calendar: CalendarKey, facts: Facts, *, now: float) -> Facts:
        """Keep what a calendar's properties say, less what proved untrue; return that.

        After a day, by the monotonic ``now``, it is believed again: a server is updated, or what
        stands in front of it is mended.
        """
        if self.unsynced.get(calendar, now) <= now:
            self.unsynced.pop(calendar, None)
        kept = replace(facts, sync=facts.sync and calendar not in self.unsynced)
        self.facts[calendar] = kept
        return kept

    def refuse_sync(self, calendar: CalendarKey, *, now: float) -> None:
        """Remember for a day that a calendar has no sync-collection, whatever it says (D14)."""
        self.unsynced[calendar] = now + _BELIEVED_AGAIN.total_seconds()
        self.facts.pop(calendar, None)

    def digest(self, username: str, password: Secret) -> DigestAuthMiddleware:
        """Return the user's digest with its counters, so that a poll costs no second request."""
        known = self._digests.get(username)
        if known is None or known[0] != password.reveal():
            known = (password.reveal(), DigestAuthMiddleware(username, password.reveal()))
            self._digests[username] = known
        return known[1]

    def note_single(self, seconds: float) -> None:
        """Remember how long one calendar's own request took."""
        self._single = seconds

    def note_home(self, seconds: float, calendars: int) -> None:
        """Remember how long the home's PROPFIND took (D6)."""
        self._home = seconds / max(1, calendars) if seconds > _SLOW_HOME else None

    @property
    def home_slow(self) -> bool:
        """Tell whether asking every calendar is much quicker than asking the home (D6)."""
        if self._home is None or self._single is None:
            return False
        return self._home > _MUCH_SLOWER * self._single


class Memory:
    """The quirks of every server, by origin."""

    def __init__(self) -> None:
        """Know nothing."""
        self._quirks = dict[URL, Quirks]()

    def of(self, origin: URL) -> Quirks:
        """Return what is known of a server, to be read and written."""
        known = self._quirks.get(origin)
        if known is None:
            known = self._quirks[origin] = Quirks()
        return known
