"""What the dashboard is built from; ``runtime`` fills it by plain constructor calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from syncd.engine.applications import Applications
from syncd.engine.control import Control
from syncd.engine.deliver import Deliverer
from syncd.engine.link import Linking
from syncd.engine.subscriptions import Subscriptions
from syncd.engine.tail import Tail
from syncd.engine.tick import Ticker
from syncd.engine.tokens import Tokens
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How this process is doing; None is what is not known here.

    ``checks`` are those of ``/readyz``, None where all is well, else a sentence. ``lag`` are the
    median and the 99th percentile of the last minute. ``settings`` are facts of the configuration
    that hold no secret. ``rounds_here``: it is this process of all on the database that polls and
    pushes.
    """

    version: str
    python: str
    started_at: datetime
    database: str | None
    wal_bytes: int | None
    free_bytes: int | None
    writer_wait: timedelta | None
    lag: tuple[timedelta, timedelta] | None
    memory_bytes: int | None
    rounds_here: bool
    schedule: tuple[tuple[str, timedelta], ...]
    checks: tuple[tuple[str, str | None], ...]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that the dashboard's pages use; ``address`` is what links of a request carry."""

    store: Store
    vault: Vault
    clock: Clock
    tokens: Tokens
    applications: Applications
    linking: Linking
    control: Control
    ticker: Ticker
    tail: Tail
    subscriptions: Subscriptions
    deliverer: Deliverer
    facts: Callable[[], Awaitable[Facts]]
    address: Callable[[web.Request], str]


DESK = web.AppKey("desk", Desk)


def desk_of(request: web.Request) -> Desk:
    """Return what the pages of this application use."""
    return request.config_dict[DESK]
