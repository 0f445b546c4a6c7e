"""What the last polls of each profile came to, since this process began; for the operator's eye."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from syncd.model.ids import ProfileId

KEPT = 40  # polls of a profile
MOST_PROFILES = 10_000  # of which anything is kept: some 10 MB
FINE = "ok"
_FIELDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One poll: when it ended (monotonic), how long it took, what it recorded, how it went."""

    ended: float
    seconds: float
    activities: int
    outcome: str  # ``ok``, else a code of api.md R15


class Diary:
    """A ring of numbers a profile: a poll writes four of them, and nothing is allocated."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rings: dict[ProfileId, array[float]] = {}
        self._turns = dict[ProfileId, int]()
        self._words = [FINE]

    def note(
        self, profile: ProfileId, *, ended: float, seconds: float, activities: int, outcome: str
    ) -> None:
        """Keep a poll in place of the oldest."""
        ring = self._rings.get(profile)
        if ring is None:
            if len(self._rings) >= MOST_PROFILES:
                return
            ring = self._rings[profile] = array("d", bytes(8 * KEPT * _FIELDS))
        if outcome not in self._words:
            self._words.append(outcome)
        turn = self._turns.get(profile, 0)
        self._turns[profile] = turn + 1
        at = turn % KEPT * _FIELDS
        word = float(self._words.index(outcome))
        ring[at : at + _FIELDS] = array("d", (ended, seconds, activities, word))

    def of(self, profile: ProfileId) -> Sequence[Look]:
        """Return what is kept, oldest first."""
        ring, turns = self._rings.get(profile), self._turns.get(profile, 0)
        if ring is None:
            return ()
        places = [turn % KEPT * _FIELDS for turn in range(max(0, turns - KEPT), turns)]
        return [
            Look(
                ended=ring[at],
                seconds=ring[at + 1],
                activities=int(ring[at + 2]),
                outcome=self._words[int(ring[at + 3])],
            )
            for at in places
        ]
