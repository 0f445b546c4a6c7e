"""Signing in at an Exchange server (E1, P15): Basic, NTLM, whose mailbox it is, and sentences."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RelinkRequiredError,
    TransientError,
)
from syncd.ports.vault import Secret
from syncd.providers.ews.signing_in import endpoint
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.ews import (
    NAME,
    at,
    event,
    ews_adapter,
    ews_desk,
    ews_login,
    instant,
    new,
    profile_of,
)
from tests.providers.follow import Follower
from tests.servers.ews import OWNER, EwsServer, Fault
from tests.servers.ews_directory import Entry
from tests.servers.ntlm import NtlmDoor, known


@pytest.fixture
async def server() -> AsyncIterator[EwsServer]:
    async with EwsServer().running() as one:
        yield one
        assert one.complaints == []


async def test_what_sign_in_found_is_kept_and_nothing_is_probed_later(server: EwsServer) -> None:
    """E1."""
    clock = FakeClock()
    async with ews_adapter(clock) as adapter:
        signed = await adapter.sign_in(ews_login(server))
        assert (signed.identity, signed.login) == (OWNER, server.username)
        assert signed.settings == {
            "url": server.url,
            "auth": "basic",
            "version": "15.1.2507.6 Exchange2016",
            "addresses": OWNER,
            "zone": "W. Europe Standard Time",
        }
        assert set(signed.secrets) == {"password"}
        server.asked.clear()
        profile = profile_of(signed, clock)
        async with adapter.open(profile, FakeKeys.password(server.password)) as provider:
            await provider.calendars()
        assert server.asked == ["GetFolder", "SyncFolderHierarchy"]


async def test_another_version_is_found_at_sign_in_and_never_looked_for_later(
    server: EwsServer,
) -> None:
    """E1."""
    server.refuses = {"Exchange2013_SP1"}
    async with ews_desk(server) as desk:
        assert server.version == "Exchange2016"
        server.refuses.add("Exchange2016")
        server.asked.clear()
        with pytest.raises(MalformedReplyError):
            await desk.read()
        assert len(server.asked) == 1


@pytest.mark.parametrize("username", ["EXAMPLE\\ada", "ada@example.org", "ada"])
async def test_it_is_told_whose_mailbox_it_is_whatever_the_name(
    server: EwsServer, username: str
) -> None:
    """P15: among people of like names the one whose calendar is one's own."""
    server.username = username
    ada = Entry("Ada Young", "ada.young@example.org", "ada.young")
    server.directory.people.insert(0, ada)
    server.folders.others["ada.young@example.org"] = "AAMkOther"
    async with ews_adapter(FakeClock()) as adapter:
        signed = await adapter.sign_in(ews_login(server))
    assert (signed.identity, signed.login) == (OWNER, username)


@pytest.mark.parametrize("chosen", [None, "Nowhere Standard Time", ""])
async def test_a_mailbox_without_a_zone_writes_days_in_utc(
    server: EwsServer, chosen: str | None
) -> None:
    """E11."""
    server.directory.zone = chosen
    async with ews_desk(server) as desk:
        assert desk.signed.settings["zone"] == ""
        day = new("Day", date(2026, 11, 24), date(2026, 11, 25))
        await desk.provider.create_event(desk.key, day, name=NAME)
    (one,) = server.calendar.items.values()
    assert (one.zone, one.start) == ("UTC", instant(24, 0))


async def test_a_login_without_an_entry_needs_its_address(server: EwsServer) -> None:
    server.directory.people.clear()
    async with ews_adapter(FakeClock()) as adapter:
        with pytest.raises(InvalidError, match="e-mail address") as found:
            await adapter.sign_in(ews_login(server))
        assert found.value.field == "username"
        server.username = OWNER
        assert (await adapter.sign_in(ews_login(server))).identity == OWNER


async def test_a_password_of_any_letters_is_sent_as_utf_8(server: EwsServer) -> None:
    """RFC 7617; exchangelib alone would fail at letters that Latin-1 lacks."""
    server.password = "".join(map(chr, (0x43F, 0x5BC6, 0xFC)))  # of three alphabets
    async with ews_adapter(FakeClock()) as adapter:
        assert (await adapter.sign_in(ews_login(server))).identity == OWNER


async def test_ntlm_is_spoken_where_basic_is_not_offered(server: EwsServer, tmp_path: Path) -> None:
    """E1, with pyspnego as the server's side."""
    server.ntlm = NtlmDoor()
    server.put("a", *event("A", at(24)))
    with known(tmp_path, server.username, server.password):
        async with ews_desk(server) as desk:
            assert desk.signed.settings["auth"] == "NTLM"
            await desk.read()
            assert [one.name for one in desk.events("a")] == ["A"]
        async with ews_adapter(FakeClock()) as adapter:
            with pytest.raises(RelinkRequiredError):
                await adapter.sign_in(ews_login(server, password=Secret("wrong")))


@pytest.mark.parametrize("challenge", ["NTLM !!!", "NTLM TlRMTVNTUAAC", "NTLM ", "Negotiate x"])
async def test_a_challenge_that_makes_no_sense_is_an_error_of_the_tree(
    server: EwsServer, challenge: str
) -> None:
    """P1."""
    server.ntlm = NtlmDoor(instead=challenge)
    async with ews_adapter(FakeClock()) as adapter:
        with pytest.raises((MalformedReplyError, RelinkRequiredError)):
            await adapter.sign_in(ews_login(server))


async def test_a_refused_password_is_a_sentence(server: EwsServer) -> None:
    async with ews_adapter(FakeClock()) as adapter:
        with pytest.raises(RelinkRequiredError, match="refused the user name or the password"):
            await adapter.sign_in(ews_login(server, password=Secret("wrong")))
        server.faults = [Fault(code="ErrorPasswordExpired", times=9)]
        with pytest.raises(RelinkRequiredError):
            await adapter.sign_in(ews_login(server))
        server.faults = [Fault(status=503, times=9)]
        with pytest.raises(TransientError, match="try again"):
            await adapter.sign_in(ews_login(server))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.Response(status=404), NotFoundError),
        (web.Response(status=200, text="<html>"), MalformedReplyError),
        (web.Response(status=302, headers={"Location": "/owa"}), MalformedReplyError),
        (web.Response(status=503), TransientError),
        (web.Response(status=401, headers={"WWW-Authenticate": "Bearer"}), InvalidError),
    ],
)
async def test_what_is_no_exchange_is_said_in_a_sentence(
    answer: web.Response, error: type[Exception]
) -> None:
    async def any_(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", any_)
    async with TestServer(app) as other, ews_adapter(FakeClock()) as adapter:
        login = ews_login(EwsServer(), url=str(other.make_url("/EWS/Exchange.asmx")))
        with pytest.raises(error, match=r"[.]$"):
            await adapter.sign_in(login)


async def test_nobody_at_the_address_is_transient() -> None:
    async with ews_adapter(FakeClock()) as adapter:
        login = ews_login(EwsServer(), url="http://127.0.0.1:9/EWS/Exchange.asmx")
        with pytest.raises((TransientError, InvalidError)):
            await adapter.sign_in(login)


def test_an_address_may_be_the_servers_name_alone() -> None:
    assert str(endpoint("mail.example.org")) == "https://mail.example.org/EWS/Exchange.asmx"
    assert str(endpoint("https://m.example/x.asmx?a#b")) == "https://m.example/x.asmx"
    for typed in ("", "ftp://a.example", "https://u:p@a.example", "https://a.example:25", "::"):
        with pytest.raises(InvalidError) as found:
            endpoint(typed)
        assert found.value.field == "url"
    with pytest.raises(InvalidError, match="provider graph"):
        endpoint("https://outlook.office365.com/EWS/Exchange.asmx")


async def test_a_profile_that_lacks_something_must_be_relinked(server: EwsServer) -> None:
    clock = FakeClock()
    async with ews_adapter(clock) as adapter:
        signed = await adapter.sign_in(ews_login(server))
        profile = profile_of(signed, clock)
        with pytest.raises(MisconfiguredError):
            async with adapter.open(profile, FakeKeys()):
                pass
        for lost in ("url", "auth", "version"):
            object.__setattr__(profile, "settings", {**signed.settings, lost: ""})
            with pytest.raises(MisconfiguredError):
                async with adapter.open(profile, FakeKeys.password("x")):
                    pass
        object.__setattr__(profile, "settings", {**signed.settings, "version": "new"})
        with pytest.raises(MisconfiguredError):
            async with adapter.open(profile, FakeKeys.password("x")):
                pass


async def test_a_forbidden_address_is_reached_by_nobody(server: EwsServer) -> None:
    """O5: the guard is asked where the connection is made, too."""
    async with ews_adapter(FakeClock(), admits=lambda *_: False) as adapter:
        with pytest.raises(ForbiddenError):
            await adapter.sign_in(ews_login(server))
    assert server.asked == []


async def test_a_login_that_died_is_refused_at_the_next_read(server: EwsServer) -> None:
    async with ews_desk(server) as desk:
        server.password = "other"  # noqa: S105
        with pytest.raises(RelinkRequiredError):
            await Follower(desk.provider, desk.key).read()
