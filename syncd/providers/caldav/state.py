"""Our sync token: where we stand in a calendar, as versioned text (P2)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from syncd.model.errors import SyncTokenExpiredError
from syncd.model.ids import SyncToken, short
from syncd.providers.caldav import wire

VERSION = 1
SETTLED = timedelta(seconds=2)  # a server that counts whole seconds has moved on by then (D13)

_PARAMETERS = short(wire.sync_collection("", bodies=True).decode(), wire.MEMBERS.decode(), length=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A position in a calendar's change feed.

    ``sync`` is the server's own token; without one ``ctag`` tells whether anything moved (D14).
    ``bodies`` remembers whether calendar-data came with changes (D9), ``members`` how many
    resources there are at least, ``echo`` the last changes' digest and ``changed_at`` when they
    were read, in milliseconds, until the calendar was looked at again (D13).
    """

    sync: str | None = None
    ctag: str | None = None
    bodies: bool | None = None
    members: int = 0
    echo: str | None = None
    changed_at: int | None = None

    def text(self) -> SyncToken:
        """Write it down."""
        told: dict[str, str | int | None] = {"s": self.sync, "c": self.ctag, "e": self.echo}
        told |= {"b": self.bodies, "n": self.members, "t": self.changed_at}
        kept = {name: value for name, value in told.items() if value is not None}
        return SyncToken(orjson.dumps({"v": VERSION, "p": _PARAMETERS, **kept}).decode())

    def settled(self, at: datetime) -> bool:
        """Tell whether a second look at ``at`` would be late enough, or none is due."""
        return self.changed_at is None or _milliseconds(at) - self.changed_at >= _LEAST

    def quiet(self, at: datetime) -> "State":
        """Return the state after a look at ``at`` that found nothing new."""
        if self.changed_at is None or not self.settled(at):
            return self
        return replace(self, changed_at=None)

    def changed(self, at: datetime) -> "State":
        """Return the state after a look at ``at`` that found changes."""
        return replace(self, changed_at=_milliseconds(at))


def read_state(token: SyncToken) -> State:
    """Read it back; raises SyncTokenExpiredError for another version or other parameters."""
    try:
        told: Any = orjson.loads(token)
        if told["v"] != VERSION or told["p"] != _PARAMETERS:
            raise SyncTokenExpiredError("the sync token belongs to other parameters")
        return State(
            sync=told.get("s"),
            ctag=told.get("c"),
            bodies=told.get("b"),
            members=int(told.get("n", 0)),
            echo=told.get("e"),
            changed_at=told.get("t"),
        )
    except (ValueError, TypeError, LookupError, AttributeError):
        raise SyncTokenExpiredError("the sync token is none of ours") from None


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


_LEAST = SETTLED // timedelta(milliseconds=1)
