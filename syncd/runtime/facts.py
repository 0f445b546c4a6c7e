"""How this process is doing, for the dashboard's page about it."""

import platform
from collections.abc import Awaitable, Callable
from pathlib import Path

from syncd import __version__
from syncd.runtime.settings import Settings
from syncd.runtime.wiring import Core
from syncd.web.dashboard.desk import Facts

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096


def facts_of(core: Core) -> Callable[[], Awaitable[Facts]]:
    """Return what tells the facts of a running daemon."""
    started_at = core.clock.now()

    async def facts() -> Facts:
        health = core.vitals.health
        return Facts(
            version=__version__,
            python=platform.python_version(),
            started_at=started_at,
            database=None if health is None else health.database,
            wal_bytes=None if health is None else health.wal_bytes,
            free_bytes=None if health is None else health.free_bytes,
            writer_wait=None if health is None else health.writer_wait,
            lag=core.vitals.lag.recent(),
            memory_bytes=memory_bytes(),
            rounds_here=core.rounds.here,
            schedule=core.schedule.jobs(),
            checks=tuple([(one.name, await one.ask()) for one in core.vitals.ready]),
            settings=_told(core.settings),
        )

    return facts


def memory_bytes() -> int | None:
    """Return how much memory this process holds, None where the system does not tell so."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None


def _told(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return what an operator asks about most; nothing of it is a secret."""
    private = ", ".join(map(str, settings.outbound.allow_private))
    retained = settings.retention
    most = f", {retained.activities} a profile" if retained.activities else ""
    return (
        ("state_dir", str(settings.state_dir)),
        ("server.listen", settings.server.listen),
        ("server.public_url", settings.server.public_url),
        ("poll.interval_seconds", str(settings.poll.interval_seconds)),
        ("poll.reconcile_seconds", str(settings.poll.reconcile_seconds)),
        ("hints.enabled", "yes" if settings.hints.enabled else "no"),
        ("retention", f"{retained.days} days{most}"),
        ("outbound.allow_private", private or "none"),
        ("nats.url", settings.nats.url or "none"),
        ("log.level", settings.log.level),
        *(
            (f"providers.{name}", "registered" if one.client_id else "not registered")
            for name, one in (
                ("google", settings.providers.google),
                ("graph", settings.providers.graph),
            )
        ),
    )
