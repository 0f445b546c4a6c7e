"""npm's ``emulate``: an OAuth peer that we did not write, for Google and for Microsoft.

It shows sign-in with PKCE, refresh, rotation (Microsoft) and revocation (providers.md 10.5); about
calendars it shows nothing, and its access tokens never expire.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from aiohttp import ClientSession
from lxml import html

from syncd.ports.vault import Secret
from syncd.providers.oauth.endpoint import Client
from tests.node import NODE, installed

CLIENT_ID, CLIENT_SECRET = "syncd-client", "syncd-secret"
CALLBACK = "http://127.0.0.1:8470/callback"
PERSON = "ada@example.org"
STRANGER = "eve@example.org"
_PEOPLE = [{"email": PERSON, "name": "Ada"}, {"email": STRANGER, "name": "Eve"}]
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One provider of the peer: where people consent, and where we ask."""

    name: str
    authorize_url: str
    me_url: str
    api_url: str  # of Microsoft Graph; it knows the person, and no calendars
    scopes: tuple[str, ...]
    members: Mapping[str, str]
    client: Client

    def as_client(self, **fields: str | Secret) -> Client:
        """Return the client with something wrong."""
        return replace(self.client, **fields)  # type: ignore[arg-type]  # names are checked

    async def consented(self, session: ClientSession, url: str) -> dict[str, str]:
        """Do what a person does: open the page, choose an account; return what comes back."""
        async with session.get(url) as page:
            assert page.status == 200, await page.text()
            forms = html.document_fromstring(await page.text()).iter("form")
        (form,) = (one for one in forms if PERSON in one.itertext())
        fields = {one.get("name", ""): one.get("value", "") for one in form.iter("input")}
        address = urljoin(url, form.get("action"))
        async with session.post(address, data=fields, allow_redirects=False) as gone:
            assert gone.status == 302, await gone.text()
            back = gone.headers["Location"]
        assert back.startswith(CALLBACK)
        return {name: one for name, (one,) in parse_qs(urlsplit(back).query).items()}

    async def admits(self, session: ClientSession, token: str, who: str = PERSON) -> bool:
        """Tell whether an access token opens the person's own page."""
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(self.me_url, headers=headers) as answer:
            return answer.status == 200 and who in await answer.text()


def _site(name: str, port: int) -> Site:
    base = f"http://127.0.0.1:{port}"
    paths = {
        "google": ("/o/oauth2/v2/auth", "/oauth2/token", "/oauth2/revoke", "/oauth2/v2/userinfo"),
        "microsoft": (
            *("/oauth2/v2.0/authorize", "/oauth2/v2.0/token", "/oauth2/v2.0/revoke"),
            "/oidc/userinfo",
        ),
    }
    authorize, token, revoke, me = (base + path for path in paths[name])
    offline = {"google": {"access_type": "offline", "prompt": "consent"}, "microsoft": {}}
    return Site(
        name=name,
        authorize_url=authorize,
        me_url=me,
        api_url=f"{base}/v1.0",
        scopes=("openid", "email", *(("offline_access",) if name == "microsoft" else ())),
        members=offline[name],
        client=Client(
            client_id=CLIENT_ID,
            client_secret=Secret(CLIENT_SECRET),
            token_url=token,
            revoke_url=revoke,
        ),
    )


@asynccontextmanager
async def emulate(folder: Path, *callbacks: str) -> AsyncIterator[dict[str, Site]]:
    """Start it on two free ports; skips where npm cannot bring it, except in ``.ci/run``.

    It sends people back to ``callbacks`` only.
    """
    modules = await asyncio.to_thread(installed)
    seed = folder / "seed.yaml"
    told = _seed(callbacks or (CALLBACK,))
    seed.write_text(json.dumps({"google": told, "microsoft": told}))  # JSON is YAML
    for _ in range(_TRIES):  # somebody else may take a port between our look and its start
        port = _two_free_ports()
        process = await asyncio.create_subprocess_exec(
            *(NODE, modules / "emulate" / "dist" / "index.js", "start"),
            *("-p", str(port), "--host", "127.0.0.1", "-s", "google,microsoft"),
            *("--seed", str(seed)),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            if await _answers(process, port + 1):
                yield {name: _site(name, port + at) for at, name in enumerate(_NAMES)}
                return
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    pytest.fail("emulate did not start")


_NAMES = ("google", "microsoft")


def _seed(callbacks: Sequence[str]) -> dict[str, object]:
    client = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "name": "syncd",
        "redirect_uris": list(callbacks),
    }
    return {"users": _PEOPLE, "oauth_clients": [client]}


def _two_free_ports() -> int:
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            return port


async def _answers(process: asyncio.subprocess.Process, port: int) -> bool:
    latest = time.monotonic() + 20
    while process.returncode is None and time.monotonic() < latest:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return True
    return False
