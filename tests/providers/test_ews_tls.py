"""Exchange over TLS: whom this machine trusts is trusted, and a connection can be cut (O5)."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.model.errors import TransientError
from syncd.providers.ews import line as lines
from tests.fakes.clock import FakeClock
from tests.providers.ews import EwsDesk, at, event, ews_adapter, ews_desk, ews_login
from tests.servers.certified import certified
from tests.servers.ews import PATH, EwsServer
from tests.servers.ntlm import NtlmDoor, known
from tests.servers.tls_door import tls_door


@pytest.fixture
async def server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[EwsServer, ssl.SSLContext]]:
    """Serve under a certificate that the client trusts; yield what it is trusted by."""
    shown, trusted = certified(tmp_path, "localhost")
    monkeypatch.setattr(lines, "_trusted", lambda: trusted)
    async with EwsServer().running() as one, tls_door(one.port, shown) as port:
        one.url = f"https://localhost:{port}{PATH}"
        yield one, trusted
        assert one.complaints == []


@pytest.fixture
async def desk(server: tuple[EwsServer, ssl.SSLContext]) -> AsyncIterator[EwsDesk]:
    one, trusted = server
    one.put("a", *event("A", at(24)))
    async with ews_desk(one, trusted) as found:
        yield found


async def test_a_trusted_certificate_is_enough(desk: EwsDesk) -> None:
    assert desk.signed.settings["url"].startswith("https://localhost:")
    assert (await desk.read()).upserts == {"a"}


async def test_ntlm_is_bound_to_the_certificate(
    server: tuple[EwsServer, ssl.SSLContext], tmp_path: Path
) -> None:
    """It looks at the connection of the first refusal for that."""
    one, trusted = server
    one.ntlm = NtlmDoor()
    with known(tmp_path, one.username, one.password):
        async with ews_desk(one, trusted) as found:
            assert found.signed.settings["auth"] == "NTLM"
            await found.read()


async def test_a_certificate_that_nobody_signed_ends_it(
    desk: EwsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a way around, and never a disconnect (I11)."""
    monkeypatch.setattr(lines, "_trusted", ssl.create_default_context)
    desk.server.asked.clear()
    async with desk.adapter.open(desk.profile, desk.keys) as provider:
        with pytest.raises(TransientError, match="not safe"):
            await provider.calendars()
    async with ews_adapter(FakeClock()) as adapter:
        with pytest.raises(TransientError):
            await adapter.sign_in(ews_login(desk.server))
    assert desk.server.asked == []


async def test_a_cancelled_poll_cuts_a_safe_connection_too(desk: EwsDesk) -> None:
    """E2."""
    waiting, never = asyncio.Event(), asyncio.Event()

    async def hold(_: str) -> None:
        waiting.set()
        await never.wait()

    desk.server.hold = hold
    reading = asyncio.create_task(desk.read())
    await asyncio.wait_for(waiting.wait(), 5)
    reading.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await reading
    never.set()
