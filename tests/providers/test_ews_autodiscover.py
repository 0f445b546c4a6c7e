"""From an e-mail address to its Exchange server (E1), and whom the password goes to (D2)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import dns.asyncresolver
import pytest
from exchangelib import Configuration, Credentials
from exchangelib.autodiscover.protocol import AutodiscoverProtocol
from exchangelib.protocol import FailFast

from syncd.model.errors import InvalidError, RelinkRequiredError, SyncdError
from syncd.ports.link import SignedIn
from syncd.ports.vault import Secret
from syncd.providers.ews import line as lines
from tests.fakes.clock import FakeClock
from tests.providers.ews import ews_adapter, ews_login
from tests.servers.certified import certified
from tests.servers.ews import OWNER, PASSWORD, EwsServer
from tests.servers.ews import PATH as EWS
from tests.servers.ews_autodiscover import PATH, Autodiscover, Place
from tests.servers.names import answering
from tests.servers.tls_door import tls_door

USUAL, ROOT = "autodiscover.example.org", "example.org"
MAIL, OTHER = "mail.example.org", "mail.hoster.example"
FOUND = Place(settings={"ExternalEwsUrl": f"https://{MAIL}{EWS}"})


class Domain:
    """``example.org``: every name leads to one server, at the usual ports."""

    def __init__(self, server: EwsServer, known: Autodiscover, trusted: Any) -> None:  # noqa: ANN401
        self.server, self.known, self.trusted = server, known, trusted
        self.records: dict[tuple[str, str], list[str]] = {}

    async def sign_in(self, **members: Any) -> SignedIn:  # noqa: ANN401
        async with ews_adapter(FakeClock(), self.trusted) as adapter:
            return await adapter.sign_in(ews_login(self.server, url="", **members))

    async def refused(self, **members: Any) -> SyncdError:  # noqa: ANN401
        with pytest.raises(SyncdError) as caught:
            await self.sign_in(**members)
        return caught.value


@pytest.fixture
async def domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Domain]:
    shown, trusted = certified(tmp_path, USUAL, ROOT, MAIL, OTHER)
    monkeypatch.setattr(lines, "_trusted", lambda: trusted)
    server, known = EwsServer(), Autodiscover(OWNER, PASSWORD)
    server.username = OWNER
    server.beside = {PATH: known.answer}
    made = Domain(server, known, trusted)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server.running())
        safe = await stack.enter_async_context(tls_door(server.port, shown))
        resolver, _ = await stack.enter_async_context(answering(made.records))
        monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
        ports, real = {443: safe, 80: server.port}, socket.getaddrinfo

        def lookup(host: Any, port: Any, *more: Any, **options: Any) -> Any:  # noqa: ANN401
            name = host.decode() if isinstance(host, bytes) else host
            if not str(name).endswith(".example") and not str(name).endswith(ROOT):
                return real(host, port, *more, **options)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", ports[int(port)]))]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        yield made
    assert known.complaints == server.complaints == []


@pytest.mark.parametrize("host", [USUAL, ROOT])
async def test_an_address_leads_to_its_server_once(domain: Domain, host: str) -> None:
    """E1: what was found is kept, so that nobody looks again."""
    domain.known.places[host] = FOUND
    signed = await domain.sign_in()
    assert signed.identity == OWNER
    assert signed.settings["url"] == f"https://{MAIL}{EWS}"
    assert domain.known.asked == [host]


async def test_the_address_inside_is_taken_where_there_is_no_other(domain: Domain) -> None:
    domain.known.places[USUAL] = Place(settings={"InternalEwsUrl": f"https://{MAIL}{EWS}"})
    assert (await domain.sign_in()).settings["url"] == f"https://{MAIL}{EWS}"


async def test_a_redirect_and_a_record_are_followed_within_the_domain(domain: Domain) -> None:
    """The redirect comes in the clear, before anybody signs in."""
    domain.known.places |= {
        USUAL: Place(status=404, location=f"https://{MAIL}{PATH}"),
        MAIL: FOUND,
    }
    await domain.sign_in()
    assert domain.known.asked == [MAIL]
    domain.known.places[USUAL] = Place(status=404)
    assert isinstance(await domain.refused(), InvalidError)
    domain.records[f"_autodiscover._tcp.{ROOT}", "SRV"] = [f"0 1 443 {MAIL}."]
    await domain.sign_in()
    assert domain.known.asked == [MAIL, MAIL]


async def test_an_answer_may_name_who_knows(domain: Domain) -> None:
    """A chain that leads back ends."""
    domain.known.places |= {
        USUAL: Place(code="RedirectUrl", target=f"https://{MAIL}{PATH}"),
        MAIL: FOUND,
    }
    await domain.sign_in()
    assert domain.known.asked == [USUAL, MAIL]
    domain.known.places[MAIL] = Place(code="RedirectUrl", target=f"https://{USUAL}{PATH}")
    error = await domain.refused()
    assert "does not say which Exchange server" in str(error)


@pytest.mark.parametrize(
    "places",
    [
        {USUAL: Place(status=404, location=f"https://{OTHER}{PATH}"), OTHER: FOUND},
        {USUAL: Place(code="RedirectUrl", target=f"https://{OTHER}{PATH}"), OTHER: FOUND},
        {USUAL: Place(settings={"ExternalEwsUrl": f"https://{OTHER}{EWS}"})},
    ],
)
async def test_no_password_goes_to_a_stranger(domain: Domain, places: dict[str, Place]) -> None:
    """D2: whoever it is named by, the person decides."""
    domain.known.places |= places
    error = await domain.refused()
    assert isinstance(error, InvalidError)
    assert f"enter {OTHER} as the server's address" in str(error)
    assert error.field == "url"
    assert OTHER not in domain.known.asked
    assert domain.server.asked == []


async def test_a_stranger_that_a_record_names_gets_none_either(domain: Domain) -> None:
    domain.known.places[OTHER] = FOUND
    domain.records[f"_autodiscover._tcp.{ROOT}", "SRV"] = [f"0 1 443 {OTHER}."]
    assert OTHER in str(await domain.refused())
    assert domain.known.asked == []


async def test_microsofts_own_is_said_to_be_graphs(domain: Domain) -> None:
    where = "https://outlook.office365.com/autodiscover/autodiscover.svc"
    domain.known.places[USUAL] = Place(status=404, location=where)
    assert "choose the provider graph" in str(await domain.refused())


async def test_another_address_is_named_not_taken(domain: Domain) -> None:
    domain.known.places[USUAL] = Place(code="RedirectAddress", target="ada@new.example.org")
    error = await domain.refused()
    assert "ada@new.example.org" in str(error)
    assert isinstance(error, InvalidError)
    assert error.field == "username"


async def test_a_refused_password_is_told_as_such(domain: Domain) -> None:
    domain.known.places[USUAL] = FOUND
    error = await domain.refused(password=Secret("wrong"))
    assert isinstance(error, RelinkRequiredError)
    assert "refused the user name or the password" in str(error)


@pytest.mark.parametrize("body", [b"<html>", b"", b"<a/>", b"not XML"])
async def test_what_makes_no_sense_is_no_such_server(domain: Domain, body: bytes) -> None:
    """P1: the next one is asked."""
    domain.known.places |= {USUAL: Place(body=body or b" "), ROOT: FOUND}
    await domain.sign_in()
    assert domain.known.asked == [USUAL, ROOT]


@pytest.mark.parametrize(
    "place",
    [
        Place(code="RedirectUrl", target="https://["),
        Place(code="RedirectUrl", target="mail"),
        Place(settings={"ExternalEwsUrl": "https://["}),
        Place(settings={"ExternalEwsUrl": "mail"}),
        Place(status=404, location="mailto:ada@example.org"),
    ],
)
async def test_an_address_that_is_none_leads_to_the_next(domain: Domain, place: Place) -> None:
    """P1."""
    domain.known.places |= {USUAL: place, ROOT: FOUND}
    domain.records[f"_autodiscover._tcp.{ROOT}", "SRV"] = [r"0 1 443 a\\032b."]
    await domain.sign_in()
    domain.known.places.pop(ROOT)
    assert "does not say" in str(await domain.refused())


@pytest.mark.parametrize(
    "code", ["InvalidUser", "InvalidDomain", "ServerBusy", "InternalServerError"]
)
async def test_who_does_not_know_leads_to_the_next(domain: Domain, code: str) -> None:
    domain.known.places |= {USUAL: Place(code=code), ROOT: FOUND}
    await domain.sign_in()


async def test_a_name_alone_needs_a_server(domain: Domain) -> None:
    for username in ("EXAMPLE\\ada", "ada"):
        error = await domain.refused(username=username)
        assert isinstance(error, InvalidError)
        assert error.field == "url"
    for username in ("ada@", "ada@a b", "ada@["):
        assert "is no e-mail address" in str(await domain.refused(username=username))
    assert domain.known.asked == []


async def test_the_stand_in_is_read_by_exchangelibs_own_client(domain: Domain) -> None:
    domain.known.places["127.0.0.1"] = FOUND

    def ask() -> Any:  # noqa: ANN401
        protocol = AutodiscoverProtocol(
            Configuration(
                service_endpoint=f"http://127.0.0.1:{domain.server.port}{PATH}",
                credentials=Credentials(OWNER, PASSWORD),
                auth_type="basic",
                retry_policy=FailFast(),
            )
        )
        return protocol.get_user_settings(user=OWNER)

    told = await asyncio.to_thread(ask)
    assert told.ews_url == f"https://{MAIL}{EWS}"
