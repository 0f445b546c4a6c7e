"""Outgoing requests reach public addresses only, however the private one is spelled (O1-O7)."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import ClientError, ClientSession, DummyCookieJar, TCPConnector, web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from aiohttp.test_utils import TestServer

from syncd.model.outbound import reachable
from syncd.runtime.outbound import PUSH_IDLE, TIMEOUT, Guard, session

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.0.0.2
127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1
192.0.0.9 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255
198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
::ffff:192.168.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::
2002:a00:1::1 3fff::1 5f00::1 fc00::1 fd00::1 fd12:3456:789a::1 fe80::1 fe80::1%lo fec0::1
ff02::1 ff05::2 4000::1 8000::1
""".split()  # noqa: SIM905 - shorter
PUBLIC = "1.1.1.1 8.8.8.8 9.9.9.9 192.0.1.1 198.17.0.1 2606:4700::1111 2a00:1450::1".split()  # noqa: SIM905 - shorter
LOOPBACK_SPELLINGS = """
127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0x7f.1 127.0.0.1.
localhost LOCALHOST 0 0.0.0.0 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1]
[0000:0000:0000:0000:0000:ffff:7f00:0001] [::127.0.0.1] [::] [::1%25lo] [::ffff:7f00:0001]
""".split()  # noqa: SIM905 - shorter


class Target:
    """What must not be reached: counts the connections that got through."""

    def __init__(self) -> None:
        self.reached = 0
        self.ports = dict[str, int]()

    async def _accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()

    @classmethod
    @asynccontextmanager
    async def listening(cls) -> AsyncIterator["Target"]:
        """Listen at 127.0.0.1 and ::1, on one port."""
        target = cls()
        first = await asyncio.start_server(target._accept, "127.0.0.1", 0)
        port = first.sockets[0].getsockname()[1]
        second = await asyncio.start_server(target._accept, "::1", port)
        target.ports = {"any": port}
        async with first, second:
            yield target

    @property
    def port(self) -> int:
        return self.ports["any"]


class Answers(AbstractResolver):
    """A name server that answers as told, one list a question."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in found
        ]

    async def close(self) -> None:
        return


class ResolverOnly(ThreadedResolver):
    """The guard that is not enough: it looks at what names resolve to (negative control)."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        if not all(reachable(one["host"], ()) for one in found):
            raise OSError(errno.EACCES, "not public")
        return found


async def tried(client: ClientSession, url: str) -> int | None:
    """Return the status of a request, None if it was refused or failed."""
    try:
        async with asyncio.timeout(5), client.get(url) as answer:
            return answer.status
    except (ClientError, OSError, ValueError):
        return None


def test_there_are_at_least_sixty_vectors() -> None:
    assert len(set(NOT_PUBLIC)) + len(set(LOOPBACK_SPELLINGS)) >= 60
    assert len(set(NOT_PUBLIC)) >= 60


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_before_connecting(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(PermissionError) as refused:
        Guard(())((family, socket.SOCK_STREAM, 0, "", (address, 443)))
    assert refused.value.errno == errno.EACCES


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_gets_a_socket(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    Guard(())((family, socket.SOCK_STREAM, 0, "", (address, 443))).close()


@pytest.mark.parametrize("spelling", LOOPBACK_SPELLINGS)
async def test_no_spelling_of_loopback_is_reached(spelling: str) -> None:
    async with Target.listening() as target, session(Guard(())) as client:
        assert await tried(client, f"http://{spelling}:{target.port}/") is None
        assert target.reached == 0


async def test_a_guard_in_the_resolver_alone_would_be_reached() -> None:
    """O7's negative control: the same vectors get through where only names are looked at."""
    async with Target.listening() as target:
        connector = TCPConnector(resolver=ResolverOnly())
        async with ClientSession(connector=connector) as client:
            for spelling in LOOPBACK_SPELLINGS:
                await tried(client, f"http://{spelling}:{target.port}/")
        assert target.reached >= 3


async def test_a_name_that_changes_its_address_after_the_look_up_is_not_reached() -> None:
    """Rebinding: public at the first question, loopback at the next."""
    async with Target.listening() as target, session(Guard(())) as client:
        connector = client.connector
        assert isinstance(connector, TCPConnector)
        connector._resolver = Answers(["192.0.2.1"], ["127.0.0.1"])
        connector._use_dns_cache = False
        for _ in range(3):
            assert await tried(client, f"http://rebinding.example:{target.port}/") is None
        connector._resolver = Answers(["127.0.0.1", "::1", "10.0.0.1"])
        assert await tried(client, f"http://several.example:{target.port}/") is None
        assert target.reached == 0


async def test_a_redirect_to_a_private_address_is_not_followed_there() -> None:
    async with Target.listening() as target:

        async def away(_: web.Request) -> web.Response:
            raise web.HTTPFound(f"http://127.0.0.1:{target.port}/")

        app = web.Application()
        app.router.add_get("/", away)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.2", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with session(Guard([ip_network("127.0.0.2/32")])) as client:
            assert await tried(client, f"http://{host}:{port}/") is None
        await runner.cleanup()
        assert target.reached == 0


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Target.listening() as target:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{target.port}")
        async with session(Guard(())) as client:
            assert await tried(client, "http://10.0.0.1/") is None
        assert target.reached == 0


async def test_what_the_operator_allows_is_reached() -> None:
    async with Target.listening() as target, session(Guard([ip_network("127.0.0.0/8")])) as client:
        assert await tried(client, f"http://127.0.0.1:{target.port}/") == 200
        assert await tried(client, f"http://[::1]:{target.port}/") is None
        assert target.reached == 1


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0", "::", "localhost"])  # noqa: S104 - not bound
async def test_our_own_address_is_denied_even_where_loopback_is_allowed(listen: str) -> None:
    allowed = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    async with Target.listening() as target:
        async with session(Guard(allowed, (listen, target.port))) as client:
            for host in ("127.0.0.1", "127.0.0.5", "[::1]", "[::ffff:127.0.0.1]", "localhost"):
                assert await tried(client, f"http://{host}:{target.port}/") is None
        assert target.reached == 0


@pytest.mark.parametrize("port", [1, 21, 22, 25, 53, 110, 143, 445, 587, 1023])
def test_low_ports_of_other_services_are_refused(port: int) -> None:
    assert not Guard(()).admits("1.1.1.1", port)


@pytest.mark.parametrize("port", [80, 443, 1024, 5232, 8443, 65535])
def test_ports_of_the_web_and_high_ones_are_admitted(port: int) -> None:
    assert Guard(()).admits("1.1.1.1", port)


async def test_profiles_share_no_cookies_and_requests_end_in_time() -> None:
    """O4, and one session for all profiles."""
    async with session(Guard(())) as client:
        assert isinstance(client.cookie_jar, DummyCookieJar)
        assert not client.trust_env
        assert (TIMEOUT.total, TIMEOUT.sock_connect, TIMEOUT.sock_read) == (120, 10, 30)
        assert client.timeout == TIMEOUT


async def test_a_connection_is_used_again_only_while_its_server_surely_keeps_it() -> None:
    """Or a POST meets the end of an idle connection, which looks like a refusal of it."""
    ends = set[object]()

    async def take(request: web.Request) -> web.Response:
        assert request.transport is not None
        ends.add(request.transport.get_extra_info("peername"))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    idle, allowed = timedelta(seconds=0.2), [ip_network("127.0.0.0/8")]
    async with TestServer(app) as server, session(Guard(allowed), idle=idle) as client:
        for _ in range(3):
            async with client.post(server.make_url("/")):
                pass
        assert len(ends) == 1
        await asyncio.sleep(0.3)
        async with client.post(server.make_url("/")):
            pass
    assert len(ends) == 2
    assert timedelta(seconds=2) > PUSH_IDLE, "what the least patient of common servers keeps"


def test_the_addresses_of_these_tests_are_what_they_claim() -> None:
    for text in NOT_PUBLIC + PUBLIC:
        ip_address(text)
