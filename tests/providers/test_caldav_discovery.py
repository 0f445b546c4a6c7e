"""Signing in: where the calendars are, and a sentence for every failure (D1, D2, D25, G14)."""

import errno
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import AddrInfoType, ClientSession, TCPConnector
from yarl import URL

from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.own import ADDRESSES
from syncd.ports.link import Login
from syncd.ports.vault import Secret
from syncd.providers.caldav.adapter import CalDavAdapter
from syncd.providers.caldav.plain import check_plain
from syncd.providers.kind import Rim
from syncd.providers.origins import related
from tests.fakes.clock import FakeClock
from tests.providers.follow import login_at, new_adapter
from tests.servers.digest import DigestServer
from tests.servers.quirk_proxy import QuirkProxy, Switches
from tests.servers.raw import RawServer, answer


@pytest.fixture
async def adapter() -> AsyncIterator[CalDavAdapter]:
    async with new_adapter(FakeClock()) as one:
        yield one


@pytest.mark.parametrize("path", ["", "alice/", "alice/work/", "no/such/page?x=1#y"])
async def test_the_address_may_point_to_anything_on_the_server(
    proxy: QuirkProxy, adapter: CalDavAdapter, path: str
) -> None:
    """D1."""
    signed = await adapter.sign_in(login_at(proxy, url=proxy.url + path))
    assert signed.settings["homes"] == f"{proxy.url}alice/"
    assert signed.identity == f"{proxy.url}alice/ alice"


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param(Switches(well_known=200), id="200 with a page"),
        pytest.param(Switches(well_known=404), id="404"),
        pytest.param(Switches(well_known=401), id="401"),
        pytest.param(Switches(well_known="absolute", root_status=404), id="301 to an address"),
        pytest.param(Switches(well_known="relative", root_status=404), id="307 to a path"),
    ],
)
async def test_the_well_known_path_leads_on_or_the_root_does(
    proxy: QuirkProxy, adapter: CalDavAdapter, switches: Switches
) -> None:
    """D1."""
    proxy.switches = switches
    signed = await adapter.sign_in(login_at(proxy, url=f"{proxy.url}nothing/here"))
    assert signed.settings["homes"] == f"{proxy.url}alice/"


async def test_the_addresses_that_the_server_knows_are_kept(adapter: CalDavAdapter) -> None:
    """RFC 6638 §2.4.1: attendees name the person by any of them, not only by the login."""
    told = (
        '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response>'
        "<href>/alice/</href><propstat><status>HTTP/1.1 200 OK</status><prop>"
        "<current-user-principal><href>/alice/</href></current-user-principal>"
        "<C:calendar-home-set><href>/alice/</href></C:calendar-home-set>"
        "<C:calendar-user-address-set><href>mailto:alice@example.org</href>"
        "<href>/alice/</href><href>two words</href></C:calendar-user-address-set>"
        "</prop></propstat></response></multistatus>"
    )
    async with RawServer.running() as raw:
        raw.told = answer(207, told.encode())
        signed = await adapter.sign_in(login(raw.url))
    assert signed.settings[ADDRESSES] == "mailto:alice@example.org /alice/"


async def failure(adapter: CalDavAdapter, login: Login) -> SyncdError:
    with pytest.raises(SyncdError) as caught:
        await adapter.sign_in(login)
    text = str(caught.value)
    assert text[0].isupper() or text[0] == "“", text
    assert text.endswith("."), text
    assert login.password.reveal() not in text
    return caught.value


def login(url: str, *, username: str = "alice", password: str = "s3cret") -> Login:  # noqa: S107
    return Login(provider="caldav", username=username, password=Secret(password), url=url)


async def test_a_wrong_password_is_told(proxy: QuirkProxy, adapter: CalDavAdapter) -> None:
    error = await failure(adapter, login(proxy.url))
    assert isinstance(error, RelinkRequiredError)
    assert "password" in str(error)


async def test_a_web_page_is_told(adapter: CalDavAdapter) -> None:
    async with RawServer.running() as raw:
        raw.told = answer(200, b"<html>Welcome</html>", kind="text/html")
        error = await failure(adapter, login(raw.url))
    assert isinstance(error, MalformedReplyError)
    assert "web page" in str(error)


@pytest.mark.parametrize("href", ["http://[bad/", "https://h:99999/", "tel://1/"])
async def test_a_principal_that_is_no_address_is_told(adapter: CalDavAdapter, href: str) -> None:
    found = f"<current-user-principal><href>{href}</href></current-user-principal>"
    told = (
        '<multistatus xmlns="DAV:"><response><href>/</href><propstat>'
        f"<prop>{found}</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )
    async with RawServer.running() as raw:
        raw.told = answer(207, told.encode())
        error = await failure(adapter, login(raw.url))
    assert isinstance(error, MalformedReplyError)


async def test_a_server_without_calendars_is_told(adapter: CalDavAdapter) -> None:
    async with RawServer.running() as raw:
        raw.told = answer(404)
        error = await failure(adapter, login(raw.url))
    assert isinstance(error, NotFoundError)
    assert "no calendars" in str(error)


async def test_an_unreachable_server_is_told(adapter: CalDavAdapter) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await failure(adapter, login(f"http://127.0.0.1:{free.getsockname()[1]}/"))
    assert isinstance(error, TransientError)
    assert "could not be reached" in str(error)


async def test_an_unknown_host_is_told(adapter: CalDavAdapter) -> None:
    error = await failure(adapter, login("https://nowhere.invalid/"))
    assert isinstance(error, TransientError)
    assert "could not be reached" in str(error)


async def test_an_address_that_may_not_be_reached_is_told(proxy: QuirkProxy) -> None:
    """O1: the guard refuses with EACCES; the person learns who can allow it."""

    def refuse(_: AddrInfoType) -> socket.socket:
        raise PermissionError(errno.EACCES, "refused")

    async with ClientSession(connector=TCPConnector(socket_factory=refuse)) as session:
        adapter = CalDavAdapter(Rim(session=lambda: session, clock=FakeClock()))
        error = await failure(adapter, login_at(proxy))
    assert isinstance(error, ForbiddenError)
    assert "[outbound] allow_private" in str(error)


@pytest.mark.parametrize(
    ("url", "username", "password", "field"),
    [
        ("", "alice", "x", "url"),
        ("ftp://dav.example.com/", "alice", "x", "url"),
        ("https://", "alice", "x", "url"),
        ("https://dav.example.com:99999/", "alice", "x", "url"),
        ("https://dav.example.com:25/", "alice", "x", "url"),
        ("https://alice:x@dav.example.com/", "alice", "x", "url"),
        ("https://apidata.googleusercontent.com/caldav/v2/", "alice", "x", "url"),
        ("", "alice@gmail.com", "x", "url"),
        ("https://dav.example.com/", " ", "x", "username"),
        ("https://dav.example.com/", "al:ice", "x", "username"),
        ("https://dav.example.com/", "alice", "", "password"),
    ],
)
async def test_what_cannot_be_right_is_told_before_anything_is_sent(
    adapter: CalDavAdapter, url: str, username: str, password: str, field: str
) -> None:
    """G14: a Google host is refused with the advice to connect google."""
    with pytest.raises(InvalidError) as caught:
        await adapter.sign_in(login(url, username=username, password=password))
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    if "google" in url or "gmail" in username:
        assert "choose the provider google" in str(caught.value)


async def test_a_redirect_to_another_server_gets_no_password(adapter: CalDavAdapter) -> None:
    """D2, O2: a stranger is named, never asked."""
    async with RawServer.running() as stranger, RawServer.running() as raw:
        raw.told = answer(302, b"", f"Location: {stranger.url}")
        error = await failure(adapter, login(raw.url))
        assert stranger.asked == []
    assert isinstance(error, ForbiddenError)
    assert stranger.url.rstrip("/") in str(error)


async def test_redirects_in_a_circle_end(adapter: CalDavAdapter) -> None:
    """D1: at most five hops."""
    async with RawServer.running() as raw:
        raw.told = answer(302, b"", f"Location: {raw.url}again/")
        error = await failure(adapter, login(raw.url))
        assert isinstance(error, MalformedReplyError)
        assert len(raw.asked) <= 3 * 8


@pytest.mark.parametrize(
    ("known", "other", "may"),
    [
        ("https://dav.example.com/", "https://dav.example.com/x", True),
        ("https://example.com/", "https://dav.example.com/", True),
        ("https://caldav.example.com/", "https://p1.example.com:8443/", True),
        ("https://example.com/", "http://example.com/", False),
        ("https://example.com/", "http://dav.example.com/", False),
        ("http://example.com/", "https://dav.example.com/", False),
        ("https://example.com/", "https://example.net/", False),
        ("https://example.com/", "https://notexample.com/", False),
        ("https://one.co.uk/", "https://two.co.uk/", False),
        ("https://dav.one.co.uk/", "https://one.co.uk/", True),
        ("https://10.0.0.1/", "https://9.0.0.1/", False),
        ("https://[::1]/", "https://[::2]/", False),
        ("https://server/", "https://other/", False),
    ],
)
def test_credentials_follow_to_the_same_domain_only(known: str, other: str, *, may: bool) -> None:
    """D2."""
    assert related(URL(known), URL(other)) is may


async def test_a_password_never_crosses_a_public_network_in_clear() -> None:
    """D25."""
    await check_plain(URL("http://127.0.0.1:5232/"))
    await check_plain(URL("http://192.168.1.2/"))
    with pytest.raises(ForbiddenError, match="https"):
        await check_plain(URL("http://9.9.9.9/"))
    with pytest.raises(TransientError):
        await check_plain(URL("http://nowhere.invalid/"))


async def test_digest_is_used_where_basic_is_not_offered(
    proxy: QuirkProxy, adapter: CalDavAdapter
) -> None:
    """The password is never sent, and once signed in a poll is one request."""
    async with DigestServer.running(proxy.radicale, password="s3cret") as server:  # noqa: S106
        signed = await adapter.sign_in(login(server.url))
        assert signed.settings["homes"] == f"{server.url}alice/"
        assert not any(one.lower().startswith("basic") for one in server.authorizations)
        count = len(server.authorizations)
        await adapter.sign_in(login(server.url))
        assert len(server.authorizations) - count == 2
        error = await failure(adapter, login(server.url, password="wr0ng"))  # noqa: S106
        assert isinstance(error, RelinkRequiredError)


async def test_a_probe_over_http_carries_no_password(adapter: CalDavAdapter) -> None:
    async with RawServer.running() as raw:
        raw.told = answer(401, b"", 'WWW-Authenticate: Basic realm="x"')
        assert isinstance(await failure(adapter, login(raw.url)), RelinkRequiredError)
        sent = [b"authorization:" in head.lower() for head in raw.asked]
        assert sent == [False, True]
