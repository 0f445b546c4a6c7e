"""A server that once refused sync-collection is asked for it again after a day (D14).

Radicale behind the quirk proxy, polled by the real engine.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from syncd.model.calendar import Mode
from syncd.ports.link import Login
from tests.contract.rig import Rig, rigged
from tests.contract.stage import Stage
from tests.providers.follow import login_at
from tests.servers.dav_client import event
from tests.servers.quirk_proxy import QuirkProxy

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Behind:
    """As much of a stage as a rig needs to connect."""

    settings: Mapping[str, Mapping[str, str]] = {}

    def __init__(self, proxy: QuirkProxy) -> None:
        self.proxy = proxy

    def login(self) -> Login:
        return login_at(self.proxy)


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[QuirkProxy]:
    async with QuirkProxy(tmp_path / "proxy") as running:
        for name in ("work", "home"):
            await running.mkcalendar(name, name=name.capitalize())
            await running.put(name, "a.ics", event(f"u-{name}", f"In {name}"))
        yield running


@pytest.fixture
async def here(proxy: QuirkProxy, tmp_path: Path) -> AsyncIterator[Rig[Any]]:
    """Connected and read, while the server refuses a report that it says it has."""
    proxy.switches.no_sync_collection = "hidden"
    (tmp_path / "store").mkdir()
    async with rigged(cast("Stage", Behind(proxy)), tmp_path / "store") as made:
        await made.connect()
        assert (await made.poll(3)).error is None
        assert await modes(made) == {Mode.LISTING}
        await made.news()
        yield made


async def modes(here: Rig[Any]) -> set[Mode | None]:
    return {one.mode for one in await here.store.calendars(here.profile_id)}


def reports(proxy: QuirkProxy) -> int:
    """Return how often the report was asked for since the last time."""
    found = sum(one.report == "sync-collection" for one in proxy.asked)
    proxy.forget()
    return found


async def edited(here: Rig[Any], proxy: QuirkProxy, word: str) -> None:
    """Change an event of each calendar, and see that a poll tells of it."""
    for name in ("work", "home"):
        await proxy.put(name, "a.ics", event(f"u-{name}", f"{word} {name}"))
    assert (await here.poll()).error is None
    assert await here.told() == [("update", f"{word} home"), ("update", f"{word} work")]


async def test_a_server_that_has_it_again_is_read_by_it_after_a_day(
    here: Rig[Any], proxy: QuirkProxy
) -> None:
    proxy.switches.no_sync_collection = ""
    reports(proxy)
    await edited(here, proxy, "Soon")
    here.clock.advance(DAY - HOUR)
    await edited(here, proxy, "Later")
    assert (reports(proxy), await modes(here)) == (0, {Mode.LISTING})
    here.clock.advance(HOUR)
    await edited(here, proxy, "Next day")
    assert await modes(here) == {Mode.TOKEN}
    reports(proxy)
    await edited(here, proxy, "By token")
    assert reports(proxy) == 2
    assert await modes(here) == {Mode.TOKEN}


async def test_one_that_refuses_it_still_is_asked_once_a_day(
    here: Rig[Any], proxy: QuirkProxy
) -> None:
    reports(proxy)
    asked = list[int]()
    for day in range(3):
        here.clock.advance(DAY)
        for hour in range(4):
            await edited(here, proxy, f"{day} {hour}")
            here.clock.advance(HOUR)
        asked.append(reports(proxy))
        assert await modes(here) == {Mode.LISTING}
    assert asked == [2, 2, 2]  # one a calendar
    assert await here.told() == []
