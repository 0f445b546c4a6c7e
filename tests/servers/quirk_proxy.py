"""An aiohttp proxy before Radicale with a switch per behaviour (providers.md §10.2).

It counts what it is asked, and answers as told instead of forwarding: so that each broken D rule
fails a test.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, TCPConnector, web
from lxml import etree
from lxml.etree import _Element

from tests.servers import dav_edits as edits
from tests.servers.caldav import CalDavServer, Radicale, forward
from tests.servers.dav_client import DavClient
from tests.servers.dav_edits import DAV, Found

WRITES = frozenset({"PUT", "DELETE", "MKCALENDAR", "PROPPATCH"})
Faults = Callable[[web.Request, bytes], web.StreamResponse | None]


@dataclass(kw_only=True)
class Switches:
    """How the server misbehaves; each is named with its D rule."""

    no_sync_collection: str = ""  # D14: "told", or "hidden" behind a lying report set
    sync_status: int = 0  # D14: what the report is refused with, in no words of the standard
    untold: frozenset[str] = frozenset()  # D10, D14: properties that PROPFIND has not
    bogus_token_is_full: bool = False  # D12
    token_status: int = 0  # D12
    second_tokens: Callable[[], int] | None = None  # D13: seconds of that clock
    page_507: int = 0  # D8
    no_data_in_sync: bool = False  # D9
    multiget_omits_missing: bool = False  # D9
    multiget_404: bool = False  # D9
    multiget_forgets: frozenset[str] = frozenset()  # D9: leaves these out although they are there
    etags: str = ""  # P6: "none", or "random" at every request
    multiget_most: int = 0  # D9: 413 above
    multiget_status: int = 413
    no_multiget: bool = False  # D9
    broken_bodies: frozenset[str] = frozenset()  # D16: names whose body is no calendar
    poisoned: str = ""  # I10: whatever touches this name's body is answered with 500
    extra_children: bool = False  # D4
    collection_as_member: bool = False  # D3
    absolute_hrefs: bool = False  # D3
    empty_404_propstat: bool = False  # D5
    well_known: int | str = 0  # D1: a status, "absolute" or "relative"
    root_status: int = 0  # D1: what / answers
    drop_keepalive: bool = False
    drop_changes: float = 0.0  # I9: the share of changes that the feed forgets
    cut_xml: bool = False  # P1
    ignore_if_none_match: bool = False  # D17
    no_put_etag: bool = False  # D18
    no_get_etag: bool = False  # D18: nor after PUT
    weak_etags: bool = False  # D18: and If-Match, which is for strong ones, is never met
    gzip_etags: bool = False  # D18: as Apache's mod_deflate; If-Match wants the plain one
    illegible: bytes = b"ILLEGIBLE"  # I10: what stands for this in XML, which cannot hold it
    rewrite_body: bool = False  # D18
    duplicate_uid_ok: bool = False  # D20
    lose: str = ""  # P11: the next write's answer: "before" it is done, or "after"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    depth: str
    report: str
    received: int  # bytes of the bodies
    sent: int
    authorization: str
    if_match: str = ""


@dataclass
class _Memory:
    token: str = ""  # of the server, up to where ``log`` reaches
    log: dict[str, tuple[int, bool]] = field(default_factory=dict)  # href: second, is there
    parts: dict[str, list[_Element]] = field(default_factory=dict)


class QuirkProxy(CalDavServer):
    """Radicale, with quirks in front; ``asked`` lists what came since ``forget``."""

    name = "quirks"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.radicale = Radicale(folder)
        self.home = self.radicale.home
        self.switches = Switches()
        self.fault: Faults | None = None
        self.before_multiget: Callable[[], Awaitable[None]] | None = None  # once
        self.before_home: Callable[[], None] | None = None
        self.asked: list[Asked] = []
        self._memory: dict[str, _Memory] = {}
        self._random = random.Random(7)  # noqa: S311 - a test's dice
        self._served: set[object] = set()

    @property
    def device(self) -> DavClient:
        return self.radicale.device

    def forget(self) -> None:
        self.asked.clear()

    async def start(self) -> None:
        await self.radicale.start()
        self._session = ClientSession(connector=TCPConnector(force_close=True))
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()
        await self.radicale.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self.switches.drop_keepalive and request.transport is not None:
            connection = request.protocol
            if connection in self._served:
                request.transport.close()
                await asyncio.sleep(0)
                return web.Response()
            self._served.add(connection)
        told = self.fault(request, body) if self.fault is not None else None
        if told is None:
            told = await self._quirky(request, body)
        sent = told.body if isinstance(told, web.Response) else b""
        self.asked.append(
            Asked(
                method=request.method,
                path=request.path,
                depth=request.headers.get("Depth", ""),
                report=_report(body),
                received=len(body),
                sent=len(sent) if isinstance(sent, bytes) else 0,
                authorization=request.headers.get("Authorization", ""),
                if_match=request.headers.get("If-Match", ""),
            )
        )
        return told

    async def _quirky(self, request: web.Request, body: bytes) -> web.Response:
        switches, report = self.switches, _report(body)
        early = self._early(request)
        if early is not None:
            return early
        if report == "sync-collection":
            answer = await self._sync(request, body)
        elif report == "calendar-multiget":
            answer = await self._multiget(request, body)
        elif request.method == "PROPFIND":
            answer = await self._propfind(request)
        elif request.method in WRITES:
            return await self._write(request, body)
        else:
            return self._weakened(await self._forward(request), request)
        if isinstance(answer, Found):
            answer = self._edited(answer)
        if switches.cut_xml and isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) * 2 // 3]
        return answer

    def _edited(self, answer: Found) -> web.Response:
        switches = self.switches
        edits.break_bodies(answer, switches.broken_bodies)
        if switches.weak_etags:
            edits.weaken_etags(answer)
        if switches.etags:
            edits.spoil_etags(answer, self._random if switches.etags == "random" else None)
        if switches.empty_404_propstat:
            edits.add_empty_propstats(answer)
        if switches.absolute_hrefs:
            edits.make_absolute(answer, self.url)
        return edits.make_illegible(answer.response(), switches.illegible)

    async def _write(self, request: web.Request, body: bytes) -> web.Response:
        switches = self.switches
        lose, switches.lose = switches.lose, ""
        if lose == "before":
            return self._hang_up(request)
        if switches.weak_etags and "If-Match" in request.headers:
            return web.Response(status=412)
        if switches.rewrite_body and request.method == "PUT":
            body = body.replace(b"END:VEVENT", b"X-SERVER:was here\r\nEND:VEVENT")
        dropped = frozenset({"If-None-Match"}) if switches.ignore_if_none_match else frozenset()
        answer = await self._forward(request, body, dropped=dropped)
        if answer.status == 409 and switches.duplicate_uid_ok:
            folder = self.folder / "collections" / "collection-root"
            (folder / request.path.lstrip("/")).write_bytes(body)
            answer = web.Response(status=201)
        if lose == "after":
            return self._hang_up(request)
        if switches.no_put_etag:
            answer.headers.popall("ETag", None)
        return self._weakened(answer, request)

    def _hang_up(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.close()
        return web.Response()

    def _weakened(self, answer: web.Response, request: web.Request) -> web.Response:
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        if self.switches.gzip_etags and packed and request.method == "GET":
            answer.headers["ETag"] = f'{answer.headers["ETag"][:-1]}-gzip"'
        if self.switches.no_get_etag:
            answer.headers.popall("ETag", None)
        if self.switches.weak_etags and "ETag" in answer.headers:
            answer.headers["ETag"] = f"W/{answer.headers['ETag']}"
        return answer

    def _early(self, request: web.Request) -> web.Response | None:
        switches, name = self.switches, request.path.rpartition("/")[2]
        if request.path == "/.well-known/caldav" and switches.well_known:
            return self._well_known(switches.well_known)
        if request.path == "/" and switches.root_status:
            return web.Response(status=switches.root_status)
        if request.method == "GET" and name == switches.poisoned:
            return web.Response(status=500)
        if request.method == "GET" and name in switches.broken_bodies:
            return web.Response(text="out of order", content_type="text/calendar")
        return None

    def _well_known(self, how: int | str) -> web.Response:
        if how == "absolute":
            return web.Response(status=301, headers={"Location": f"{self.url}alice/"})
        if how == "relative":
            return web.Response(status=307, headers={"Location": "/alice/"})
        return web.Response(status=int(how), text="<html>hello</html>", content_type="text/html")

    async def _propfind(self, request: web.Request) -> web.Response | Found:
        if self.before_home is not None and request.path == self.home:
            self.before_home()
        found = await self._found(request)
        if isinstance(found, web.Response):
            return found
        switches = self.switches
        if switches.no_sync_collection == "told":
            edits.drop_report(found, "sync-collection")
        for name in switches.untold | (
            {f"{DAV}sync-token"} if switches.no_sync_collection else set()
        ):
            edits.drop_property(found, name)
        if switches.extra_children and request.path == self.home:
            edits.add_strangers(found, self.home)
        if switches.second_tokens is not None:
            for response in found.responses:
                path = response.findtext(f"{DAV}href") or ""
                for token in response.iter(f"{DAV}sync-token"):
                    await self._refresh(request, path)
                    token.text = self._second(path)
        return found

    async def _multiget(self, request: web.Request, body: bytes) -> web.Response | Found:
        asked = len(etree.fromstring(body).findall(f"{DAV}href"))
        if self.before_multiget is not None:
            await self.before_multiget()
            self.before_multiget = None
        if self.switches.poisoned and self.switches.poisoned.encode() in body:
            return web.Response(status=500)
        if self.switches.no_multiget:
            return web.Response(status=501)
        if 0 < self.switches.multiget_most < asked:
            return web.Response(status=self.switches.multiget_status)
        found = await self._found(request)
        if isinstance(found, web.Response):
            return found
        missing = [one for one in found.responses if edits.status(one) == 404]
        if missing and self.switches.multiget_404:
            return web.Response(status=404)
        if self.switches.multiget_omits_missing:
            found.responses = [one for one in found.responses if one not in missing]
        edits.drop_members(found, self.switches.multiget_forgets)
        return found

    async def _sync(  # noqa: C901, PLR0911 - one switch after the other
        self, request: web.Request, body: bytes
    ) -> web.Response | Found:
        switches = self.switches
        root = etree.fromstring(body)
        token = root.findtext(f"{DAV}sync-token") or ""
        if switches.no_sync_collection:
            return edits.error(403, "supported-report")
        if switches.sync_status:
            return web.Response(status=switches.sync_status)
        if token and switches.token_status:
            return edits.error(switches.token_status, "valid-sync-token")
        memory = self._memory.setdefault(request.path, _Memory())
        if token in memory.parts:
            return self._part(request.path, token)
        if switches.second_tokens is not None:
            return await self._by_second(request, root, token)
        found = await self._found(request)
        if isinstance(found, web.Response):
            if found.status != 403 or not switches.bogus_token_is_full:
                return found
            found = await self._all(request, root)
        if switches.no_data_in_sync:
            edits.drop_property(found, edits.BODY)
        if token and switches.drop_changes:
            kept = [one for one in found.responses if self._random.random() > switches.drop_changes]
            found.responses = kept
        if switches.collection_as_member:
            found.responses.insert(0, edits.member(request.path, '"collection"'))
        if switches.page_507 and len(found.responses) > switches.page_507:
            memory.parts["part-0"] = [*found.responses, edits.token_of(found)]
            return self._part(request.path, "part-0")
        return found

    def _part(self, path: str, name: str) -> Found:
        """Answer some of what is left: 507 says that there is more (RFC 6578 §3.6)."""
        *responses, last = self._memory[path].parts.pop(name)
        most = self.switches.page_507
        if len(responses) <= most:
            return Found(responses=responses, token=last.text)
        following = f"part-{int(name[5:]) + 1}"
        self._memory[path].parts[following] = [*responses[most:], last]
        return Found(responses=[*responses[:most], edits.only_status(path, 507)], token=following)

    async def _all(self, request: web.Request, root: _Element) -> Found:
        asked = root.find(f"{DAV}sync-token")
        assert asked is not None
        asked.text = ""
        found = await self._found(request, etree.tostring(root))
        assert isinstance(found, Found)
        found.responses = [one for one in found.responses if edits.status(one) != 404]
        return found

    async def _by_second(self, request: web.Request, root: _Element, token: str) -> Found:
        """Answer from a log of whole seconds; a token's own second is told again."""
        await self._refresh(request, request.path)
        found = await self._all(request, root)
        log = self._memory[request.path].log
        since = int(token or 0)
        there = {str(one.findtext(f"{DAV}href")): one for one in found.responses}
        found.responses = [
            there[href] if here else edits.only_status(href, 404)
            for href, (second, here) in log.items()
            if second >= since and (here or token)
        ]
        found.token = self._second(request.path)
        return found

    async def _refresh(self, request: web.Request, path: str) -> None:
        memory = self._memory.setdefault(path, _Memory())
        assert self.switches.second_tokens is not None
        now = self.switches.second_tokens()
        body = edits.sync_body(memory.token)
        found = await self._found(request, body, method="REPORT", path=path)
        if isinstance(found, Found):
            memory.token = found.token or ""
            for one in found.responses:
                memory.log[str(one.findtext(f"{DAV}href"))] = (now, edits.status(one) != 404)

    def _second(self, path: str) -> str:
        return str(max((second for second, _ in self._memory[path].log.values()), default=0))

    async def _found(
        self, request: web.Request, body: bytes | None = None, method: str = "", path: str = ""
    ) -> web.Response | Found:
        answer = await self._forward(request, body, method, path)
        if answer.status != 207:
            return answer
        assert isinstance(answer.body, bytes)
        return edits.found(answer.body)

    async def _forward(
        self,
        request: web.Request,
        body: bytes | None = None,
        method: str = "",
        path: str = "",
        dropped: frozenset[str] = frozenset(),
    ) -> web.Response:
        upstream = self.radicale.url.rstrip("/")
        return await forward(
            *(self._session, request, upstream),
            body=body,
            method=method,
            path=path,
            dropped=dropped,
        )


def _report(body: bytes) -> str:
    if not body.startswith(b"<") or b"BEGIN:VCALENDAR" in body[:64]:
        return ""
    return etree.QName(etree.fromstring(body)).localname
