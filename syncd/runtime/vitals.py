"""Is everything that must answer answering? For ``/livez``, ``/readyz`` and systemd's watchdog."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from syncd.api.parts import Check
from syncd.model.errors import SyncdError
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.store.upkeep import Health
from syncd.ports.vault import Secret, Vault
from syncd.runtime.metrics import LoopLag, Metrics
from syncd.runtime.schedule import Schedule

LOOK_EVERY = timedelta(seconds=10)
STANDSTILL = timedelta(seconds=60)
FREE_BYTES = 200_000_000  # below it nothing new is started (F35)
WAL_BYTES = 64 << 20
WRITER_WAIT = timedelta(seconds=1)
SOUND_SQLITE = (3, 51, 3)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The store's last answer, and when (monotonic) it came."""

    health: Health
    at: float


class Vitals:
    """Looks at the store again and again; knows when loop and schedule were last heard."""

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, metrics: Metrics, schedule: Schedule
    ) -> None:
        """Look at these."""
        self._store = store
        self._vault = vault
        self._clock = clock
        self._metrics = metrics
        self._schedule = schedule
        self.lag = LoopLag(metrics)
        self._seen: Seen | None = None
        self._started = clock.monotonic()
        self._well = True
        self.draining = False

    @property
    def health(self) -> Health | None:
        """Return the store's last answer."""
        return None if self._seen is None else self._seen.health

    @property
    def roomy(self) -> bool:
        """Tell whether there is disk left to start something new."""
        free = None if self.health is None else self.health.free_bytes
        return free is None or free >= FREE_BYTES

    async def watch(self) -> None:
        """Look until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.lag.run(), name="loop lag")
            while True:
                await self._clock.sleep(LOOK_EVERY)
                await self.look()

    async def look(self) -> None:
        """Ask the store once; log only when its state changes."""
        try:
            health = await self._store.health()
        except SyncdError as error:
            self._tell(well=False, why=str(error))
            return
        self._seen = Seen(health=health, at=self._clock.monotonic())
        self._metrics.show(
            {
                "store_wal_bytes": health.wal_bytes or 0,
                "store_free_bytes": health.free_bytes or 0,
                "store_writer_wait_seconds": health.writer_wait.total_seconds(),
                "store_writable": int(health.writable),
            }
        )
        disk = self._disk()
        self._tell(well=health.writable and disk is None, why=disk or "the database is read-only")

    def alive(self) -> bool:
        """Tell whether loop, writer and schedule have all answered within the last minute."""
        return all(sentence is None for sentence in (self._loop(), self._writer(), self._ticks()))

    @property
    def live(self) -> tuple[Check, ...]:
        """Return the checks of ``/livez``."""
        return (
            Check(name="loop", ask=_asking(self._loop)),
            Check(name="writer", ask=_asking(self._writer)),
            Check(name="schedule", ask=_asking(self._ticks)),
        )

    @property
    def ready(self) -> tuple[Check, ...]:
        """Return the checks of ``/readyz``."""
        return (
            Check(name="store", ask=_asking(self._store_answers)),
            Check(name="writer", ask=_asking(self._writes)),
            Check(name="schedule", ask=_asking(self._ticks)),
            Check(name="disk", ask=_asking(self._disk)),
            Check(name="vault", ask=_asking(self._opens)),
            Check(name="draining", ask=_asking(self._drains)),
        )

    def _tell(self, *, well: bool, why: str) -> None:
        if well != self._well:
            self._well = well
            if well:
                log.info("store.recovered")
            else:
                log.error("store.failing", why=why)

    def _loop(self) -> str | None:
        return self._late("the event loop", self.lag.beat_at)

    def _ticks(self) -> str | None:
        return self._late("the schedule", self._schedule.beat_at)

    def _writer(self) -> str | None:
        return self._late("the writer", None if self._seen is None else self._seen.at)

    def _late(self, what: str, beat_at: float | None) -> str | None:
        since = self._clock.monotonic() - (self._started if beat_at is None else beat_at)
        return f"{what} stands still" if since > STANDSTILL.total_seconds() else None

    def _store_answers(self) -> str | None:
        return "the database does not answer" if self._seen is None or not self._well else None

    def _writes(self) -> str | None:
        health = self.health
        if health is not None and not health.writable:
            return "the database cannot be written"
        if health is not None and health.writer_wait > WRITER_WAIT:
            return f"a write waits {health.writer_wait.total_seconds():.1f} s"
        return self._writer()

    def _disk(self) -> str | None:
        health = self.health
        if not self.roomy:
            return f"less than {FREE_BYTES // 1_000_000} MB are free: polling waits"
        if health is not None and (health.wal_bytes or 0) > WAL_BYTES:
            return f"the write-ahead log has {(health.wal_bytes or 0) >> 20} MiB"
        return None

    def _opens(self) -> str | None:
        try:
            self._vault.open(self._vault.seal(Secret("probe"), place="probe"), place="probe")
        except SyncdError as error:
            return str(error)
        return None

    def _drains(self) -> str | None:
        return "syncd is stopping" if self.draining else None


def newer_wanted(database: str) -> str | None:
    """Return which version mends SQLite's WAL-reset fault (F33), None if this one has it."""
    product, _, version = database.partition(" ")
    numbers = tuple(int(part) for part in version.split(".") if part.isdecimal())
    return "SQLite 3.51.3" if product == "SQLite" and numbers < SOUND_SQLITE else None


def _asking(sentence: Callable[[], str | None]) -> Callable[[], Awaitable[str | None]]:
    async def ask() -> str | None:
        return sentence()

    return ask
