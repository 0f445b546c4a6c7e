"""``syncd run``: serve until told to stop, drain, and read the settings again when told to.

SIGTERM and SIGINT stop: readiness goes, streams end, polls and writes under way get time to end.
SIGHUP builds everything anew from the file; the sockets stay open meanwhile, so nobody is refused.
A file that is wrong changes nothing but the log: what it says is tried beside what runs.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Self

import structlog
from aiohttp import web

from syncd import __version__
from syncd.api.build import build
from syncd.api.limits import READ_AT_MOST
from syncd.engine.fanout import settle_fanout
from syncd.model.errors import SyncdError, TransientError
from syncd.runtime import admin, log, settings
from syncd.runtime.facts import facts_of
from syncd.runtime.heap import settle_heap
from syncd.runtime.listening import api_socket, unix_socket
from syncd.runtime.lock import only_writer
from syncd.runtime.notify import Notifier
from syncd.runtime.rehearsal import rehearse
from syncd.runtime.setback import watch_for_setbacks
from syncd.runtime.settings import Settings
from syncd.runtime.vitals import newer_wanted
from syncd.runtime.wiring import KEEP_ALIVE, PRUNE, TICK, Core, desk_of, parts_of, wired
from syncd.web.build import add_pages

DRAIN_SECONDS = 25.0  # of the 30 that an operator waits; the rest is for closing
HTTP_DRAIN_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75.0
PATIENCE = timedelta(seconds=10)  # with a command that holds the lock
NEWS_AGAIN = timedelta(seconds=5)

lines = structlog.get_logger()


class Signals:
    """What the operator wants; each is set by a signal."""

    def __init__(self) -> None:
        """Want nothing yet."""
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()

    def listen(self) -> None:
        """Take the signals of this process."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)

    async def wait(self) -> None:
        """Return when there is something to do."""
        async with asyncio.TaskGroup() as group:
            tasks = {group.create_task(one.wait()) for one in (self.stop, self.reload)}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()


async def run(config: Path | None) -> None:
    """Serve until SIGTERM; raises MisconfiguredError, LockedError, TransientError at the start."""
    signals = Signals()
    signals.listen()
    await serve(settings.load(config), signals, config)


async def serve(first: Settings, signals: Signals, config: Path | None) -> None:
    """Serve by ``first``, and after each SIGHUP by what the file says then."""
    notifier = Notifier()
    current = first
    with (
        first.naming(),
        only_writer(current.lock_file, patience=PATIENCE),
        Sockets(current) as sockets,
    ):
        while not signals.stop.is_set():
            log.configure(current.log.level)
            async with running(current, sockets, notifier) as core:
                settle_heap()
                current = await _until_told(core, sockets, signals, notifier, config)
    lines.info("daemon.stopped")


class Sockets:
    """The listening sockets; handed out as copies, so that they outlive a reload."""

    def __init__(self, current: Settings) -> None:
        """Remember where; ``with`` opens."""
        self._listen = current.server.listen
        self._admin_path = current.admin_socket
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Listen; raises MisconfiguredError."""
        with ExitStack() as stack:
            self.api = stack.enter_context(api_socket(self._listen))
            self.admin = stack.enter_context(unix_socket(self._admin_path, mode=0o600))
            stack.callback(self._admin_path.unlink, missing_ok=True)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.api.close()
        self._stack.close()

    def move(self, listen: str) -> None:
        """Listen elsewhere, and only then leave; raises MisconfiguredError with all as it was."""
        if listen != self._listen:
            made = api_socket(listen, beside=self.api)
            self.api.close()  # who answers at a copy of it still does
            self.api, self._listen = made, listen


async def _until_told(
    core: Core, sockets: Sockets, signals: Signals, notifier: Notifier, config: Path | None
) -> Settings:
    """Return what to serve by next; after a stop, nothing is served any more."""
    while True:
        await signals.wait()
        if signals.stop.is_set():
            sockets.api.close()  # refuse at once what will not be answered
            notifier.tell("STOPPING=1", "STATUS=stopping")
            lines.info("daemon.draining")
            return core.settings
        signals.reload.clear()
        notifier.tell("RELOADING=1", "STATUS=reading the settings again")
        fresh = await _again(core, sockets, config)
        if fresh is not None:
            return fresh
        listen = core.settings.server.listen
        notifier.tell("READY=1", f"STATUS=answering at {listen}; new settings refused, see the log")


@asynccontextmanager
async def running(current: Settings, sockets: Sockets, notifier: Notifier) -> AsyncIterator[Core]:
    """Serve inside of this; leaving it drains."""
    async with wired(current) as core:
        await core.vitals.look()
        await settle_fanout(core.store, core.clock, core.settings.nats.url)
        core.schedule.every(TICK, partial(_tick, core), name="poll")
        core.schedule.every(TICK, core.deliverer.tick, name="deliveries")
        core.schedule.every(PRUNE, partial(_prune, core), name="retention")
        core.schedule.every(KEEP_ALIVE, partial(_keep_alive, core), name="idle")
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(core.vitals.watch(), name="vitals"),
                group.create_task(_news(core), name="news"),
                group.create_task(core.deliverer.follow(), name="deliver"),
                group.create_task(core.rounds.take(), name="rounds"),
                group.create_task(
                    watch_for_setbacks(core.clock, partial(_set_back, core)), name="setbacks"
                ),
            ]
            core.schedule.start()
            try:
                async with (
                    _answering(_application(core), sockets.api),
                    _answering(admin.application(core), sockets.admin),
                ):
                    _tell_ready(core, notifier)
                    tasks.append(group.create_task(_watchdog(core, notifier), name="watchdog"))
                    yield core
                    core.vitals.draining = True
                    core.schedule.stop()
                with suppress(TimeoutError):
                    async with asyncio.timeout(DRAIN_SECONDS - HTTP_DRAIN_SECONDS):
                        await core.writer.settled()
                        await core.ticker.settled()
            finally:
                for task in tasks:
                    task.cancel()


def _application(core: Core) -> web.Application:
    """Return the API with the pages for people."""
    parts = parts_of(core)
    made = build(parts)
    add_pages(
        made,
        linking=parts.linking,
        consents=core.consents,
        invitations=core.invitations,
        linker=core.providers,
        expiries=parts.expiries,
        clock=parts.clock,
        desk=desk_of(parts, facts_of(core)),
    )
    return made


@asynccontextmanager
async def _answering(application: web.Application, at: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(
        application,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=HTTP_DRAIN_SECONDS,
        max_line_size=READ_AT_MOST["max_line_size"],
        max_field_size=READ_AT_MOST["max_field_size"],
    )
    await runner.setup()
    try:
        await web.SockSite(runner, at.dup()).start()
        yield
    finally:
        await runner.cleanup()


def _tell_ready(core: Core, notifier: Notifier) -> None:
    database = core.vitals.health.database if core.vitals.health else "unknown"
    listen = core.settings.server.listen
    lines.info("daemon.ready", version=__version__, listen=listen, database=database)
    if better := newer_wanted(database):
        lines.warning("store.outdated", database=database, wanted=better)
    notifier.tell("READY=1", f"STATUS=answering at {listen}, {database}")


async def _tick(core: Core) -> None:
    if core.rounds.here and core.vitals.roomy:  # below the floor nothing new is started (F35)
        await core.ticker.tick()


async def _prune(core: Core) -> None:
    if core.rounds.here:
        await core.pruner.prune()


async def _keep_alive(core: Core) -> None:
    if core.rounds.here:
        await core.idle.keep_alive()


async def _set_back(core: Core, by: timedelta) -> None:
    """Have everything happen when it would have, by a clock that was set back."""
    core.schedule.hurry()
    if core.rounds.here:
        await core.ticker.noted()  # these are of the former clock
        await core.store.turn_back(by, now=core.clock.now())
        core.deliverer.look_anew()


async def _news(core: Core) -> None:
    """Wake readers, and who pushes, for what other processes did; ends at once on SQLite."""
    told = False  # once an outage
    while True:
        try:
            async for news in core.store.news():
                told = False
                if isinstance(news, str):
                    await core.deliverer.changed(news)
                else:
                    core.hub.wake(news)
        except TransientError as error:
            if not told:
                lines.warning("news.interrupted", why=str(error))
            told = True
            core.rounds.look_again()
            await core.clock.sleep(NEWS_AGAIN)
        else:
            return


async def _watchdog(core: Core, notifier: Notifier) -> None:
    """Tell systemd that we live, only while loop, writer and schedule answer."""
    every = notifier.watchdog
    while every is not None:
        if core.vitals.alive():
            notifier.tell("WATCHDOG=1")
        await core.clock.sleep(every)


async def _again(core: Core, sockets: Sockets, config: Path | None) -> Settings | None:
    """Return what the file says, None if it cannot be served by: then all stays as it was."""
    try:
        fresh = settings.load(config)
        with fresh.naming():
            await rehearse(fresh, core)
            sockets.move(fresh.server.listen)
    except (SyncdError, OSError) as error:
        lines.error("settings.refused", why=str(error))
        return None
    lines.info("settings.read")
    return fresh
