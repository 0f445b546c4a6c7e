"""Every answer that a provider gives is classified as providers.md says (auth-matrix)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

from syncd.model.errors import RelinkRequiredError, SyncdError, TransientError
from syncd.model.ids import CalendarKey
from syncd.ports.vault import Secret
from syncd.providers.caldav.client import Ask, CalDavClient
from syncd.providers.caldav.flavour import Flavour
from syncd.providers.caldav.listing import Lister
from syncd.providers.caldav.quirks import Memory, Scheme
from syncd.providers.caldav.wire import PRINCIPAL, place
from syncd.providers.google import refusals, wire
from syncd.providers.google.client import Ask as GoogleAsk
from syncd.providers.google.client import GoogleClient
from syncd.providers.limits import Limits
from tests.contract.answers import Means, Told, class_of, dav, google
from tests.fakes.clock import FakeClock
from tests.servers.raw import RawServer, answer

FLAVOURS = {
    dav.CALDAV: Flavour(),
    dav.ICLOUD: Flavour(forbids_strangers=True, wants_ends=True),
}
Asking = Callable[[Told], Awaitable[object]]


@dataclass
class Line:
    """A server that says what it is told to, and clients that ask it."""

    raw: RawServer
    session: ClientSession
    clock: FakeClock

    async def google(self, told: Told) -> object:
        tokens = iter(["stale", "fresh", "none left"])

        async def token(*, refused: str | None = None) -> str:
            assert refused in {None, "stale"}
            return next(tokens)

        limits = Limits(self.clock, per_minute=10_000, per_profile=600)
        session, base = self.session, f"{self.raw.url}v3"
        client = GoogleClient(lambda: session, self.clock, base, token, limits=limits)
        if told.asked == google.WRITE:
            ask = GoogleAsk(method="PATCH", path=("calendars", "c", "events", "e"), body={})
            return await client.send(ask)
        if told.asked == google.CALENDARS:
            return await wire.calendar_list(client)
        sync = "known" if told.asked == google.FEED else None
        pages = [one async for one in wire.event_pages(client, CalendarKey("c"), sync)]
        return wire.state_text(pages[-1].get("nextSyncToken"))

    async def dav(self, told: Told) -> object:
        memory = Memory()
        client = CalDavClient(
            *(self.session, self.clock, memory),
            username="alice",
            password=Secret("alicepw"),
            origins=[URL(self.raw.url)],
            flavour=FLAVOURS[told.flavour or dav.CALDAV],
        )
        client.quirks(URL(self.raw.url)).scheme = Scheme.BASIC
        url = URL(f"{self.raw.url}alice/work/")
        if told.asked == dav.GET:
            return await client.fetch(url / "a.ics")
        if told.asked == dav.WRITE:
            return await client.send(Ask(method="PUT", url=url / "a.ics", body=b"x", writes=True))
        if told.asked == dav.FEED:
            return await Lister(client, url).since("known", bodies=True)
        signs_in = told.asked == dav.SIGN_IN
        ask = Ask(method="PROPFIND", url=url, body=PRINCIPAL, depth="0", signs_in=signs_in)
        return await client.multistatus(ask, place)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with RawServer.running() as raw, ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield Line(raw, session, FakeClock())


async def judge(line: Line, told: Told, ask: Asking) -> None:
    """Ask once; the answer raises the error of its class, with the patience that it asks for."""
    line.raw.told = answer(told.status, told.body, *told.headers, kind=told.kind)
    with pytest.raises(SyncdError) as caught:
        await ask(told)
    assert class_of(caught.value) is told.means, repr(caught.value)
    if isinstance(caught.value, TransientError):
        wait = None if told.wait is None else timedelta(seconds=told.wait)
        assert caught.value.retry_after == wait
    if told.means is Means.THROTTLED:
        assert len(line.raw.asked) == 1  # and not at once again


@pytest.mark.parametrize("told", google.GOOGLE, ids=lambda told: told.name)
async def test_what_google_says_is_classified(line: Line, told: Told) -> None:
    await judge(line, told, line.google)


@pytest.mark.parametrize("told", dav.DAV, ids=lambda told: told.name)
async def test_what_caldav_servers_say_is_classified(line: Line, told: Told) -> None:
    await judge(line, told, line.dav)


async def test_a_refusal_that_counted_as_a_dead_sign_in_is_noticed(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""
    forbidden = next(told for told in google.GOOGLE if told.means is Means.FORBIDDEN)
    await judge(line, forbidden, line.google)
    monkeypatch.setitem(refusals._STATUSES, 403, RelinkRequiredError)
    with pytest.raises(AssertionError):
        await judge(line, forbidden, line.google)


@pytest.mark.parametrize("table", [google.GOOGLE, dav.DAV], ids=["google", "dav"])
def test_the_tables_are_wide(table: tuple[Told, ...]) -> None:
    """About sixty answers each, of every class."""
    assert len(table) >= 60
    assert len({told.name for told in table}) == len(table)
    told = {one.means for one in table}
    assert told >= set(Means) - {Means.LACKING, Means.OPERATOR}
