"""People who consent at Google and Microsoft: what is asked, and what is made of their return."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from syncd.model.errors import InvalidError, MisconfiguredError, RelinkRequiredError
from syncd.ports.link import WITHOUT_CONTACTS, Consent, Consented, Journey, SignIn
from syncd.ports.store import Store
from syncd.ports.vault import REFRESH_TOKEN, Secret, Vault
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from tests.fakes.clock import FakeClock

REDIRECT = "https://syncd.example/oauth/callback/google"
NAMES = ("google", "graph")
CALENDARS = {
    "google": "https://www.googleapis.com/auth/calendar",
    "graph": "Calendars.ReadWrite",
}
CONTACTS = {
    "google": "https://www.googleapis.com/auth/contacts.readonly",
    "graph": "Contacts.Read",
}
ME = {"id": "me-1", "mail": "ada@example.org", "userPrincipalName": "ada@example.org"}


@dataclass
class Provider:
    """A token endpoint, and as much of an API as a sign-in looks at."""

    told: dict[str, Any] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    refuses: bool = False
    url: str = ""

    async def token(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(one) for name, one in (await request.post()).items()})
        if self.refuses:
            told = {"error": "invalid_grant", "error_description": "AADSTS1: code expired"}
            return web.json_response(told, status=400)
        claims = {"aud": "client", "sub": "sub-1", "tid": "tenant", "oid": "object"}
        part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        told = {"access_token": "a", "token_type": "Bearer", "refresh_token": "r", **self.told}
        return web.json_response({**told, "id_token": f"x.{part}.y"})

    async def primary(self, _: web.Request) -> web.Response:
        return web.json_response({"kind": "calendar#calendarListEntry", "id": "ada@example.org"})

    async def me(self, _: web.Request) -> web.Response:
        return web.json_response(ME)


@dataclass
class Desk:
    """One provider, set up here."""

    name: str
    provider: Provider
    opener: Opener

    async def begin(self, **members: Any) -> tuple[Consent, dict[str, str]]:  # noqa: ANN401 - of a Journey
        journey = Journey(provider=self.name, redirect_uri=REDIRECT, **members)
        consent = await self.opener.begin(journey)
        query = parse_qs(urlsplit(consent.url).query)
        return consent, {name: one for name, (one,) in query.items()}

    def consented(self, **members: Any) -> Consented:  # noqa: ANN401 - of a Consented
        return Consented(
            provider=self.name,
            code=Secret("code"),
            verifier=Secret("verifier"),
            redirect_uri=REDIRECT,
            **members,
        )


@asynccontextmanager
async def desk_of(name: str, **settings: str) -> AsyncIterator[Desk]:
    provider = Provider()
    app = web.Application()
    app.router.add_post("/token", provider.token)
    app.router.add_get("/api/users/me/calendarList/primary", provider.primary)
    app.router.add_get("/api/me", provider.me)
    async with TestServer(app) as server, ClientSession() as session:
        provider.url = str(server.make_url("")).rstrip("/")
        known = {
            "client_id": "client",
            "client_secret": "secret",
            "authorize_url": "https://accounts.example/authorize",
            "token_url": f"{provider.url}/token",
            "api_url": f"{provider.url}/api",
        }
        rim = Rim(
            session=lambda: session, clock=FakeClock(), settings={name: {**known, **settings}}
        )
        opener = Opener(KINDS, rim, cast("Store", None), cast("Vault", None))
        yield Desk(name, provider, opener)


@pytest.fixture(params=NAMES)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    async with desk_of(request.param) as one:
        yield one


async def test_a_journey_asks_for_calendars_and_contacts_with_pkce(desk: Desk) -> None:
    """N3, RFC 7636: S256, a state that nobody can guess, the constant address."""
    consent, asked = await desk.begin()
    assert consent.url.startswith("https://accounts.example/authorize?")
    assert asked["redirect_uri"] == REDIRECT
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert consent.verifier.reveal() not in consent.url
    assert asked["state"] == consent.state
    assert len(consent.state) >= 43
    scopes = set(asked["scope"].split())
    assert {"openid", "email", CALENDARS[desk.name], CONTACTS[desk.name]} <= scopes
    assert (await desk.begin())[0].state != consent.state


async def test_google_is_asked_for_a_lasting_grant_and_microsoft_too() -> None:
    """G11, MG15: without these words there is no refresh token."""
    async with desk_of("google") as google:
        _, asked = await google.begin()
        assert (asked["access_type"], asked["prompt"]) == ("offline", "consent")
    async with desk_of("graph") as graph:
        _, asked = await graph.begin()
        assert "offline_access" in asked["scope"].split()
        assert asked["prompt"] == "select_account"


async def test_the_login_is_hinted_at_when_it_is_known(desk: Desk) -> None:
    """N3: at a relink the address is filled in; who connects chooses."""
    _, asked = await desk.begin(login="ada@example.org")
    assert asked["login_hint"] == "ada@example.org"
    assert asked.get("prompt") != "select_account"
    assert "login_hint" not in (await desk.begin())[1]


async def test_contacts_are_asked_for_only_where_they_are_wanted(desk: Desk) -> None:
    _, asked = await desk.begin(contacts=False)
    assert CONTACTS[desk.name] not in asked["scope"]


@pytest.mark.parametrize("name", NAMES)
async def test_an_operator_may_ask_for_more(name: str) -> None:
    async with desk_of(name, extra_scopes="Place.Read.All other") as desk:
        _, asked = await desk.begin()
        assert {"Place.Read.All", "other"} <= set(asked["scope"].split())


async def test_a_return_is_redeemed_with_its_verifier(desk: Desk) -> None:
    """P15: the ID token names the person."""
    signed = await desk.opener.finish(desk.consented())
    (form,) = desk.provider.forms
    assert form["grant_type"] == "authorization_code"
    assert (form["code"], form["code_verifier"]) == ("code", "verifier")
    assert form["redirect_uri"] == REDIRECT
    assert signed.identity == {"google": "sub-1", "graph": "tenant.object"}[desk.name]
    assert signed.login == "ada@example.org"
    assert signed.secrets[REFRESH_TOKEN].reveal() == "r"
    assert WITHOUT_CONTACTS not in signed.settings


async def test_a_code_that_is_not_honoured_is_explained(desk: Desk) -> None:
    desk.provider.refuses = True
    with pytest.raises(RelinkRequiredError, match="begin again") as refused:
        await desk.opener.finish(desk.consented())
    assert "verifier" not in str(refused.value)


async def test_an_answer_of_another_provider_is_not_redeemed(desk: Desk) -> None:
    """RFC 9207: the code goes to nobody; the right issuer, or none, is fine."""
    for issuer in ("https://evil.example", "https://accounts.example.evil", "accounts.example"):
        with pytest.raises(InvalidError):
            await desk.opener.finish(desk.consented(issuer=issuer))
    assert desk.provider.forms == []
    await desk.opener.finish(desk.consented(issuer="https://accounts.example/tenant/v2.0"))


async def test_a_person_who_unticks_calendars_is_told_so(desk: Desk) -> None:
    """Google lets people choose what they share."""
    desk.provider.told = {"scope": f"openid {CONTACTS[desk.name]}"}
    with pytest.raises(InvalidError, match="leave calendars ticked"):
        await desk.opener.finish(desk.consented())
    prefix = "https://graph.microsoft.com/" if desk.name == "graph" else ""
    desk.provider.told = {"scope": f"openid {prefix}{CALENDARS[desk.name]}"}
    signed = await desk.opener.finish(desk.consented())
    assert signed.settings[WITHOUT_CONTACTS] == "yes"


async def test_a_grant_that_does_not_last_is_of_no_use(desk: Desk) -> None:
    desk.provider.told = {"refresh_token": None}
    with pytest.raises(InvalidError, match="no lasting permission"):
        await desk.opener.finish(desk.consented())


async def test_only_what_is_set_up_can_be_connected() -> None:
    """N6: a provider without a client is not offered, the others are."""
    async with desk_of("google") as desk:
        ways = {one.provider: one for one in await desk.opener.ways()}
        assert set(ways) == {"google", "ews", "caldav", "icloud"}
        assert ways["google"].sign_in is SignIn.GRANT
        assert ways["google"].origins == ("https://accounts.example",)
        assert ways["caldav"].origins == ()
        with pytest.raises(MisconfiguredError):
            await desk.opener.begin(Journey(provider="graph", redirect_uri=REDIRECT))
        with pytest.raises(InvalidError):
            await desk.opener.begin(Journey(provider="caldav", redirect_uri=REDIRECT))
