"""Exchange servers that take access tokens of an authority of their own (E1, I13)."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from syncd.model.errors import InvalidError, MisconfiguredError, RelinkRequiredError
from syncd.model.ids import CalendarKey
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Perishable, Provider
from syncd.ports.vault import Secret
from syncd.providers.ews.adapter import EwsAdapter
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.ews import NAME, ews_adapter, new, profile_of
from tests.servers.ews import OWNER, EwsServer
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TokenServer


class Desk:
    """An Exchange server and its authority."""

    def __init__(self, server: EwsServer, tokens: TokenServer, adapter: EwsAdapter) -> None:
        self.server, self.tokens, self.adapter = server, tokens, adapter
        self.clock = FakeClock()

    def login(self, *, username: str = OWNER, url: str | None = None) -> Login:
        return Login(
            provider="ews",
            username=username,
            url=self.server.url if url is None else url,
            refresh_token=Secret(self.tokens.refresh_token),
        )

    async def sign_in(self) -> tuple[SignedIn, FakeKeys]:
        signed = await self.adapter.sign_in(self.login())
        return signed, FakeKeys(**{name: one.reveal() for name, one in signed.secrets.items()})

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Provider, FakeKeys]]:
        signed, keys = await self.sign_in()
        async with self.adapter.open(profile_of(signed, self.clock), keys) as provider:
            yield provider, keys


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EwsServer().running())
        tokens = await stack.enter_async_context(TokenServer().running())
        server.access_token = lambda: tokens.access_token
        server.offers = ["Bearer"]
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_url": tokens.url}
        made = ews_adapter(FakeClock(), settings={"ews": client})
        yield Desk(server, tokens, await stack.enter_async_context(made))
        assert server.complaints == []


async def test_a_grant_signs_in_and_no_password_is_kept(desk: Desk) -> None:
    signed, keys = await desk.sign_in()
    assert (signed.identity, signed.settings["auth"]) == (OWNER, "bearer")
    assert set(signed.secrets) == {"access_token", "refresh_token", "former_refresh_token"}
    async with desk.adapter.open(profile_of(signed, desk.clock), keys) as provider:
        assert [one.primary for one in await provider.calendars()] == [True]
    assert desk.tokens.refreshes == 1  # what sign-in was given is used


async def test_a_token_that_is_refused_is_renewed_once_and_kept_first(desk: Desk) -> None:
    """I13: a write is not done twice, nor is it lost."""
    desk.tokens.lenient = True
    async with desk.opened() as (provider, keys):
        desk.tokens.generation += 1  # the server takes the newest one only
        await provider.create_event(CalendarKey(desk.server.calendar.id), new(), name=NAME)
        assert desk.tokens.refreshes == 2
        kept = await keys.read("refresh_token")
        assert kept is not None
        assert kept.reveal() == desk.tokens.refresh_token
    (made,) = desk.server.calendar.items.values()
    assert made.text("Subject") == "New"


async def test_a_grant_that_was_taken_back_is_a_candidate_for_a_disconnect(desk: Desk) -> None:
    """I11."""
    async with desk.opened() as (provider, _):
        desk.tokens.revoke()
        with pytest.raises(RelinkRequiredError) as caught:
            await provider.calendars()
        assert caught.value.reason == "invalid_grant"
    with pytest.raises(RelinkRequiredError, match="does not accept the refresh token"):
        await desk.sign_in()


async def test_a_server_that_takes_no_token_ends_it(desk: Desk) -> None:
    """Not in a circle: one renewal, then the refusal counts."""
    async with desk.opened() as (provider, _):
        desk.server.access_token = lambda: "another"
        with pytest.raises(RelinkRequiredError):
            await provider.calendars()
        assert desk.tokens.refreshes == 2


async def test_a_profile_that_nobody_polls_uses_its_grant(desk: Desk) -> None:
    """F26."""
    signed, keys = await desk.sign_in()
    desk.server.asked.clear()
    keys.held.pop("access_token")
    async with desk.adapter.open(profile_of(signed, desk.clock), keys) as provider:
        assert isinstance(provider, Perishable)
        await provider.keep_alive()
    assert desk.tokens.refreshes == 2
    assert desk.server.asked == []


async def test_what_lacks_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidError) as caught:
        await desk.adapter.sign_in(desk.login(url=""))
    assert caught.value.field == "url"
    with pytest.raises(InvalidError) as caught:
        await desk.adapter.sign_in(desk.login(username=" "))
    assert caught.value.field == "username"
    async with ews_adapter(FakeClock()) as bare:
        with pytest.raises(MisconfiguredError, match=r"\[providers.ews\]"):
            await bare.sign_in(desk.login())
