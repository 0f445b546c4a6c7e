"""``syncd doctor`` among many profiles whose servers are slow."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

from syncd.model.profile import LastError, Profile
from syncd.runtime.operations import health
from syncd.runtime.wiring import Core
from tests.store.opening import NOON
from tests.store.samples import a_profile

FAILING = {58, 59, 60}


class Servers:
    """Sixty profiles; a server answers when ten are asked, so that one by one none would."""

    def __init__(self) -> None:
        self.asked = list[int]()
        self._ten = asyncio.Barrier(health.LOOKS_AT_ONCE)

    async def profiles(self, *, after: object = None) -> Sequence[Profile]:
        if after is not None:
            return ()
        failed = LastError(at=NOON, code="upstream_error", message="it failed")
        return [
            a_profile(one, last_error=failed if one in FAILING else None) for one in range(1, 61)
        ]

    @asynccontextmanager
    async def open(self, profile: Profile) -> AsyncIterator[Any]:
        self.asked.append(profile.id)
        yield self

    async def calendars(self) -> Sequence[str]:
        await self._ten.wait()
        return ["Work"]


async def test_many_are_tried_at_once_and_those_that_fail_first() -> None:
    servers = Servers()
    core = cast("Core", SimpleNamespace(store=servers, providers=servers))
    async with asyncio.timeout(5):
        found = await health.looks(core)
    assert {*servers.asked[:3]} == FAILING
    assert len(servers.asked) == health.MOST_LOOKS
    assert [one["found"] for one in found[:-1]] == ["1 calendars"] * health.MOST_LOOKS
    assert found[-1] == {
        "what": "profiles",
        "found": "50 of 60 were tried, those that fail first",
        "well": True,
    }
