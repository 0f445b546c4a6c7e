"""Real servers, and Radicale behind the quirk proxy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.providers.follow import Desk, signed_in
from tests.providers.pen import Pen
from tests.servers.caldav import CalDavServer, Radicale, Xandikos
from tests.servers.dav_client import event
from tests.servers.quirk_proxy import QuirkProxy


@pytest.fixture(params=[Radicale, Xandikos], ids=["radicale", "xandikos"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CalDavServer]:
    async with request.param(tmp_path) as running:
        await running.mkcalendar("work", name="Work")
        yield running


@pytest.fixture
async def desk(server: CalDavServer) -> AsyncIterator[Desk]:
    async with signed_in(server) as one:
        yield one


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[QuirkProxy]:
    """Radicale behind the proxy; its calendar Work holds e0.ics to e9.ics."""
    async with QuirkProxy(tmp_path) as running:
        await running.mkcalendar("work", name="Work")
        for number in range(10):
            await running.put("work", f"e{number}.ics", event(f"u{number}", f"Event {number}"))
        yield running


@pytest.fixture
async def behind(proxy: QuirkProxy) -> AsyncIterator[Desk]:
    async with signed_in(proxy) as one:
        yield one


@pytest.fixture
async def pen(proxy: QuirkProxy, behind: Desk) -> Pen:
    pen = Pen(proxy, behind, (await behind.calendar()).key)
    await pen.read()
    proxy.forget()
    return pen
