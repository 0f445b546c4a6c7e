"""Everything is built here, by plain constructor calls, and taken down in the opposite order."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from syncd.api.address import base_url
from syncd.api.parts import Parts, Rates
from syncd.engine.agenda import Agenda
from syncd.engine.applications import Applications
from syncd.engine.asking import Asking
from syncd.engine.browse import Browser
from syncd.engine.busy import BusyReader
from syncd.engine.callbacks import Callbacks
from syncd.engine.consents import Consents
from syncd.engine.control import Control
from syncd.engine.deliver import Deliverer
from syncd.engine.exchanging import Exchanging
from syncd.engine.expiries import Expiries
from syncd.engine.feeds import Feeds
from syncd.engine.further import Further
from syncd.engine.hints import Hints
from syncd.engine.hub import Hub
from syncd.engine.idle import Idle
from syncd.engine.invitations import Invitations
from syncd.engine.leaving import Leaving
from syncd.engine.ledger import Ledger
from syncd.engine.link import Linking
from syncd.engine.managed import ManagedEvents
from syncd.engine.merged import MergedReader
from syncd.engine.notes import Notes
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.engine.prune import Pruner
from syncd.engine.room_calendars import RoomCalendars
from syncd.engine.stream import StreamReader
from syncd.engine.subscriptions import Subscriptions
from syncd.engine.tail import Tail
from syncd.engine.tick import Ticker
from syncd.engine.tokens import Tokens
from syncd.engine.write import Writer
from syncd.engine.written import Written
from syncd.model.errors import MisconfiguredError
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.vault import Vault
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.backlog import show_backlog
from syncd.runtime.clock import SystemClock
from syncd.runtime.fanout import target_of
from syncd.runtime.metrics import Metrics
from syncd.runtime.outbound import PUSH_IDLE, Guard, session
from syncd.runtime.rounds import Rounds
from syncd.runtime.schedule import Schedule
from syncd.runtime.settings import Pace, Settings
from syncd.runtime.vault import KeyRing, open_ring, ring_file, write_ring
from syncd.runtime.vitals import Vitals
from syncd.runtime.workers import ExpansionWorkers
from syncd.sinks.registry import Rim as SinkRim
from syncd.sinks.registry import sinks
from syncd.store.open import open_store
from syncd.web.authorize import AuthorizePages
from syncd.web.dashboard.desk import Desk, Facts

TICK = timedelta(seconds=1)
PRUNE = timedelta(hours=1)
KEEP_ALIVE = timedelta(hours=1)
ICLOUD_INTERVAL = timedelta(seconds=60)  # the shortest (IC6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What a running syncd is made of; ``providers`` opens profiles at their providers."""

    settings: Settings
    clock: Clock
    store: Store
    vault: Vault
    hub: Hub
    metrics: Metrics
    providers: Opener
    stream: StreamReader
    merged: MergedReader
    subscriptions: Subscriptions
    deliverer: Deliverer
    callbacks: Callbacks
    browser: Browser
    writer: Writer
    agenda: Agenda
    busy: BusyReader
    further: Further
    linking: Linking
    consents: Consents
    leaving: Leaving
    invitations: Invitations
    asking: Asking
    ticker: Ticker
    control: Control
    hints: Hints
    pruner: Pruner
    idle: Idle
    schedule: Schedule
    rounds: Rounds
    vitals: Vitals


@asynccontextmanager
async def wired(settings: Settings) -> AsyncIterator[Core]:
    """Build everything and start nothing; the caller holds the lock of the state directory.

    Raises MisconfiguredError for a key ring or a database that cannot be used, TransientError
    for a database that does not answer.
    """
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    vault = vault_of(settings)
    clock, hub, metrics, plan = SystemClock(), Hub(), Metrics(), plan_of(settings)
    async with AsyncExitStack() as stack:
        store = await open_store(settings.store_url, state_dir=settings.state_dir, clock=clock)
        stack.push_async_callback(store.close)
        await require_keys(store, vault, settings)
        guard = Guard(settings.outbound.allow_private, listen_address(settings))
        http = session(guard)
        stack.push_async_callback(http.close)
        workers = ExpansionWorkers()
        stack.push_async_callback(workers.close)
        rim = Rim(
            session=lambda: http,
            clock=clock,
            settings=settings.providers.texts(),
            admits=guard.admits,
        )
        opener = Opener(KINDS, rim, store, vault)
        written = Written(clock)
        hints = Hints(
            *(store, opener, clock, metrics),
            base=push_base(settings),
            interval=plan.pushed_interval,
        )
        poller = Poller(store, opener, hub, clock, metrics, plan, written=written, hints=hints)
        ticker = await stack.enter_async_context(Ticker(store, poller, clock, metrics, plan))
        browser = Browser(store, workers, clock)
        writer = await stack.enter_async_context(
            Writer(store, opener, browser, hub, clock, written=written)
        )
        linking = Linking(store, opener, vault, clock, hub)
        base = settings.server.public_url
        notes = await stack.enter_async_context(Notes(store))
        ledger = Ledger(
            *(store, notes, linking, clock, metrics), public_url=base, draw=random.random
        )
        pushing = session(guard, idle=PUSH_IDLE)
        stack.push_async_callback(pushing.close)
        outlet = SinkRim(
            session=lambda: pushing,
            keys=store.application_keys,
            vault=vault,
            clock=clock,
            nats=target_of(settings),
        )
        targets = await stack.enter_async_context(sinks(outlet))
        deliverer = await stack.enter_async_context(
            Deliverer(store, hub, ledger, targets, clock=clock, meter=metrics)
        )
        subscriptions = Subscriptions(
            *(store, vault, clock, deliverer, ledger),
            admits=guard.admits,
            most=settings.limits.subscriptions_per_owner,
        )
        schedule = Schedule(clock)
        leaving = Leaving(store, opener)
        invitations = Invitations(store, linking, leaving, vault, clock)
        yield Core(
            settings=settings,
            clock=clock,
            store=store,
            vault=vault,
            hub=hub,
            metrics=metrics,
            providers=opener,
            stream=StreamReader(store, hub, clock),
            merged=MergedReader(store, hub, clock),
            subscriptions=subscriptions,
            deliverer=deliverer,
            callbacks=Callbacks(store, subscriptions, deliverer, guard.admits),
            browser=browser,
            writer=writer,
            agenda=Agenda(store, workers, clock),
            busy=BusyReader(store, workers),
            further=Further(opener, store),
            consents=Consents(store, opener, vault, clock, public_url=base),
            linking=linking,
            leaving=leaving,
            invitations=invitations,
            asking=Asking(store, invitations, opener, vault, clock),
            ticker=ticker,
            control=Control(store, hub, clock, hints, leaving),
            hints=hints,
            pruner=Pruner(
                store,
                clock,
                metrics,
                days=settings.retention.days,
                activities=settings.retention.activities,
            ),
            idle=Idle(store, opener, clock),
            schedule=schedule,
            rounds=Rounds(store, deliverer, clock, metrics),
            vitals=Vitals(store, vault, clock, metrics, schedule),
        )


def vault_of(settings: Settings) -> KeyRing:
    """Return the key ring, made where it is ours to make; raises MisconfiguredError."""
    ring = ring_file(settings.vault.key_file, settings.state_dir)
    if not settings.vault.key_file and ring.parent == settings.state_dir and not ring.exists():
        write_ring(ring)
    return open_ring(ring)


async def require_keys(store: Store, vault: KeyRing, settings: Settings) -> None:
    """Raise MisconfiguredError if something in the store is sealed with a key that is missing."""
    if lacking := await store.sealing_keys() - vault.names:
        ring = ring_file(settings.vault.key_file, settings.state_dir)
        raise MisconfiguredError(
            f"{ring}: credentials are sealed with {', '.join(sorted(lacking))}, which this key "
            "ring lacks; restore the ring that was in use"
        )


def parts_of(core: Core) -> Parts:
    """Return what the HTTP side is built from."""
    settings = core.settings

    async def metrics() -> bytes:
        await show_backlog(core.store, core.clock, core.metrics)
        return core.metrics.text()

    return Parts(
        store=core.store,
        vault=core.vault,
        stream=core.stream,
        merged=core.merged,
        subscriptions=core.subscriptions,
        deliverer=core.deliverer,
        callbacks=core.callbacks,
        browser=core.browser,
        writer=core.writer,
        managed=ManagedEvents(core.store, core.writer, core.hub, core.clock),
        agenda=core.agenda,
        busy=core.busy,
        further=core.further,
        room_calendars=RoomCalendars(core.providers, core.clock),
        linking=core.linking,
        invitations=core.invitations,
        asking=core.asking,
        exchanging=Exchanging(core.store, Tokens(core.store, core.clock), core.clock),
        pages=AuthorizePages(core.asking, core.clock),
        tokens=Tokens(core.store, core.clock),
        expiries=Expiries(core.store, core.vault, core.clock),
        feeds=Feeds(core.store, core.vault, core.clock),
        ticker=core.ticker,
        control=core.control,
        hints=core.hints,
        clock=core.clock,
        meter=core.metrics,
        public_url=settings.server.public_url,
        listen=settings.server.listen,
        proxies=settings.server.trusted_proxies,
        live=core.vitals.live,
        ready=core.vitals.ready,
        metrics=metrics,
        per_owner=settings.limits.subscriptions_per_owner,
        retention=timedelta(days=settings.retention.days),
        rates=Rates(
            per_second=settings.limits.requests_per_second,
            burst=settings.limits.burst,
            at_once=settings.limits.requests_at_once,
        ),
    )


def desk_of(parts: Parts, facts: Callable[[], Awaitable[Facts]]) -> Desk:
    """Return what the dashboard is built from."""
    return Desk(
        store=parts.store,
        vault=parts.vault,
        clock=parts.clock,
        tokens=parts.tokens,
        applications=Applications(parts.store, parts.vault, parts.clock),
        linking=parts.linking,
        control=parts.control,
        ticker=parts.ticker,
        tail=Tail(parts.store, parts.merged),
        subscriptions=parts.subscriptions,
        deliverer=parts.deliverer,
        facts=facts,
        address=base_url,
    )


def plan_of(settings: Settings) -> Plan:
    """Return the engine's plan: a provider's own times, else those of ``[poll]``."""
    poll = settings.poll
    paces: dict[str, Pace] = {
        "google": poll.google,
        "graph": poll.graph,
        "ews": poll.ews,
        "caldav": poll.caldav,
        "icloud": poll.icloud,
    }
    intervals = {
        name: timedelta(seconds=pace.interval_seconds)
        for name, pace in paces.items()
        if pace.interval_seconds is not None
    }
    default = timedelta(seconds=poll.interval_seconds)
    return Plan(
        default_interval=default,
        intervals={"icloud": max(default, ICLOUD_INTERVAL), **intervals},
        default_reconcile=timedelta(seconds=poll.reconcile_seconds),
        reconciles={
            name: timedelta(seconds=pace.reconcile_seconds)
            for name, pace in paces.items()
            if pace.reconcile_seconds is not None
        },
        pushed_interval=timedelta(seconds=settings.hints.interval_seconds),
        disconnect_proof=timedelta(seconds=poll.disconnect_proof_seconds),
        invalid_grant_gap=timedelta(seconds=poll.invalid_grant_gap_seconds),
    )


def push_base(settings: Settings) -> str | None:
    """Return the address below which providers may call; None where they cannot reach us.

    They call over https only.
    """
    url = settings.server.public_url
    return f"{url}/v1/push" if settings.hints.enabled and url.startswith("https://") else None


def listen_address(settings: Settings) -> tuple[str, int] | None:
    """Return host and port that syncd answers at, None for a Unix socket."""
    listen = settings.server.listen
    if listen.startswith("unix:"):
        return None
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
