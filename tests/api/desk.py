"""An application and the people whom it sends here: from the question to tokens."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import ClientResponse, DummyCookieJar

from syncd.engine.applications import Applications
from syncd.model.access import Application
from syncd.model.invitation import OUT_OF_BAND
from syncd.ports.store.applications import KeyKind
from tests.api.serving import Api
from tests.fakes.linker import RIGHT
from tests.fakes.vault import FakeVault
from tests.web.visitor import Visitor

BACK = "https://desk.example/back"
ORIGIN = "https://desk.example"
FORM = {"url": "dav.example", "password": RIGHT}


@dataclass
class Desk:
    """One application, with the secrets that it was shown."""

    api: Api
    application: Application
    api_key: str
    secret: str
    back: str = BACK
    person: Visitor = field(init=False)

    def __post_init__(self) -> None:
        self.person = Visitor(self.api)

    @property
    def client(self) -> dict[str, str]:
        return {"client_id": self.application.id, "client_secret": self.secret}

    def kloudless(self, **query: str) -> str:
        """Return where people are sent for an account (K6); ``query`` replaces and adds."""
        asked = {"response_type": "code", "scope": "all", "state": "s t&a=te", **query}
        return self._asked("/v1/oauth", asked)

    def cronofy(self, **query: str) -> str:
        """Return where people are sent for a profile of a user (C18)."""
        asked = {"response_type": "code", "scope": "read_account read_events", **query}
        return self._asked("/oauth/authorize", asked)

    async def connected(
        self, path: str, login: str = "bo@example.org", *, by: Visitor | None = None
    ) -> ClientResponse:
        """Have a person go there and sign in at a CalDAV server; return the last answer."""
        person = by or self.person
        asked = await person.get(path)
        assert asked.status == 303, await asked.text()
        page = f"{asked.headers['Location']}?provider=caldav"
        return await person.submit(page, **FORM, username=login)

    async def code(
        self, path: str, login: str = "bo@example.org", *, by: Visitor | None = None
    ) -> str:
        return told(await self.connected(path, login, by=by))["code"]

    async def redeem(self, code: str, **more: str) -> ClientResponse:
        """Ask for the token of an account (K7)."""
        return await self.ask_token("/v1/oauth/token", code, **more)

    async def exchange(self, code: str, **more: str) -> ClientResponse:
        """Ask for the tokens of a user (C19)."""
        return await self.ask_token("/oauth/token", code, **more)

    async def ask_token(self, path: str, code: str, **more: str) -> ClientResponse:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            **self.client,
            **more,
        }
        given = {name: value for name, value in asked.items() if value}
        return await self.api.send("POST", path, token="", json=given)

    async def account(self, login: str = "bo@example.org", **query: str) -> dict[str, Any]:
        """Connect an account and return what K7 answers."""
        return await body(await self.redeem(await self.code(self.kloudless(**query), login)))

    async def user(
        self, login: str = "bo@example.org", *, by: Visitor | None = None, **query: str
    ) -> dict[str, Any]:
        """Connect a profile and return what C19 answers."""
        code = await self.code(self.cronofy(**query), login, by=by)
        return await body(await self.exchange(code))

    def _asked(self, path: str, query: dict[str, str]) -> str:
        known = {"client_id": self.application.id, "redirect_uri": self.back}
        given = {name: one for name, one in (known | query).items() if one}
        return f"{path}?{urlencode(given)}"


async def desk_of(api: Api, name: str = "Desk", back: str = BACK) -> Desk:
    """Register an application as ``syncd application add`` does."""
    api.client.session._cookie_jar = DummyCookieJar()
    made = await Applications(api.ground.store, FakeVault(), api.clock).add(
        name, origins=[ORIGIN], redirect_uris=[back, OUT_OF_BAND]
    )
    secrets = made.secrets
    return Desk(
        api,
        made.application,
        api_key=secrets[KeyKind.API_KEY].reveal(),
        secret=secrets[KeyKind.CLIENT_SECRET].reveal(),
        back=back,
    )


def told(answer: ClientResponse) -> dict[str, str]:
    """Return what an application is told in the address that a browser is sent to."""
    where = urlsplit(answer.headers["Location"])
    members = parse_qs(where.query or where.fragment, keep_blank_values=True)
    return {name: one for name, (one,) in members.items()}


async def body(answer: ClientResponse) -> dict[str, Any]:
    """Return the body of a 200."""
    found: dict[str, Any] = await answer.json(content_type=None)
    assert answer.status == 200, found
    return found


async def refused(answer: ClientResponse, error: str, status: int = 400) -> str:
    """Check a refusal of a token endpoint; return its description."""
    found = await answer.json(content_type=None)
    assert (answer.status, found["error"]) == (status, error), found
    assert set(found) == {"error", "error_description"}
    return str(found["error_description"])
