"""Exchange Web Services as their documents describe them: a mailbox with a change log, and faults.

Stricter than Exchange: what is out of the schema's order, what has no version, or is asked beside
another request is noted in ``complaints``. That it tells the truth shows exchangelib, which reads
and writes it outside of syncd (``test_ews_witness``).
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler
from lxml import etree

from tests.servers.ews_directory import Directory
from tests.servers.ews_folders import Folders
from tests.servers.ews_items import Items, RefusedError
from tests.servers.ews_truth import OWNER, Folder, Item, Mailbox
from tests.servers.ews_xml import MESSAGES, SOAP, Xml, answer, bad, envelope, fault, name_of, t
from tests.servers.ntlm import NtlmDoor

PATH = "/EWS/Exchange.asmx"
BUILD = "15.1.2507.6"
USERNAME, PASSWORD = "EXAMPLE\\ada", "s3cret ü"
_VERSIONS = {"Exchange2013", "Exchange2013_SP1", "Exchange2015", "Exchange2016"}
_VERSIONS |= {"Exchange2010_SP2", "Exchange2010_SP1", "Exchange2010", "Exchange2019"}
_AVAILABILITY = "GetUserAvailabilityRequest"


@dataclass
class Fault:
    """What is answered instead to ``operation`` (any if empty), as often as ``times``.

    With a ``code`` it is a SOAP fault in a 500, or as ``message`` a response message of the
    operation. ``after`` tells to do what was asked, and to break the connection then.
    """

    status: int = 500
    code: str = ""
    operation: str = ""
    text: str = "words"
    back_off: int | None = None
    message: bool = False
    body: bytes = b""
    kind: str = "text/xml"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False
    cut: bool = False  # half of the right answer


class EwsServer:
    """One person's mailbox; another device edits it by ``put`` and its like."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.headers: list[tuple[str, Mapping[str, str]]] = []  # the same, with their headers
        self.username, self.password = USERNAME, PASSWORD
        self.mailbox = Mailbox()
        self.items = Items(self.mailbox, self.complaints)
        self.folders = Folders(self.items)
        self.directory = Directory(self.items)
        self.build = BUILD
        self.at_work = 0
        self.version = ""  # that was asked for last
        self.context = ""  # the zone of times that was asked for last
        self.refuses: set[str] = set()  # versions that this server does not speak
        self.hold: Callable[[str], object] | None = None  # awaited before an answer
        self.illegible = b""  # what stands for "ILLEGIBLE" in answers, as no XML can hold it
        self.offers = ['Basic realm="mail"', "Negotiate", "NTLM"]
        self.ntlm: NtlmDoor | None = None  # instead of Basic
        self.access_token: Callable[[], str] | None = None  # what it takes instead of a password
        self.beside: dict[str, Handler] = {}  # other paths of the server
        self.port = 0
        self.url = ""
        self._operations: dict[str, Callable[[Xml], Xml]] = {
            "GetFolder": self.folders.get,
            "FindFolder": self.folders.find,
            "SyncFolderHierarchy": self.folders.sync,
            "CreateFolder": self.folders.create,
            "DeleteFolder": self.folders.delete,
            "SyncFolderItems": self.items.sync,
            "GetItem": self.items.get,
            "FindItem": self.items.find,
            "CreateItem": self.items.create,
            "UpdateItem": self.items.update,
            "DeleteItem": self.items.delete,
            "ResolveNames": self.directory.resolve,
            "GetRoomLists": self.directory.room_lists,
            "GetRooms": self.directory.rooms,
            "GetServerTimeZones": self.directory.zones,
            "GetUserConfiguration": self.directory.options,
            _AVAILABILITY: self.directory.availability,
        }

    @property
    def calendar(self) -> Folder:
        return self.mailbox.special("calendar")

    def put(self, key: str, *members: Xml, folder: Folder | None = None) -> Item:
        """Write an event of another device, or the members given of one that is there."""
        place = folder or self.calendar
        held = place.items.get(key)
        if held is None:
            held = self.mailbox.new_item(t("CalendarItem", *members))
            held.id = key
        else:
            held.props |= {name_of(one): one for one in members}
        return place.put(held)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["EwsServer"]:
        server = await self.start()
        try:
            yield self
        finally:
            await server.close()

    async def start(self) -> TestServer:
        """Serve, at the same port as before."""
        app = web.Application(client_max_size=2**24)
        for path, handler in {PATH: self._answer, **self.beside}.items():
            app.router.add_route("*", path, handler)
        server = TestServer(app, port=self.port or None)
        await server.start_server()
        self.port = server.port or 0
        self.url = f"http://127.0.0.1:{self.port}{PATH}"
        return server

    def _words(self) -> set[str]:
        if self.access_token is not None:
            return {f"Bearer {self.access_token()}"}
        words = f"{self.username}:{self.password}"
        return {
            f"Basic {b64encode(words.encode(charset, 'replace')).decode()}"
            for charset in ("utf-8", "latin-1")
        }

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if self.ntlm is not None:
            step = self.ntlm.refusal(request)
            if step is not None:
                return step
        elif given not in self._words():
            refused = web.Response(status=401, text="", content_type="text/html")
            for one in self.offers:
                refused.headers.add("WWW-Authenticate", one)
            return refused
        self.at_work += 1
        if self.at_work > 1:
            self.complaints.append("two requests at once")  # E8
        try:
            return await self._operate(request, await request.read())
        finally:
            self.at_work -= 1

    async def _operate(self, request: web.Request, body: bytes) -> web.StreamResponse:
        if not request.content_type.endswith("/xml"):
            self.complaints.append(f"asked with {request.content_type}")
        asked = self._parsed(body)
        name = name_of(asked)
        self.asked.append(name)
        self.headers.append((name, request.headers))
        if self.hold is not None:
            held = self.hold(name)
            if hasattr(held, "__await__"):
                await held
        instead = next((one for one in self.faults if one.operation in ("", name)), None)
        if instead is None:
            return self._good(name, asked)
        instead.times -= 1
        if not instead.times:
            self.faults.remove(instead)
        if instead.after or instead.cut:
            right = self._good(name, asked)
            return await _broken(request, right.body if instead.cut else None)
        return _instead(instead, name, self.build)

    def _parsed(self, body: bytes) -> Xml:
        root = etree.fromstring(body)
        version = root.find(f"{{{SOAP}}}Header/{{*}}RequestServerVersion")
        self.version = "" if version is None else version.get("Version", "")
        context = root.find(f"{{{SOAP}}}Header/{{*}}TimeZoneContext/{{*}}TimeZoneDefinition")
        self.context = "" if context is None else context.get("Id", "")
        if self.version not in _VERSIONS:
            self.complaints.append(f"asked for the version {self.version!r}")
        asked: Xml = root.find(f"{{{SOAP}}}Body/*")
        if etree.QName(asked).namespace != MESSAGES:
            self.complaints.append(f"asked with {asked.tag}")
        return asked

    def _good(self, name: str, asked: Xml) -> web.Response:
        if self.version in self.refuses:
            text = "The request is not valid for this version of the server."
            return _xml(fault("ErrorInvalidServerVersion", text), 500)
        operation = self._operations.get(name)
        if operation is None:
            self.complaints.append(f"there is no {name}")
            return _xml(fault("ErrorInvalidRequest", "The request is invalid."), 500)
        try:
            told = operation(asked)
        except RefusedError as error:
            if error.code == "ErrorSchemaValidation":
                return _xml(fault(error.code, error.text), 500)
            told = answer(name, bad(name, error.code, error.text, *_container(name)))
        body = envelope(told, self.build)
        return _xml(body.replace(b"ILLEGIBLE", self.illegible) if self.illegible else body)


def _container(name: str) -> list[Xml]:
    return [etree.Element(f"{{{MESSAGES}}}Items")] if name.endswith("Item") else []


def _instead(given: Fault, name: str, build: str) -> web.Response:
    if given.message:
        return _xml(envelope(answer(name, bad(name, given.code, given.text)), build))
    if given.code:
        body = fault(given.code, given.text, given.back_off)
        return web.Response(
            status=given.status, body=body, content_type="text/xml", headers=given.headers
        )
    return web.Response(
        status=given.status, body=given.body, content_type=given.kind, headers=given.headers
    )


async def _broken(request: web.Request, right: object) -> web.StreamResponse:
    """Break the connection, with half of an answer or with none."""
    if isinstance(right, bytes):
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        response.content_length = len(right)
        await response.prepare(request)
        await response.write(right[: len(right) // 2])
    assert request.transport is not None
    request.transport.close()
    return web.Response()


def _xml(body: bytes, status: int = 200) -> web.Response:
    return web.Response(status=status, body=body, content_type="text/xml", charset="utf-8")


__all__ = ["OWNER", "PASSWORD", "USERNAME", "EwsServer", "Fault"]
