"""A calendar without sync-collection is read when its ctag moved (D6, D14).

Radicale behind the quirk proxy, polled by the real engine.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from syncd.providers.caldav.listing import Lister
from tests.contract.rig import Rig, rigged
from tests.contract.stage import Stage
from tests.contract.test_sync_again import Behind
from tests.servers.dav_client import event
from tests.servers.quirk_proxy import QuirkProxy


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[QuirkProxy]:
    async with QuirkProxy(tmp_path / "proxy") as running:
        running.switches.no_sync_collection = "told"
        await running.mkcalendar("work", name="Work")
        for number in range(20):
            await running.put("work", f"{number}.ics", event(f"u-{number}", f"Event {number}"))
        yield running


@pytest.fixture
async def here(proxy: QuirkProxy, tmp_path: Path) -> AsyncIterator[Rig[Any]]:
    (tmp_path / "store").mkdir()
    async with rigged(cast("Stage", Behind(proxy)), tmp_path / "store") as made:
        await made.connect()
        assert (await made.poll(3)).error is None
        await made.news()
        yield made


async def asked(here: Rig[Any], proxy: QuirkProxy) -> list[tuple[str, str]]:
    """Poll, without looking at the list of calendars; return the reports asked for."""
    proxy.forget()
    here.clock.advance(timedelta(minutes=1))
    assert (await here.poller.poll(await here.profile())).error is None
    return [(one.report, one.depth) for one in proxy.asked]


async def test_a_quiet_poll_asks_for_the_ctag_alone(here: Rig[Any], proxy: QuirkProxy) -> None:
    assert await asked(here, proxy) == [("propfind", "0")]
    assert sum(one.received + one.sent for one in proxy.asked) <= 1_000
    assert await here.told() == []


async def test_what_moved_it_is_told(here: Rig[Any], proxy: QuirkProxy) -> None:
    await proxy.put("work", "0.ics", event("u-0", "Other"))
    await proxy.put("work", "new.ics", event("u-new", "New"))
    await proxy.delete("work", "1.ics")
    reports = await asked(here, proxy)
    assert reports == [("propfind", "0"), ("propfind", "1"), ("calendar-multiget", "1")]
    assert await here.told() == [("add", "New"), ("delete", "Event 1"), ("update", "Other")]
    assert len(await asked(here, proxy)) == 2  # once more, as a ctag may count seconds (D13)
    assert await asked(here, proxy) == [("propfind", "0")]
    assert await here.told() == []


async def test_what_moves_during_a_second_look_gets_one_of_its_own(
    here: Rig[Any], proxy: QuirkProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D13: the listing that found it may be in the same second as what comes behind it."""
    await proxy.put("work", "0.ics", event("u-0", "Other"))
    await asked(here, proxy)
    plain = Lister.ctag

    async def moving(lister: Lister) -> str | None:
        told = await plain(lister)
        await proxy.put("work", "0.ics", event("u-0", "Late"))
        return told

    with monkeypatch.context() as patched:
        patched.setattr(Lister, "ctag", moving)
        await asked(here, proxy)
    assert await here.told() == [("update", "Late"), ("update", "Other")]
    assert await asked(here, proxy) == [("propfind", "0"), ("propfind", "1")]
    assert await asked(here, proxy) == [("propfind", "0")]
