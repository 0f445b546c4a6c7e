"""Digest authentication (RFC 7616, MD5 with qop=auth) in front of Radicale, checked by hand."""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientSession, encode_basic_auth, web
from aiohttp.test_utils import TestServer

from tests.servers.caldav import Radicale, forward

_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\s]+))')
_REALM, _NONCE = "calendars", "a-nonce"


class DigestServer:
    """Knows ``alice`` with a password of its own; speaks Basic to the server behind."""

    def __init__(self, behind: Radicale, password: str) -> None:
        self.url = ""
        self.authorizations: list[str] = []
        self._behind = behind
        self._password = password
        self._session: ClientSession | None = None

    @classmethod
    @asynccontextmanager
    async def running(cls, behind: Radicale, *, password: str) -> "AsyncIterator[DigestServer]":
        one = cls(behind, password)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", one._serve)
        async with ClientSession() as one._session, TestServer(app) as server:
            one.url = str(server.make_url("/"))
            yield one

    async def _serve(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        self.authorizations.append(given)
        if not self._admits(request, given):
            asked = f'Digest realm="{_REALM}", nonce="{_NONCE}", qop="auth", algorithm=MD5'
            return web.Response(status=401, headers={"WWW-Authenticate": asked})
        behind = self._behind
        return await forward(
            self._session,
            request,
            behind.url.rstrip("/"),
            authorization=encode_basic_auth(behind.username, behind.password),
        )

    def _admits(self, request: web.Request, given: str) -> bool:
        if not given.startswith("Digest "):
            return False
        told = {name: quoted or plain for name, quoted, plain in _FIELD.findall(given)}
        first = _md5(f"alice:{_REALM}:{self._password}")
        second = _md5(f"{request.method}:{request.raw_path}")
        parts = (first, _NONCE, told["nc"], told["cnonce"], "auth", second)
        return str(told["response"]) == _md5(":".join(parts))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - what RFC 7616 asks for
