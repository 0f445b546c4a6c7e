"""A token endpoint that rotates: strictly, so that of a family only the newest token is good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.servers.delegation import Domain

CLIENT_ID, CLIENT_SECRET = "client", "secret"
_ASSERTED = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Answer:
    """What is answered instead, as often as ``times``."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 10**9


class TokenServer:
    """One family of tokens; a used refresh token revokes them all, as RFC 9700 §4.14 advises."""

    def __init__(self) -> None:
        self.generation = 0
        self.refreshes = 0
        self.asked = 0
        self.revoked = False
        self.lifetime = 3600
        self.rotating = True  # else a refresh gives the same tokens again
        self.lenient = False  # used refresh tokens go on working, as Microsoft's do for a while
        self.instead: Answer | None = None
        self.told: dict[str, str] = {}  # further members, such as id_token
        self.url = ""
        self.pieces = False  # send an answer as a slow network does
        self.rotated: asyncio.Event | None = None  # set when a token was; then waits for ``send``
        self.send = asyncio.Event()
        self.domain: Domain | None = None  # whose service account is known here

    @property
    def refresh_token(self) -> str:
        return f"refresh-{self.generation}"

    @property
    def _good(self) -> set[str]:
        former = range(self.generation + 1) if self.lenient else [self.generation]
        return {f"refresh-{number}" for number in former}

    @property
    def access_token(self) -> str:
        return f"access-{self.generation}"

    def revoke(self) -> None:
        """Take the grant back, and with it every token that came of it (RFC 7009 §2.1)."""
        self.revoked = True
        self.generation += 1

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        self.asked += 1
        if self.instead is not None and self.instead.times > 0:
            self.instead.times -= 1
            found = self.instead
            return web.Response(status=found.status, text=found.body, headers=found.headers)
        if form.get("grant_type") == _ASSERTED and self.domain is not None:
            return self._asserted(self.domain, str(form.get("assertion")))
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "refresh_token":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if self.revoked or form.get("refresh_token") not in self._good:
            self.revoked = self.revoked or not self.lenient
            return web.json_response({"error": "invalid_grant"}, status=400)
        await asyncio.sleep(0.001)  # others may come meanwhile
        self.generation += self.rotating
        self.refreshes += 1
        if self.rotated is not None:
            self.rotated.set()
            await self.send.wait()
        response = web.json_response(
            {
                "access_token": self.access_token,
                "refresh_token": self.refresh_token,
                "expires_in": self.lifetime,
                "token_type": "Bearer",
                **self.told,
            }
        )
        return await _in_pieces(request, response) if self.pieces else response

    def _asserted(self, domain: Domain, assertion: str) -> web.Response:
        refusal = domain.refusal(assertion, self.url)
        if refusal is not None:
            return web.json_response({"error": refusal}, status=400)
        self.generation += 1
        told = {"access_token": self.access_token, "token_type": "Bearer"}
        return web.json_response({**told, "expires_in": self.lifetime})

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["TokenServer"]:
        app = web.Application()
        app.router.add_post("/token", self.answer)
        server = TestServer(app, port=port or None)
        await server.start_server()
        self.url = str(server.make_url("/token"))
        yield self
        await server.close()


async def _in_pieces(request: web.Request, whole: web.Response) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    assert isinstance(whole.body, bytes)
    for start in range(0, len(whole.body), 30):
        await response.write(whole.body[start : start + 30])
        await asyncio.sleep(0.005)  # for the network to send it apart
    return response
