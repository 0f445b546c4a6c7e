"""How syncd is doing: ``syncd status`` and the half of ``syncd doctor`` that needs the store."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from syncd import __version__
from syncd.model.errors import SyncdError
from syncd.model.profile import Profile
from syncd.runtime.fanout import target_of
from syncd.runtime.vitals import newer_wanted
from syncd.runtime.wiring import Core
from syncd.sinks.letters import Target

Json = dict[str, Any]

A_LOOK = timedelta(seconds=20)
MOST_LOOKS = 50  # profiles whose servers are tried
LOOKS_AT_ONCE = 10


async def status(core: Core) -> Json:
    """Return version, checks, and how many profiles and subscriptions are in which state."""
    checks = {check.name: await check.ask() for check in core.vitals.ready}
    states = Counter(profile.state for profile in await _all(core))
    pushed = Counter[str]()
    for one in await core.store.backlog():
        pushed[one.status] += one.subscriptions
    health = core.vitals.health
    return {
        "version": __version__,
        "listen": core.settings.server.listen,
        "public_url": core.settings.server.public_url,
        "ready": not any(checks.values()),
        "checks": {name: sentence or "ok" for name, sentence in checks.items()},
        "database": None if health is None else health.database,
        "polls_and_pushes": core.rounds.here,
        "profiles": {str(state): count for state, count in sorted(states.items())},
        "subscriptions": {str(status): count for status, count in sorted(pushed.items())},
    }


async def doctor(core: Core) -> Sequence[Json]:
    """Return what was looked at, what was found, and whether it is well."""
    await core.vitals.look()
    health = core.vitals.health
    found: list[Json] = []
    if health is not None:
        free = "unknown" if health.free_bytes is None else f"{health.free_bytes >> 20} MiB free"
        found += [
            _finding("database", _version(health.database), well=health.writable),
            _finding("disk", free, well=core.vitals.roomy),
        ]
    found += [_finding("database content", fault, well=False) for fault in await core.store.check()]
    if (target := target_of(core.settings)) is not None:
        found.append(await _nats(core, target))
    return [*found, *await looks(core)]


async def looks(core: Core) -> list[Json]:
    """Try the servers of those that fail first; a silent one keeps nobody else waiting."""
    profiles = sorted(await _all(core), key=lambda one: one.last_error is None)
    turn = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def look(profile: Profile) -> Json:
        async with turn:
            return await _reach(core, profile)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(look(one)) for one in profiles[:MOST_LOOKS]]
    found = [task.result() for task in tasks]
    if len(profiles) > MOST_LOOKS:
        told = f"{MOST_LOOKS} of {len(profiles)} were tried, those that fail first"
        return [*found, _finding("profiles", told, well=True)]
    return found


def _version(database: str) -> str:
    better = newer_wanted(database)
    return f"{database}; {better} mends a rare loss of data" if better else database


async def _reach(core: Core, profile: Profile) -> Json:
    what = f"profile {profile.id} ({profile.login})"
    if profile.refused is not None:
        return _finding(what, "disconnected: its person must sign in again", well=False)
    try:
        async with (
            asyncio.timeout(A_LOOK.total_seconds()),
            core.providers.open(profile) as provider,
        ):
            calendars = await provider.calendars()
    except TimeoutError:
        return _finding(what, "its server does not answer", well=False)
    except SyncdError as error:
        return _finding(what, str(error), well=False)
    return _finding(what, f"{len(calendars)} calendars", well=True)


async def _nats(core: Core, target: Target) -> Json:
    """Connect to the operator's NATS server as the sink does, and look at the stream."""
    from syncd.sinks.jetstream import JetStream  # noqa: PLC0415 - an extra

    what, stream = f"nats ({core.settings.nats.url})", JetStream(target)
    try:
        return _finding(what, await stream.examine(), well=True)
    except SyncdError as error:
        return _finding(what, str(error), well=False)
    finally:
        await stream.close()


async def _all(core: Core) -> list[Profile]:
    found, after = list[Profile](), None
    while page := await core.store.profiles(after=after):
        found += page
        after = page[-1].id
    return found


def _finding(what: str, found: str, *, well: bool) -> Json:
    return {"what": what, "found": found, "well": well}
