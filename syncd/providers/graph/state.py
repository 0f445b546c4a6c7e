"""Where we stand in a calendar's change feed, as our sync token keeps it (P2, MG2, MG9): pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from syncd.model.errors import SyncTokenExpiredError
from syncd.model.ids import SyncToken
from syncd.providers.graph.again import Waits, read_waits, waits_text
from syncd.providers.graph.window import Window
from syncd.providers.graph.wire import PARAMETERS

LASTS = timedelta(days=30)  # of a window: then a new round (MG1)
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where we stand in a change feed: a deltaLink, its window, and removed ids to look up yet.

    ``again`` is what could not be told, and when it is asked for again.
    """

    link: str
    window: Window
    pending: tuple[str, ...] = ()
    again: Waits = field(default_factory=dict)


def state_text(standing: Standing) -> SyncToken:
    """Return our token."""
    told = {
        "v": _VERSION,
        "p": PARAMETERS,
        "link": standing.link,
        "after": standing.window.after.isoformat(),
        "before": standing.window.before.isoformat(),
        "pending": standing.pending,
    }
    if standing.again:
        told["again"] = waits_text(standing.again)
    return SyncToken(orjson.dumps(told).decode())


def read_state(token: SyncToken, now: datetime) -> Standing:
    """Return where a token stands; raises SyncTokenExpiredError for one that is of no use now."""
    try:
        told: Any = orjson.loads(token)
        if (told["v"], told["p"]) != (_VERSION, PARAMETERS):
            raise SyncTokenExpiredError("the sync token belongs to other parameters")
        window = Window(*(datetime.fromisoformat(told[name]) for name in ("after", "before")))
        standing = Standing(
            link=str(told["link"]),
            window=window,
            pending=tuple(told["pending"]),
            again=read_waits(told.get("again", {})),
        )
    except (ValueError, TypeError, LookupError, AttributeError):
        raise SyncTokenExpiredError("the sync token is none of ours") from None
    if now - window.begun > LASTS:
        raise SyncTokenExpiredError("the window of the change feed is behind (MG1)")
    return standing
