"""One recorded change, and what readers of a stream ask for and get (api.md K35-K42)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.errors import CursorExpiredError
from syncd.model.ids import CalendarId, Cursor, Position, ProfileId


class Kind(StrEnum):
    """What changed (``metadata.type``)."""

    EVENT = "event"
    CALENDAR = "calendar"
    ACCOUNT = "account"
    CONTACT = "contact"


class Type(StrEnum):
    """How it changed."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


ACTIONS = {Type.ADD: "+", Type.UPDATE: "~", Type.DELETE: "-"}
OF_NO_CALENDAR = frozenset({Kind.ACCOUNT, Kind.CONTACT})  # pass a filter of calendars (K38)
SHOWN = frozenset({Kind.EVENT, Kind.CALENDAR, Kind.ACCOUNT})  # unless a reader names others (K38)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A change before it has a position.

    ``body`` is the JSON object of K42 without ``id`` and ``cursor``; the store splices ``id`` in
    when it gives the position, readers splice ``cursor`` in.
    """

    kind: Kind
    type: Type
    object_id: str
    body: bytes
    recorded_at: datetime
    calendar_id: CalendarId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A recorded change; immutable. ``body`` is K42's object, all but ``cursor``."""

    position: Position
    kind: Kind
    type: Type
    object_id: str
    body: bytes
    calendar_id: CalendarId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Where a profile's stream begins and ends, as of one read.

    Positions ``floor + 1 … head`` are retained. ``after_auth`` is the end of the first complete
    read, None until then (K36).
    """

    profile_id: ProfileId
    epoch: str
    head: Position
    floor: Position
    after_auth: Position | None = None

    @property
    def latest(self) -> Cursor:
        """Return the cursor at the end."""
        return Cursor(self.epoch, self.head)

    @property
    def oldest(self) -> Cursor:
        """Return the cursor before the oldest retained activity."""
        return Cursor(self.epoch, self.floor)

    def check(self, cursor: Cursor) -> Position:
        """Return the position; raises CursorExpiredError for what is not retained (I4)."""
        if cursor.epoch != self.epoch:
            raise self._expired("epoch", "this cursor is from before the store was restored")
        if cursor.position < self.floor:
            raise self._expired("retention", "the stream does not reach back to this cursor")
        if cursor.position > self.head:
            raise self._expired("retention", "the stream ends before this cursor")
        return cursor.position

    def _expired(self, reason: str, message: str) -> CursorExpiredError:
        oldest, latest = str(self.oldest), str(self.latest)
        return CursorExpiredError(message, reason=reason, restart=oldest, latest=latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which activities a reader wants (K38); no kinds, no types and None are no limit.

    ``OF_NO_CALENDAR`` pass whatever the calendars, so where these are none, nothing else does.
    """

    kinds: frozenset[Kind] = SHOWN
    types: frozenset[Type] = frozenset(Type)
    calendars: frozenset[CalendarId] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What follows a cursor; ``cursor`` is the place after it, or the end if nothing is left.

    It is None while a reader waits for ``after-auth`` and the first read is unfinished (K36).
    """

    stream: Stream
    activities: tuple[Activity, ...]
    cursor: Cursor | None
