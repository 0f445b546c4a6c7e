"""iCloud as its clients meet it: the quirk proxy with the IC rules fixed on (providers.md §10.2).

Four servers, each an origin of its own: where calendars and contacts are signed in to, and where
they are kept. Radicale behind them knows the person as alice.
"""

import re
from pathlib import Path

from aiohttp import encode_basic_auth, web

from tests.servers.caldav import CalDavServer, free_port
from tests.servers.quirk_proxy import QuirkProxy

NUMBER = "272845671"
PRINCIPAL = f"/{NUMBER}/principal/"
MAIN_PASSWORD = "the-apple-ids-own"  # noqa: S105
_NAMES = 'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:R="urn:ietf:params:xml:ns:carddav"'
_OFFER = 'X-MobileMe-AuthToken realm="MMCalDav", Basic realm="MMCalDav"'


class Icloud(QuirkProxy):
    """``refusal`` answers a wrong password (IC2); ``unready`` answers whoever signs in."""

    name = "icloud"
    provider = "icloud"
    username = "ada@icloud.com"
    password = "abcd-efgh-ijkl-mnop"  # noqa: S105

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ports = [self.port, free_port(), free_port(), free_port()]
        self.start_at, self.calendars_at, self.contacts_at, self.cards_at = self.ports
        self.switches.collection_as_member = True  # IC3
        self.switches.empty_404_propstat = True  # IC3
        self.switches.bogus_token_is_full = True  # IC5
        self.refusal = 401
        self.unready = 0

    @property
    def held(self) -> CalDavServer:
        return self.radicale

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        contacts = f"http://127.0.0.1:{self.contacts_at}/"
        return {"icloud": {"url": self.url, "contacts_url": contacts}}

    async def start(self) -> None:
        await super().start()
        for port in self.ports[1:]:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()

    async def _quirky(self, request: web.Request, body: bytes) -> web.Response:
        if request.headers.get("Authorization") != encode_basic_auth(self.username, self.password):
            strange = "Authorization" not in request.headers
            status = 401 if strange else self.refusal
            return web.Response(status=status, headers={"WWW-Authenticate": _OFFER})
        port = request.url.port
        if port in {self.start_at, self.contacts_at}:
            return self._signed_in(request, contacts=port == self.contacts_at)
        folder = "calendars" if port == self.calendars_at else "carddavhome"
        return await self._kept(request, body, f"/{NUMBER}/{folder}/")

    def _signed_in(self, request: web.Request, *, contacts: bool) -> web.Response:
        """Name the principal; at the principal, its home, on another server (IC1)."""
        if self.unready:
            return web.Response(status=self.unready)
        if request.method != "PROPFIND":
            return web.Response(status=405)
        known, unknown = f"<current-user-principal><href>{PRINCIPAL}</href>", ""
        known += "</current-user-principal><resourcetype/>"
        if request.path == PRINCIPAL:
            calendars = f"http://127.0.0.1:{self.calendars_at}/{NUMBER}/calendars/"
            cards = f"http://127.0.0.1:{self.cards_at}/{NUMBER}/carddavhome/"
            has, lacks, at = (
                ("R:addressbook-home-set", "C:calendar-home-set", cards)
                if contacts
                else ("C:calendar-home-set", "R:addressbook-home-set", calendars)
            )
            known = f"<{has}><href>{at}</href></{has}><displayname>Ada</displayname>"
            known += "<C:calendar-user-address-set><href>mailto:ada@icloud.com</href>"
            known += f"<href>{PRINCIPAL}</href></C:calendar-user-address-set>"
            unknown = f"<{lacks}/><C:schedule-inbox-URL/>"
        elif request.path not in {"/", "/.well-known/caldav", "/.well-known/carddav"}:
            return web.Response(status=404)
        return _multistatus(request.path, known, unknown)

    async def _kept(self, request: web.Request, body: bytes, home: str) -> web.Response:
        """Pass on to Radicale what is asked below a home, under the names there."""
        if not request.path.startswith(home):
            return web.Response(status=404)
        refused = _refused(request, body)
        if refused:
            return web.Response(status=refused)
        names = {**request.headers}
        names["Authorization"] = encode_basic_auth(self.radicale.username, self.radicale.password)
        request._read_bytes = None  # else it would not be cloned
        inner = request.clone(rel_url=request.raw_path.replace(home, self.home, 1), headers=names)
        there = body.replace(f">{home}".encode(), f">{self.home}".encode())
        inner._read_bytes = there
        answer = await super()._quirky(inner, there)
        if isinstance(answer.body, bytes) and answer.content_type.endswith("xml"):
            answer.body = answer.body.replace(f">{self.home}".encode(), f">{home}".encode())
        return answer


def _refused(request: web.Request, body: bytes) -> int:
    """Return what iCloud answers to what it does not take, 0 for the rest (IC4)."""
    if request.method == "MKCOL":
        return 403
    if b"calendar-query" in body[:400] and b'"VEVENT"' not in body:
        return 400
    if request.method == "PUT":
        events = re.findall(rb"BEGIN:VEVENT\r?\n.*?END:VEVENT", body, re.DOTALL)
        if any(not re.search(rb"^DTEND[;:]", one, re.MULTILINE) for one in events):
            return 400
    return 0


def _multistatus(href: str, known: str, unknown: str) -> web.Response:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><multistatus xmlns="DAV:" {_NAMES}><response>'
        f"<href>{href}</href><propstat><prop>{unknown}<displayname/></prop>"
        f"<status>HTTP/1.1 404 Not Found</status></propstat><propstat><prop>{known}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )
    return web.Response(status=207, text=text, content_type="text/xml")
