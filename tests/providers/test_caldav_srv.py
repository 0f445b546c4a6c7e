"""A domain that names its servers by SRV and TXT records (RFC 6764; D1, D2)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import dns.asyncresolver
import pytest
from aiohttp import ClientSession, TCPConnector

from syncd.model.errors import ForbiddenError, RelinkRequiredError, SyncdError, TransientError
from syncd.ports.link import SIGN_IN_URL, Login, SignedIn
from syncd.ports.vault import Secret
from syncd.providers.caldav.adapter import CalDavAdapter
from syncd.providers.caldav.srv import announced
from syncd.providers.kind import Rim
from tests.fakes.clock import FakeClock
from tests.servers.certified import Here, certified
from tests.servers.names import Records, answering
from tests.servers.raw import RawServer, answer

NAME = "_caldavs._tcp.example.org"
HOST = "dav.example.org"
HOME = """<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response>
<href>/ada/</href><propstat><status>HTTP/1.1 200 OK</status><prop>
<current-user-principal><href>/ada/</href></current-user-principal>
<C:calendar-home-set><href>/ada/calendars/</href></C:calendar-home-set>
</prop></propstat></response></multistatus>"""


@dataclass(kw_only=True)
class Domain:
    """``server`` answers for every name, on a port that only the records tell."""

    server: RawServer
    session: ClientSession
    asked: list[str]

    async def sign_in(self, url: str = "", username: str = "ada@example.org") -> SignedIn:
        adapter = CalDavAdapter(Rim(session=lambda: self.session, clock=FakeClock()))
        login = Login(provider="caldav", url=url, username=username, password=Secret("secret"))
        return await adapter.sign_in(login)

    async def refused(self, url: str = "") -> SyncdError:
        with pytest.raises(SyncdError) as caught:
            await self.sign_in(url)
        return caught.value


@pytest.fixture
async def domain(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Domain]:
    """A domain with the records of the test; ``PORT`` in them is the server's."""
    told: dict[str, list[str]] = request.param
    server, client = certified(tmp_path, HOST, "elsewhere.example")
    async with AsyncExitStack() as stack:
        raw = await stack.enter_async_context(RawServer.running(server))
        raw.told = answer(207, HOME.encode())
        records: Records = {
            (NAME, kind): [one.replace("PORT", str(raw.port)) for one in texts]
            for kind, texts in told.items()
        }
        resolver, asked = await stack.enter_async_context(answering(records))
        monkeypatch.setattr(dns.asyncresolver, "default_resolver", resolver)
        connector = TCPConnector(resolver=Here(), ssl=client)
        http = await stack.enter_async_context(ClientSession(connector=connector))
        yield Domain(server=raw, session=http, asked=asked)


SRV = f"0 1 PORT {HOST}."


@pytest.mark.parametrize("domain", [{"SRV": [SRV], "TXT": ['"path=/dav/root"']}], indirect=True)
@pytest.mark.parametrize("url", ["", "example.org"])
async def test_a_domain_leads_to_its_server_before_its_pages_are_asked(
    domain: Domain, url: str
) -> None:
    """RFC 6764 §6: from an e-mail address or a bare domain; a relink begins where that led."""
    signed = await domain.sign_in(url)
    server = f"https://{HOST}:{domain.server.port}"
    assert signed.settings["homes"] == f"{server}/ada/calendars/"
    assert signed.settings[SIGN_IN_URL] == f"{server}/dav/root"
    assert domain.asked == [f"{NAME} SRV", f"{NAME} TXT"]
    assert domain.server.asked[0].startswith(b"PROPFIND /dav/root HTTP/1.1")


@pytest.mark.parametrize("domain", [{"SRV": [SRV]}], indirect=True)
async def test_without_a_path_the_well_known_one_is_asked(domain: Domain) -> None:
    await domain.sign_in()
    assert domain.server.asked[0].startswith(b"PROPFIND /.well-known/caldav HTTP/1.1")


@pytest.mark.parametrize("domain", [{"SRV": [SRV]}], indirect=True)
async def test_an_address_that_says_more_than_a_domain_is_taken_as_it_is(domain: Domain) -> None:
    """D1."""
    for url in ("https://example.org/", "example.org:1025/", "example.org/dav"):
        assert isinstance(await domain.refused(url), TransientError)
    assert domain.asked == []


@pytest.mark.parametrize("domain", [{"SRV": ["0 1 PORT elsewhere.example."]}], indirect=True)
async def test_no_password_goes_to_a_stranger_that_a_domain_names(domain: Domain) -> None:
    """D2, RFC 6764 §8: nothing vouches for the answer, so the person decides."""
    error = await domain.refused()
    assert isinstance(error, ForbiddenError)
    assert f"elsewhere.example:{domain.server.port}" in str(error)
    assert domain.server.asked == []


@pytest.mark.parametrize("domain", [{"SRV": [SRV]}], indirect=True)
async def test_a_password_that_the_named_server_refuses_is_sent_nowhere_else(
    domain: Domain,
) -> None:
    domain.server.told = answer(401, b"", 'WWW-Authenticate: Basic realm="x"')
    assert isinstance(await domain.refused(), RelinkRequiredError)
    assert len(domain.server.asked) == 1


@pytest.mark.parametrize(
    "domain",
    [{"SRV": ["20 1 PORT third.example.org.", "0 1 PORT first.example.org.", "10 1 1 b.example."]}],
    indirect=True,
)
async def test_servers_are_tried_by_priority(domain: Domain) -> None:
    """RFC 2782."""
    hosts = [one.host for one in await announced("example.org")]
    assert hosts == ["first.example.org", "b.example", "third.example.org"]
    assert domain.asked[0] == f"{NAME} SRV"


STRANGE = ["0 1 PORT a\\032b.example.org.", "1 1 PORT a/b.example.org.", f"2 1 PORT {HOST}."]


@pytest.mark.parametrize("domain", [{"SRV": STRANGE}], indirect=True)
async def test_a_record_that_names_no_host_is_passed_over(domain: Domain) -> None:
    assert [one.host for one in await announced("example.org")] == [HOST]
    await domain.sign_in()


@pytest.mark.parametrize("domain", [{"SRV": ["0 0 0 ."]}, {}], indirect=True)
async def test_a_domain_without_the_service_names_nothing(domain: Domain) -> None:
    """RFC 2782: a single dot says that there is none."""
    assert list(await announced("example.org")) == []
    assert isinstance(await domain.refused(), TransientError)  # its own port is not served here
