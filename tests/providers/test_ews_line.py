"""Exchange's connections: guarded, capped, in time, and left by nobody (O1, O4, O5, E2, E8)."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.edit import EventEdit
from syncd.model.errors import ForbiddenError, MalformedReplyError, TransientError
from syncd.model.ids import WHOLE
from syncd.providers.answers import PassingError
from syncd.providers.ews import line as lines
from syncd.providers.ews import thread
from syncd.providers.ews.line import Line
from syncd.providers.ews.thread import AT_ONCE, Thread
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.ews import EwsDesk, at, event, ews_desk, new
from tests.servers.ews import EwsServer, Fault


@pytest.fixture
async def desk() -> AsyncIterator[EwsDesk]:
    async with EwsServer().running() as server, ews_desk(server) as one:
        server.put("a", *event("A", at(24)))
        yield one
        assert server.complaints == []


def workers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("ews")]


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def found(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def opened_line(admits: Callable[[str, int], bool]) -> Line:
    line = Line(admits, FakeClock())
    line.begin()
    return line


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect where connections are tried, and let none succeed."""
    seen = list[str]()

    class Socket(socket.socket):
        def connect(self, address: object, /) -> None:
            seen.append(str(address[0]))  # type: ignore[index]
            raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "socket", Socket)
    return seen


def test_each_address_is_judged_before_it_is_tried(
    monkeypatch: pytest.MonkeyPatch, reached: list[str]
) -> None:
    """O1: what a name leads to now, not what it led to before."""
    resolving(monkeypatch, "10.0.0.1", "192.0.2.1", "169.254.169.254")
    line = opened_line(lambda host, _: host == "192.0.2.1")
    with pytest.raises(PassingError):
        line.reach("mail.example", 443, plain=False)
    assert reached == ["192.0.2.1"]
    nothing = opened_line(lambda *_: False)
    with pytest.raises(ForbiddenError, match="by syncd"):
        nothing.reach("mail.example", 443, plain=False)
    assert reached == ["192.0.2.1"]


def test_passwords_go_in_the_clear_to_private_addresses_only(
    monkeypatch: pytest.MonkeyPatch, reached: list[str]
) -> None:
    """D25, the same for Exchange."""
    resolving(monkeypatch, "8.8.8.8")
    anywhere = opened_line(lambda *_: True)
    with pytest.raises(ForbiddenError, match="without https"):
        anywhere.reach("mail.example", 80, plain=True)
    assert reached == []
    with pytest.raises(PassingError):
        anywhere.reach("mail.example", 443, plain=False)
    resolving(monkeypatch, "10.0.0.1")
    with pytest.raises(PassingError):
        anywhere.reach("mail.example", 80, plain=True)
    assert reached == ["8.8.8.8", "10.0.0.1"]


async def test_proxies_of_the_environment_are_not_asked(
    desk: EwsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O3."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await desk.read()).upserts == {"a"}


async def test_nothing_is_followed_elsewhere(desk: EwsDesk) -> None:
    """P12."""
    location = {"Location": "http://127.0.0.1:9/EWS/Exchange.asmx"}
    for status in (301, 302, 307, 308):
        desk.server.faults = [Fault(status=status, headers=location)]
        with pytest.raises(MalformedReplyError):
            await desk.read()


async def test_an_answer_is_capped_after_it_is_unpacked(
    desk: EwsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O4."""
    monkeypatch.setattr(lines, "_LARGEST", 2**20)
    packed = gzip.compress(b"<a>" + b" " * 2**22)
    assert len(packed) < 2**14
    bomb = Fault(status=200, body=packed, headers={"Content-Encoding": "gzip"})
    desk.server.faults = [bomb, Fault(status=200, body=b"<a>" + b" " * 2**21)]
    for _ in range(2):
        with pytest.raises(MalformedReplyError, match="more than 1 MiB"):
            await desk.read()
    assert (await desk.read()).upserts == {"a"}


async def test_an_answer_that_drips_ends_in_time(desk: EwsDesk) -> None:
    """O4: what comes too late counts as nothing."""
    desk.server.hold = lambda _: desk.clock.advance(timedelta(minutes=5))
    with pytest.raises(TransientError, match="too long"):
        await desk.read()


async def test_headers_that_drip_end_in_time(
    desk: EwsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O4: what counts bodies sees nothing of them."""
    monkeypatch.setattr(thread, "LONGEST", timedelta(seconds=0.3))

    left = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
                writer.write(bytes([letter]))
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as slow:
        port = slow.sockets[0].getsockname()[1]
        url = {"url": f"http://127.0.0.1:{port}/EWS/Exchange.asmx"}
        profile = replace(desk.profile, settings={**desk.profile.settings, **url})
        async with desk.adapter.open(profile, desk.keys) as provider, asyncio.timeout(5):
            with pytest.raises(TransientError, match=r"too long|nobody waits"):
                await provider.calendars()
            await left.wait()


async def test_the_loop_goes_on_while_a_thread_waits(desk: EwsDesk) -> None:
    """E2."""
    free = asyncio.Event()
    desk.server.hold = lambda _: free.wait()
    reading = asyncio.create_task(desk.read())
    for _ in range(20):
        begun = time.monotonic()
        await asyncio.sleep(0.005)
        assert time.monotonic() - begun < 1
    assert not reading.done()
    free.set()
    assert (await reading).upserts == {"a"}


@pytest.mark.parametrize("operation", ["SyncFolderItems", "GetItem"])
async def test_a_cancelled_poll_leaves_no_thread_at_work(desk: EwsDesk, operation: str) -> None:
    """The connection is cut under the thread, and nothing more is sent."""
    waiting, never = asyncio.Event(), asyncio.Event()

    async def hold(name: str) -> None:
        if name == operation:
            waiting.set()
            await never.wait()

    desk.server.hold = hold
    reading = asyncio.create_task(desk.read())
    await asyncio.wait_for(waiting.wait(), 5)
    asked = list(desk.server.asked)
    reading.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await reading
    never.set()
    await asyncio.sleep(0.05)
    assert desk.server.asked == asked
    with pytest.raises(TransientError, match="nobody waits"):
        await desk.read()


async def test_a_cancelled_write_sends_nothing_more(desk: EwsDesk) -> None:
    """Of a create the look-up is under way; the event is then not made behind anybody's back."""
    waiting, never = asyncio.Event(), asyncio.Event()

    async def hold(_: str) -> None:
        waiting.set()
        await never.wait()

    desk.server.hold = hold
    writing = asyncio.create_task(desk.provider.create_event(desk.key, new(), name="n" * 22))
    await asyncio.wait_for(waiting.wait(), 5)
    writing.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await writing
    never.set()
    await asyncio.sleep(0.05)
    assert set(desk.server.calendar.items) == {"a"}
    assert "CreateItem" not in desk.server.asked


async def test_threads_end_with_the_profile() -> None:
    async with EwsServer().running() as server, ews_desk(server) as desk:
        await desk.read()
        assert len(workers()) == 1
    for _ in range(500):
        if not workers():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(workers())


async def test_a_profile_asks_one_thing_at_a_time_however_often_it_is_open(desk: EwsDesk) -> None:
    """E8: the fake complains of two."""
    await desk.read()
    keys = FakeKeys.password(desk.server.password)

    async def poll_and_write() -> None:
        async with desk.adapter.open(desk.profile, keys) as provider:
            await provider.calendars()
            await provider.update_event(desk.key, desk.raw("a"), WHOLE, EventEdit())

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(poll_and_write())


async def test_at_most_eight_profiles_have_a_thread_at_work() -> None:
    """E2."""
    gate, busy, most, lock = asyncio.Semaphore(AT_ONCE), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.02)
        with lock:
            busy -= 1

    threads = [Thread(opened_line(lambda *_: True), asyncio.Lock(), gate) for _ in range(20)]
    async with asyncio.TaskGroup() as group:
        for one in threads:
            group.create_task(one.run(work))
    for one in threads:
        one.close()
    assert most == AT_ONCE == 8
