"""The stream of many profiles: places in it, and the cursor that names one (api.md N11)."""

from dataclasses import dataclass, replace

from syncd.model.activity import Activity
from syncd.model.errors import CursorExpiredError, MalformedCursorError
from syncd.model.ids import CURSOR, CURSOR_OF_ALL, Position, ProfileId


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an activity stands among all; ``order`` is that of commits, many may share one.

    One profile's activities stand in the order of their positions, none between two commits.
    """

    order: int
    profile: ProfileId
    position: Position


ORIGIN = Place(0, ProfileId(0), Position(0))


def behind(order: int) -> Place:
    """Return the place behind all activities of an order, before those of the next."""
    return replace(ORIGIN, order=order + 1) if order else ORIGIN


@dataclass(frozen=True, slots=True)
class MergedCursor:
    """A place as clients carry it; no cursor of one profile reads like it, nor the other way.

    ``after_auth``: its reader leaves out what existed before each profile was connected (K36).
    """

    epoch: str
    place: Place
    after_auth: bool = False

    def __str__(self) -> str:
        """Return the text that clients keep."""
        place = self.place
        text = f"{self.epoch}-{place.order}-{place.profile}-{place.position}"
        return f"{text}-a" if self.after_auth else text

    @classmethod
    def parse(cls, text: str) -> "MergedCursor":
        """Read what ``str()`` wrote; raises MalformedCursorError for anything else."""
        found = CURSOR_OF_ALL.fullmatch(text)
        if found is None:
            kind = "a cursor of one profile, " if CURSOR.fullmatch(text) else ""
            raise MalformedCursorError(f"this is {kind}not a cursor of the stream of all profiles")
        place = Place(int(found[2]), ProfileId(int(found[3])), Position(int(found[4])))
        return cls(found[1], place, after_auth=found[5] is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where a merged stream begins and ends for one reader, as of one read.

    Nothing behind ``floor`` was cut off from any of its profiles. ``last`` is the order of the
    newest activity of all that can be read, 0 for none; nothing that comes later has an order of
    ``high`` or less. While ``settled`` is false, more is committed that can be read only when
    older transactions end.
    """

    epoch: str
    floor: Place
    last: int
    high: int
    settled: bool

    @property
    def latest(self) -> Place:
        """Return the place behind all that can be read; it names no profile that made it."""
        return max(behind(self.last), self.floor)

    def check(self, cursor: MergedCursor) -> Place:
        """Return the place; raises CursorExpiredError for what is not retained (I4)."""
        if cursor.epoch != self.epoch:
            message = "this cursor is from before the store was restored"
            raise self._expired("epoch", message, cursor)
        if cursor.place < self.floor:
            message = "the stream does not reach back to this cursor"
            raise self._expired("retention", message, cursor)
        if cursor.place > behind(self.high):
            raise self._expired("retention", "the stream ends before this cursor", cursor)
        return cursor.place

    def _expired(self, reason: str, message: str, cursor: MergedCursor) -> CursorExpiredError:
        oldest = MergedCursor(self.epoch, self.floor, after_auth=cursor.after_auth)
        latest = MergedCursor(self.epoch, self.latest, after_auth=cursor.after_auth)
        return CursorExpiredError(message, reason=reason, restart=str(oldest), latest=str(latest))


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedActivity:
    """An activity with its place."""

    place: Place
    activity: Activity


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedBatch:
    """What follows a cursor; ``cursor`` is the place after it, or the end if nothing is left."""

    ends: Ends
    activities: tuple[MergedActivity, ...]
    cursor: MergedCursor

    def behind(self, one: MergedActivity) -> MergedCursor:
        """Return the cursor right behind one of its activities."""
        return MergedCursor(self.cursor.epoch, one.place, after_auth=self.cursor.after_auth)
