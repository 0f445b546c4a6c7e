"""What the HTTP side is built from; ``runtime/wiring.py`` fills it by plain constructor calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from aiohttp import web

from syncd.engine.agenda import Agenda
from syncd.engine.asking import Asking
from syncd.engine.browse import Browser
from syncd.engine.busy import BusyReader
from syncd.engine.callbacks import Callbacks
from syncd.engine.control import Control
from syncd.engine.deliver import Deliverer
from syncd.engine.exchanging import Exchanging
from syncd.engine.expiries import Expiries
from syncd.engine.feeds import Feeds
from syncd.engine.further import Further
from syncd.engine.hints import Hints
from syncd.engine.invitations import Invitations
from syncd.engine.link import Linking
from syncd.engine.managed import ManagedEvents
from syncd.engine.merged import MergedReader
from syncd.engine.room_calendars import RoomCalendars
from syncd.engine.stream import StreamReader
from syncd.engine.subscriptions import Subscriptions
from syncd.engine.tick import Ticker
from syncd.engine.tokens import Tokens
from syncd.engine.write import Writer
from syncd.model.outbound import Network
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.store import Store
from syncd.ports.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part of our health; ``ask`` returns None if it is well, else a sentence."""

    name: str
    ask: Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Token buckets per token and per address, and requests at once per token (api.md R16)."""

    per_second: float = 500
    burst: int = 5000
    at_once: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Times of a server-sent stream (api.md K41), of a long poll (K40), and of revoking (R5)."""

    heartbeat: timedelta = timedelta(seconds=15)
    stall: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=4)
    token_check: timedelta = timedelta(milliseconds=500)
    longest_wait: timedelta = timedelta(seconds=60)


async def _no_metrics() -> bytes:
    return b""


class Pages(Protocol):
    """Routes that answer people, not programs: ``web``'s (K6, C18)."""

    async def kloudless(self, request: web.Request) -> web.StreamResponse:
        """Obey K6."""
        ...

    async def cronofy(self, request: web.Request) -> web.StreamResponse:
        """Obey C18."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that handlers use.

    ``listen`` is the address of the setting, ``host:port`` or ``unix:/path``; ``public_url`` has
    no slash at its end (R10). ``proxies`` may set ``X-Forwarded-*``. ``live`` are the checks of
    ``/livez``, ``ready`` those of ``/readyz``; ``metrics`` returns Prometheus' text.
    """

    store: Store
    vault: Vault
    stream: StreamReader
    merged: MergedReader
    subscriptions: Subscriptions
    deliverer: Deliverer
    callbacks: Callbacks
    browser: Browser
    writer: Writer
    managed: ManagedEvents
    agenda: Agenda
    busy: BusyReader
    further: Further
    room_calendars: RoomCalendars
    linking: Linking
    invitations: Invitations
    asking: Asking
    exchanging: Exchanging
    pages: Pages
    tokens: Tokens
    expiries: Expiries
    feeds: Feeds
    ticker: Ticker
    control: Control
    hints: Hints
    clock: Clock
    meter: Meter
    public_url: str
    listen: str
    proxies: tuple[Network, ...] = ()
    live: tuple[Check, ...] = ()
    ready: tuple[Check, ...] = ()
    metrics: Callable[[], Awaitable[bytes]] = _no_metrics
    rates: Rates = Rates()
    pace: Pace = Pace()
    per_owner: int = 1000  # webhooks of a user or an application, subscriptions of an account
    retention: timedelta = timedelta(days=30)  # how long what was deleted is shown (C2, C6)


PARTS = web.AppKey("parts", Parts)


def parts_of(request: web.Request) -> Parts:
    """Return the parts of the application that answers."""
    return request.config_dict[PARTS]


Json = dict[str, Any]
