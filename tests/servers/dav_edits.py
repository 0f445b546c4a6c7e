"""Edits of a multistatus, for the quirk proxy."""

from dataclasses import dataclass
from random import Random

from aiohttp import web
from lxml import etree
from lxml.etree import _Element

DAV = "{DAV:}"
BODY = "{urn:ietf:params:xml:ns:caldav}calendar-data"


@dataclass
class Found:
    """A multistatus, open for edits."""

    responses: list[_Element]
    token: str | None

    def response(self) -> web.Response:
        root = etree.Element(f"{DAV}multistatus", nsmap={"D": "DAV:"})
        root.extend(self.responses)
        if self.token is not None:
            etree.SubElement(root, f"{DAV}sync-token").text = self.token
        return web.Response(status=207, body=etree.tostring(root), content_type="text/xml")


def found(body: bytes) -> Found:
    root = etree.fromstring(body)
    return Found(
        responses=list(root.iter(f"{DAV}response")), token=root.findtext(f"{DAV}sync-token")
    )


def token_of(answer: Found) -> _Element:
    token = etree.Element(f"{DAV}sync-token")
    token.text = answer.token
    return token


def status(response: _Element) -> int:
    line = response.findtext(f"{DAV}status")
    return int(line.split()[1]) if line else 200


def error(code: int, condition: str) -> web.Response:
    body = f'<error xmlns="DAV:"><{condition}/></error>'.encode()
    return web.Response(status=code, body=body, content_type="text/xml")


def only_status(href: str, code: int) -> _Element:
    return etree.fromstring(
        f'<response xmlns="DAV:"><href>{href}</href><status>HTTP/1.1 {code} x</status></response>'
    )


def member(href: str, etag: str, kinds: str = "") -> _Element:
    return etree.fromstring(
        f'<response xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><href>{href}</href>'
        f"<propstat><prop><getetag>{etag}</getetag><resourcetype>{kinds}</resourcetype>"
        "<displayname>stranger</displayname></prop><status>HTTP/1.1 200 OK</status></propstat>"
        "</response>"
    )


def sync_body(token: str) -> bytes:
    return (
        f'<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token>'
        "<sync-level>1</sync-level><prop><getetag/></prop></sync-collection>"
    ).encode()


def add_strangers(answer: Found, home: str) -> None:
    """Add what is no calendar: inbox, outbox, proxies, address book, a plain file (D4)."""
    calendar = "<collection/><C:calendar/>"
    strangers = {
        "inbox/": "<collection/><C:schedule-inbox/>",
        "outbox/": "<collection/><C:schedule-outbox/>",
        "proxy-read/": "<collection/>",
        "personal.ics": "",
        "folder/": "<collection/>",
    }
    answer.responses += [member(home + name, '"x"', kinds) for name, kinds in strangers.items()]
    tasks = member(f"{home}tasks/", '"t"', calendar)
    prop = tasks.find(f"{DAV}propstat/{DAV}prop")
    assert prop is not None
    prop.append(
        etree.fromstring(
            '<C:supported-calendar-component-set xmlns:C="urn:ietf:params:xml:ns:caldav">'
            '<C:comp name="VTODO"/></C:supported-calendar-component-set>'
        )
    )
    answer.responses.append(tasks)


def add_empty_propstats(answer: Found) -> None:
    """Add a 404 propstat with empty values to each response, before the good one (D5)."""
    for response in answer.responses:
        if response.find(f"{DAV}propstat") is None:
            continue
        bad = etree.fromstring(
            '<propstat xmlns="DAV:"><prop><getetag/><displayname/><resourcetype/>'
            '<S:getctag xmlns:S="http://calendarserver.org/ns/"/></prop>'
            "<status>HTTP/1.1 404 Not Found</status></propstat>"
        )
        response.insert(1, bad)
        response.append(etree.fromstring(etree.tostring(bad)))


def make_absolute(answer: Found, url: str) -> None:
    """Write members with the whole address, and escape what need not be escaped (D3)."""
    for response in answer.responses:
        href = response.find(f"{DAV}href")
        assert href is not None
        href.text = url.rstrip("/") + (href.text or "").replace("-", "%2d")


def break_bodies(answer: Found, names: frozenset[str]) -> None:
    """Put something else where these calendar objects should be (D16)."""
    for response in answer.responses:
        if (response.findtext(f"{DAV}href") or "").rpartition("/")[2] in names:
            for body in response.iter(BODY):
                body.text = "out of order"


def spoil_etags(answer: Found, dice: Random | None) -> None:
    """Replace every etag, or with no dice remove it (P6, F13)."""
    if dice is None:
        drop_property(answer, f"{DAV}getetag")
        return
    for response in answer.responses:
        for etag in response.iter(f"{DAV}getetag"):
            etag.text = f'"{dice.random()}"'


def weaken_etags(answer: Found) -> None:
    for response in answer.responses:
        for etag in response.iter(f"{DAV}getetag"):
            etag.text = f"W/{etag.text}"


def drop_members(answer: Found, names: frozenset[str]) -> None:
    answer.responses = [
        one
        for one in answer.responses
        if (one.findtext(f"{DAV}href") or "").rpartition("/")[2] not in names
    ]


def drop_property(answer: Found, name: str) -> None:
    for response in answer.responses:
        for one in list(response.iter(name)):
            parent = one.getparent()
            assert parent is not None
            parent.remove(one)


def drop_report(answer: Found, name: str) -> None:
    for response in answer.responses:
        for one in list(response.iter(f"{DAV}supported-report")):
            parent = one.getparent()
            if one.find(f".//{DAV}{name}") is not None and parent is not None:
                parent.remove(one)


def make_illegible(told: web.Response, text: bytes) -> web.Response:
    """Put what no XML can hold where it says ILLEGIBLE."""
    if isinstance(told.body, bytes):
        told.body = told.body.replace(b"ILLEGIBLE", text)
    return told
