"""One more of Google's APIs, on a host of its own (G14), held against its discovery document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.servers.caldav import free_port
from tests.servers.discovery import Discovery, Json
from tests.servers.google_faults import Answering, Fault, RefusedError, error_info, meets, refused
from tests.servers.tokens import TokenServer


class Host:
    """Answers lists, at the same address each time that it runs.

    ``granted`` tells whether the grant has the scope that they need; ``devices`` are access tokens
    of others that are signed in.
    """

    base = ""  # of every path, as in the setting that names the host
    path = ""  # of the list, below ``base``

    def __init__(self, api: Discovery, tokens: TokenServer, complaints: list[str]) -> None:
        self.api = api
        self.tokens = tokens
        self.complaints = complaints
        self.devices = set[str]()
        self.faults: list[Fault] = []
        self.asked: list[web.Request] = []
        self.granted = True
        self.page_size = 10_000  # at most, whatever is asked for
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}{self.base}"
        self._pages: dict[str, tuple[list[Json], dict[str, str]]] = {}

    async def listed(self, query: dict[str, str]) -> Json:
        """Return a page for ``query``; raises RefusedError."""
        raise NotImplementedError

    def further_faults(self, query: dict[str, str], told: Json) -> list[str]:
        """Return what is wrong with an answer beyond its schema."""
        del query, told
        return []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application(middlewares=[_html])
        app.router.add_get(self.base + self.path, self._answer)
        server = TestServer(app, port=self._port)
        await server.start_server()
        try:
            yield
        finally:
            await server.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if given not in {self.tokens.access_token, *self.devices}:
            return refused(Fault(401, reason="authError"))
        if not self.granted:
            words = "Request had insufficient authentication scopes."
            reason = "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
            return refused(error_info(403, "PERMISSION_DENIED", reason, words))
        fault = next((one for one in self.faults if meets(one, request)), None)
        if fault is not None:
            fault.times -= 1
            return refused(fault)
        method = self.api.method("GET", request.rel_url.raw_path.removeprefix("/"))
        assert method is not None, f"{self.api.document['id']} has no {request.path}"
        self.complaints += self.api.faults(method, dict(request.query), None)
        try:
            told = await self.listed(dict(request.query))
        except RefusedError as refusal:
            return refused(refusal.fault)
        self.complaints += self.api.answer_faults(method, told)
        self.complaints += self.further_faults(dict(request.query), told)
        return web.json_response(told)

    def cut(self, everything: list[Json], query: dict[str, str], size: int) -> list[Json]:
        """Return what comes after the page token of ``query``, and at most ``size`` of it.

        What is left is kept under ``page_token``. Raises RefusedError for a token that is none, or
        is sent with other parameters than the one before it.
        """
        plain, place = dict(query), query.get("pageToken")
        plain.pop("pageToken", None)
        left = everything
        if place is not None:
            if place not in self._pages:
                raise RefusedError.by(error_info(400, "INVALID_ARGUMENT", "badPageToken"))
            left, first = self._pages[place]
            if first != plain:
                self.complaints.append(f"a page was asked for with other parameters: {plain}")
                raise RefusedError.by(error_info(400, "INVALID_ARGUMENT", "otherParameters"))
        size = min(size, self.page_size)
        self.page_token: str | None = None
        if left[size:]:
            self.page_token = f"page/{len(self._pages)}+%="
            self._pages[self.page_token] = (left[size:], plain)
        return left[:size]


@web.middleware
async def _html(request: web.Request, handler: Answering) -> web.StreamResponse:
    """Answer what this host does not know with a web page, as Google does (G14)."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        page = "<!DOCTYPE html><title>Error 404 (Not Found)</title>"
        return web.Response(status=404, text=page, content_type="text/html")
