"""The time that a change feed tells of in full (MG1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.when import utc

_BEFORE, _AFTER = timedelta(days=365), timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a change feed tells of in full: now - 12 … + 24 months (MG1)."""

    after: datetime
    before: datetime

    @classmethod
    def around(cls, now: datetime) -> "Window":
        """Return the window of a round that begins now; on whole days."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(today - _BEFORE, today + _AFTER)

    @property
    def begun(self) -> datetime:
        """Return the day on which the round was."""
        return self.after + _BEFORE

    @property
    def query(self) -> Mapping[str, str]:
        """Return the window as parameters."""
        return {"startDateTime": utc(self.after), "endDateTime": utc(self.before)}
