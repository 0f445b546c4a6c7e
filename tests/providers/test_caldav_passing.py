"""Requests passed through to real servers (K29), and headers sent along with writes (R20)."""

from collections.abc import AsyncIterator

import pytest
from yarl import URL

from syncd.model.errors import InvalidError, MalformedReplyError, TransientError
from syncd.model.ids import CalendarKey, ProfileId, UserId
from syncd.model.profile import Profile
from syncd.ports.passing import LARGEST_ANSWER, Passed, sending
from syncd.ports.provider import Provider
from syncd.providers.caldav.quirks import Scheme
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.follow import Desk, new_adapter
from tests.servers.caldav import CalDavServer
from tests.servers.dav_client import event
from tests.servers.raw import RawServer, answer

Raw = tuple[RawServer, Provider]


async def test_a_read_and_a_write_of_ones_own(desk: Desk, server: CalDavServer) -> None:
    """K29: signed in as the profile, byte for byte, at both ways to name a place."""
    await server.put("work", "a.ics", event("u1", "Review"))
    path = f"{server.home}work/a.ics"
    for uri in (path, server.url.rstrip("/") + path):
        told = await desk.provider.passed(Passed(method="GET", uri=uri))
        assert told.status == 200
        assert b"SUMMARY:Review" in told.body
        assert told.content_type
        assert told.content_type.startswith("text/calendar")
    gone = await desk.provider.passed(Passed(method="DELETE", uri=path))
    assert gone.status in {200, 204}
    assert (await desk.provider.passed(Passed(method="GET", uri=path))).status == 404


async def test_the_body_and_its_type_are_the_callers(desk: Desk, server: CalDavServer) -> None:
    path = f"{server.home}work/new.ics"
    put = Passed(
        method="PUT",
        uri=path,
        body=event("u2", "Mine").encode(),
        content_type="text/calendar",
    )
    assert (await desk.provider.passed(put)).status in {201, 204}
    search = Passed(
        method="PROPFIND",
        uri=f"{server.home}work/",
        body=b'<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>',
        content_type="application/xml",
    )
    with sending({"Depth": "1"}):
        told = await desk.provider.passed(search)
    assert told.status == 207
    assert b"new.ics" in told.body
    with sending({"Depth": "0"}):
        assert b"new.ics" not in (await desk.provider.passed(search)).body


async def test_credentials_stay_with_the_profiles_own_servers(
    desk: Desk, server: CalDavServer
) -> None:
    """K29: anything else is refused before a byte is sent."""
    port = server.url.rstrip("/").rpartition(":")[2]
    for uri in (
        "http://evil.example/",
        f"http://127.0.0.2:{port}/",
        f"https://127.0.0.1:{port}/",
        f"http://127.0.0.1.evil.example:{port}/",
        f"http://a:b@127.0.0.1:{port}/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
    ):
        with pytest.raises(InvalidError):
            await desk.provider.passed(Passed(method="GET", uri=uri))


async def test_whatever_comes_back_is_the_answer_and_nothing_is_sent_twice(raw: Raw) -> None:
    """K29: redirects are not followed, failures are not retried."""
    server, provider = raw
    for status in (200, 302, 401, 404, 429, 500, 503):
        server.told = answer(status, b"told", "Location: http://127.0.0.1:1/", kind="text/plain")
        before = len(server.asked)
        told = await provider.passed(Passed(method="POST", uri="/x"))
        assert (told.status, told.body, told.content_type) == (status, b"told", "text/plain")
        assert len(server.asked) == before + 1
    server.told = b""
    before = len(server.asked)
    with pytest.raises(TransientError):
        await provider.passed(Passed(method="POST", uri="/x"))
    assert len(server.asked) == before + 1


async def test_an_answer_beyond_16_mib_is_refused(raw: Raw) -> None:
    """K29."""
    server, provider = raw
    server.told = answer(200, b"x" * LARGEST_ANSWER)
    told = await provider.passed(Passed(method="GET", uri="/x"))
    assert len(told.body) == LARGEST_ANSWER
    server.told = answer(200, b"x" * (LARGEST_ANSWER + 1))
    with pytest.raises(MalformedReplyError):
        await provider.passed(Passed(method="GET", uri="/x"))


async def test_what_is_sent_along_reaches_writes_and_never_replaces_what_is_ours(raw: Raw) -> None:
    """R20."""
    server, provider = raw
    server.told = answer(204)
    with sending({"X-Own": "1", "content-type": "text/x", "Depth": "9"}):
        asked = Passed(method="PUT", uri="/x", body=b"1", content_type="text/y")
        await provider.passed(asked)
        head = server.asked[-1].decode().lower()
        assert "x-own: 1\r\n" in head
        assert "depth: 9\r\n" in head
        assert "content-type: text/y\r\n" in head
        assert "text/x" not in head
        assert "authorization: basic " in head
        server.told = answer(207, b"<x/>")
        with pytest.raises(MalformedReplyError):
            await provider.calendars()
        assert "x-own" not in server.asked[-1].decode().lower()
        await provider.delete_calendar(CalendarKey("/cal/work/"))
        assert "x-own: 1\r\n" in server.asked[-1].decode().lower()
    await provider.passed(asked)
    assert "x-own" not in server.asked[-1].decode().lower()


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    """A server that says what it is told to, and one who has signed in there."""
    clock = FakeClock()
    async with RawServer.running() as server, new_adapter(clock) as adapter:
        profile = Profile(
            id=ProfileId(1),
            user_id=UserId("acc_1"),
            provider="caldav",
            login="alice",
            identity="alice",
            created=clock.now(),
            modified=clock.now(),
            state_since=clock.now(),
            settings={"homes": f"{server.url}cal/"},
        )
        adapter._memory.of(URL(server.url).origin()).scheme = Scheme.BASIC
        async with adapter.open(profile, FakeKeys.password("alicepw")) as provider:
            yield server, provider
