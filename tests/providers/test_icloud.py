"""iCloud: what differs from any CalDAV server, over a stand-in of its own (IC1-IC6, P15)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web
from yarl import URL

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.own import ADDRESSES
from syncd.ports.link import Login
from syncd.ports.vault import Secret
from syncd.providers.caldav.translate import calendar_key
from syncd.providers.icloud.adapter import IcloudAdapter
from syncd.providers.icloud.trust import trusted
from syncd.providers.kind import Rim
from syncd.providers.origins import origin_of
from tests.fakes.clock import FakeClock
from tests.formats.written import vcalendar, vevent
from tests.providers.follow import Desk, login_at, new_adapter, signed_in
from tests.providers.pen import Pen, names
from tests.servers.card_client import CardClient, card
from tests.servers.certified import Here, certified
from tests.servers.dav_client import event
from tests.servers.icloud import MAIN_PASSWORD, NUMBER, PRINCIPAL, Icloud
from tests.servers.raw import RawServer, answer


@pytest.fixture
async def icloud(tmp_path: Path) -> AsyncIterator[Icloud]:
    async with Icloud(tmp_path) as running:
        await running.mkcalendar("work", name="Work")
        for number in range(4):
            await running.put("work", f"e{number}.ics", event(f"u{number}", f"Event {number}"))
        yield running


@pytest.fixture
async def desk(icloud: Icloud) -> AsyncIterator[Desk]:
    async with signed_in(icloud) as one:
        yield one


async def refused(icloud: Icloud, login: Login) -> SyncdError:
    async with new_adapter(FakeClock(), icloud) as adapter:
        with pytest.raises(SyncdError) as caught:
            await adapter.sign_in(login)
    assert str(caught.value).endswith(".")
    return caught.value


async def test_signing_in_is_led_to_homes_on_other_servers(desk: Desk, icloud: Icloud) -> None:
    """IC1, P15: calendars and contacts have a server each; the person is a number."""
    homes = f"http://127.0.0.1:{icloud.calendars_at}/{NUMBER}/calendars/"
    books = f"http://127.0.0.1:{icloud.cards_at}/{NUMBER}/carddavhome/"
    assert (desk.profile.settings["homes"], desk.profile.settings["books"]) == (homes, books)
    assert (desk.profile.identity, desk.profile.login) == (NUMBER, "ada@icloud.com")
    assert desk.profile.settings[ADDRESSES] == f"mailto:ada@icloud.com {PRINCIPAL}"
    follower = await desk.follow()
    assert len((await follower.read()).upserts) == 4
    asked = {one.authorization.partition(" ")[0] for one in icloud.asked}
    assert asked == {"", "Basic"}


async def test_an_address_of_the_login_s_own_is_not_asked(icloud: Icloud) -> None:
    async with RawServer.running() as other, new_adapter(FakeClock(), icloud) as adapter:
        signed = await adapter.sign_in(replace(login_at(icloud), url=other.url))
        assert other.asked == []
    assert signed.identity == NUMBER


@pytest.mark.parametrize("status", [401, 403])
async def test_the_main_password_is_refused_with_a_way_out(icloud: Icloud, status: int) -> None:
    """IC2."""
    icloud.refusal = status
    error = await refused(icloud, replace(login_at(icloud), password=Secret(MAIN_PASSWORD)))
    assert isinstance(error, RelinkRequiredError)
    for words in ("account.apple.com", "App-Specific Passwords", "never the password of"):
        assert words in str(error)


@pytest.mark.parametrize("status", [503, 500, 429])
async def test_a_busy_sign_in_is_no_refusal(icloud: Icloud, status: int) -> None:
    """IC6."""
    icloud.unready = status
    assert isinstance(await refused(icloud, login_at(icloud)), TransientError)


async def test_no_calendars_at_all_is_told(icloud: Icloud) -> None:
    icloud.unready = 404
    error = await refused(icloud, login_at(icloud))
    assert isinstance(error, NotFoundError)
    assert "no calendars for this Apple ID" in str(error)


@pytest.mark.parametrize(
    ("known", "other", "may"),
    [
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com:443/", True),
        ("https://caldav.icloud.com/", "https://contacts.icloud.com/", True),
        ("https://caldav.icloud.com/", "http://p42-caldav.icloud.com/", False),
        ("http://caldav.icloud.com/", "https://p42-caldav.icloud.com/", False),
        ("https://caldav.icloud.com/", "https://p42-caldav.icloud.com.example/", False),
        ("https://caldav.icloud.com/", "https://noticloud.com/", False),
        ("https://caldav.icloud.com/", "https://www.apple.com/", False),
        ("https://caldav.icloud.com/", "http://127.0.0.1:8080/", False),
        ("https://caldav.icloud.com/", "https://127.0.0.1/", False),
        ("http://127.0.0.1:1/", "http://127.0.0.2:2/", True),
        ("http://127.0.0.1:1/", "http://[::1]:2/", True),
        ("http://127.0.0.1:1/", "http://localhost:2/", False),
        ("http://127.0.0.1:1/", "https://caldav.icloud.com/", False),
        ("http://127.0.0.1:1/", "http://10.0.0.1/", False),
        ("https://dav.example.com/", "https://home.example.com/", False),
        ("https://dav.example.com/", "https://dav.example.com:443/a/", True),
    ],
)
def test_credentials_stay_at_icloud_or_on_this_machine(known: str, other: str, may: bool) -> None:  # noqa: FBT001
    """IC1: over https; loopback leads to loopback only, and only an operator can begin there."""
    assert trusted(URL(known), URL(other)) is may


async def test_a_home_elsewhere_gets_no_password(icloud: Icloud) -> None:
    """IC1, O2."""
    async with RawServer.running() as stranger:
        told = stranger.url.replace("127.0.0.1", "localhost")

        def elsewhere(request: web.Request, _: bytes) -> web.Response | None:
            if request.path != PRINCIPAL:
                return None
            home = "C:calendar-home-set"
            body = (
                '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response>'
                f"<href>{PRINCIPAL}</href><propstat><prop><{home}><href>{told}</href></{home}>"
                "</prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
            )
            return web.Response(status=207, text=body, content_type="text/xml")

        icloud.fault = elsewhere
        error = await refused(icloud, login_at(icloud))
        assert stranger.asked == []
    assert isinstance(error, ForbiddenError)


@pytest.mark.parametrize(
    ("home", "led"),
    [("p42-caldav.icloud.com", True), ("p42-caldav.icloud.com.example", False)],
)
async def test_by_its_real_names_the_password_stays_with_icloud(
    tmp_path: Path,
    home: str,
    led: bool,  # noqa: FBT001
) -> None:
    """IC1, over TLS: to a redirect's target on another of its hosts, and to no stranger."""
    server, client = certified(tmp_path, "caldav.icloud.com", home)
    async with (
        RawServer.running(server) as start,
        RawServer.running(server) as there,
        ClientSession(connector=TCPConnector(resolver=Here(), ssl=client)) as session,
    ):
        start.told = answer(301, b"", f"Location: https://{home}:{there.port}/")
        there.told = answer(404)
        url = f"https://caldav.icloud.com:{start.port}/"
        rim = Rim(session=lambda: session, clock=FakeClock(), settings={"icloud": {"url": url}})
        login = Login(provider="icloud", username="ada@icloud.com", password=Secret("abcd"))
        with pytest.raises(NotFoundError if led else ForbiddenError):
            await IcloudAdapter(rim).sign_in(login)
        assert all(b"Authorization: Basic" in one for one in (*start.asked, *there.asked))
        assert (bool(start.asked), bool(there.asked)) == (True, led)


async def test_a_principal_without_a_number_is_nobody(icloud: Icloud) -> None:
    """P15: a name in its place would make two profiles of one person."""
    told = (
        '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response>'
        "<href>/ada/</href><propstat><status>HTTP/1.1 200 OK</status><prop>"
        "<current-user-principal><href>/ada/</href></current-user-principal>"
        "<C:calendar-home-set><href>/ada/</href></C:calendar-home-set>"
        "</prop></propstat></response></multistatus>"
    )
    async with RawServer.running() as raw:
        raw.told = answer(207, told.encode())
        icloud.url = raw.url
        assert isinstance(await refused(icloud, login_at(icloud)), MalformedReplyError)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_revoked_password_is_told_by_the_principal(
    desk: Desk, icloud: Icloud, status: int
) -> None:
    """IC2: a poll raises what counts towards the proof of I11, not a mere prohibition."""
    await icloud.mkcalendar("home", name="Home")
    follower = await desk.follow()
    await follower.read()
    two = {one.key: None for one in await desk.provider.calendars()}
    icloud.refusal = status
    icloud.set_password("revoked")
    with pytest.raises(RelinkRequiredError):
        await desk.provider.calendars()
    with pytest.raises(RelinkRequiredError):
        await desk.provider.moved(two)
    with pytest.raises(RelinkRequiredError):  # or a poll of one calendar would go well
        await follower.read()


async def test_a_forbidden_home_alone_disconnects_nobody(desk: Desk, icloud: Icloud) -> None:
    """IC2: the principal still lets the person in."""

    def forbidden(request: web.Request, _: bytes) -> web.Response | None:
        return web.Response(status=403) if request.path.endswith("/calendars/") else None

    icloud.fault = forbidden
    icloud.forget()
    with pytest.raises(ForbiddenError):
        await desk.provider.calendars()
    assert [one.path for one in icloud.asked][-1] == PRINCIPAL


async def test_contacts_are_read_from_their_own_server(desk: Desk, icloud: Icloud) -> None:
    """K30."""
    device = CardClient.at(icloud.held)
    await device.mkbook("card", "Contacts")
    await device.put("card", "a.vcf", card("a", "Ada"))
    (book,) = await desk.provider.address_books()
    assert book.key == f"http://127.0.0.1:{icloud.cards_at}/{NUMBER}/carddavhome/card/"


async def test_a_rewritten_event_gets_the_end_that_it_lacked(desk: Desk, icloud: Icloud) -> None:
    """IC4: in its exceptions too; what else stood there stays (D19)."""
    times = ("DTSTAMP:20261101T000000Z", "DTSTART;TZID=Europe/Berlin:20261124T100000")
    moved = "RECURRENCE-ID;TZID=Europe/Berlin:20261201T100000"
    later = ("DTSTAMP:20261101T000000Z", moved, "DTSTART;VALUE=DATE:20261202", "X-KEPT:1")
    body = vcalendar(
        vevent(*times, "DURATION:PT90M", "RRULE:FREQ=WEEKLY", "X-KEPT:2", uid="w"),
        vevent(*later, uid="w"),
    )
    await icloud.put("work", "w.ics", body)
    pen = Pen(icloud, desk, (await desk.calendar()).key)
    wrote = await pen.update(await pen.read("w.ics"), "Renamed")
    raw = wrote.upserts[0].raw
    assert b"DTEND;TZID=Europe/Berlin:20261124T113000" in raw
    assert b"DTEND;VALUE=DATE:20261203" in raw
    assert b"DURATION" not in raw
    assert b"X-KEPT:1" in raw
    assert b"X-KEPT:2" in raw
    assert set(names(wrote)) == {"Renamed", None}


def test_a_port_that_is_the_scheme_s_own_makes_no_other_server() -> None:
    """IC1: iCloud writes it out in the home, and not always below."""
    home = "https://p42-caldav.icloud.com:443/1/calendars/"
    key = calendar_key("/1/calendars/a/", home)
    assert key == "/1/calendars/a/"
    assert calendar_key("https://p42-caldav.icloud.com/1/calendars/a", home) == key
    assert calendar_key("https://p42-caldav.icloud.com:443/1/calendars/a", home[:-1]) == key
    assert calendar_key("https://p43-caldav.icloud.com:443/1/a/", home).startswith("https://p43")
    assert origin_of(URL(home, encoded=True)) == URL("https://p42-caldav.icloud.com")
