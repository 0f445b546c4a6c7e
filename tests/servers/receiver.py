"""A webhook receiver that verifies every message twice: by the reference library, and by hand."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook, WebhookVerificationError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def by_hand(secret: str, headers: Any, body: bytes) -> bool:  # noqa: ANN401 - a multidict
    """Check a signature with nothing but HMAC."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split(" ")


class Receiver:
    """Keeps what arrived; ``answer`` decides what is said, after what is kept."""

    def __init__(self, *, verify_time: bool = True) -> None:
        self.secrets = list[str]()
        self.requests = list[tuple[dict[str, str], bytes]]()
        self.messages = list[tuple[str, Any]]()  # id, body: those that were answered with 2xx
        self.faults = list[str]()
        self.answer: Answer | None = None
        self.verify_time = verify_time
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._server = TestServer(app)

    @classmethod
    @asynccontextmanager
    async def listening(cls, **more: Any) -> AsyncIterator[Self]:  # noqa: ANN401
        made = cls(**more)
        await made._server.start_server()
        try:
            yield made
        finally:
            await made._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [identity for identity, _ in self.messages]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, body))
        for secret in self.secrets:
            if not by_hand(secret, headers, body):
                self.faults.append("by hand: no signature matches")
            if self.verify_time:
                try:
                    Webhook(secret).verify(body, headers)
                except WebhookVerificationError as error:
                    self.faults.append(f"by the library: {error}")
        if self.answer is not None:
            response = await self.answer(request)
            if response.status // 100 != 2:
                return response
        else:
            response = web.Response(status=204)
        self.messages.append((headers.get("webhook-id", ""), json.loads(body)))
        return response


async def hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError


async def reset(request: web.Request) -> web.StreamResponse:
    """Break the connection instead of an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def saying(status: int, **more: Any) -> Answer:  # noqa: ANN401 - of a response
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, **more)

    return answer


async def dripping(request: web.Request) -> web.StreamResponse:
    """Say that all is well, and never come to an end of it."""
    response = web.StreamResponse(status=200)
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.05)
