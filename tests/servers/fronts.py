"""Our calendars behind the OAuth peer's tokens, as it has no change feeds of its own.

Its access tokens outlive their grants; here they end with them, by ``cut``.
"""

from dataclasses import dataclass, field

from aiohttp import ClientSession, web

from tests.servers.emulate import PERSON, STRANGER, Site
from tests.servers.google import GoogleServer
from tests.servers.graph import Fault, GraphServer, called, refused


@dataclass
class Gate:
    """Who comes in with the peer's tokens."""

    site: Site
    session: ClientSession
    seen: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)

    async def admits(self, given: str | None) -> bool:
        token = (given or "").removeprefix("Bearer ")
        self.seen.add(token)
        if token in self.dead:
            return False
        people = [await self.site.admits(self.session, token, who) for who in (PERSON, STRANGER)]
        return any(people)

    def cut(self) -> None:
        """End every access token that came until now."""
        self.dead |= self.seen


class GoogleFront(GoogleServer):
    """Google's calendars."""

    def __init__(self, site: Site, session: ClientSession) -> None:
        super().__init__()
        self.gate = Gate(site, session)

    async def admits(self, given: str | None) -> bool:
        return await self.gate.admits(given)


class GraphFront(GraphServer):
    """Microsoft's calendars."""

    def __init__(self, site: Site, session: ClientSession) -> None:
        super().__init__()
        self.gate = Gate(site, session)

    async def _answer(self, request: web.Request) -> web.Response:
        if not await self.gate.admits(request.headers.get("Authorization")):
            return refused(Fault(401, code="InvalidAuthenticationToken"))
        status, told = await self._told(await called(request))
        return (
            web.Response(status=status) if told is None else web.json_response(told, status=status)
        )
