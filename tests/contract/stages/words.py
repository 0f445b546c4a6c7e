"""How each provider words what the faults of ``tests/servers/chaos_faults.py`` say in its name."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from lxml import etree
from lxml.etree import _Element

from tests.servers.chaos import Answered, Asked
from tests.servers.chaos_faults import Words

Json = dict[str, Any]
_SYNC = "{DAV:}sync-token"
_LIST_OF_CALENDARS = "calendar#calendarList"  # whose calendars would then not be looked at
_EWS = "http://schemas.microsoft.com/exchange/services/2006"
_HTML = Answered(status=200, kind="text/html", body=b"<html><body>Not this</body></html>")
Edited = Callable[[bytes], bytes | None]


def _json(body: bytes) -> Answered:
    return Answered(status=200, kind="application/json", body=body)


def _xml(body: bytes, *, status: int = 200) -> Answered:
    return Answered(status=status, kind="text/xml", body=body)


def _json_page(entries: str, *ends: str) -> Callable[[Callable[[Json], None]], Edited]:
    """Return what makes an edit of a JSON page whose list is called ``entries``."""

    def of(change: Callable[[Json], None]) -> Edited:
        def edit(body: bytes) -> bytes | None:
            try:
                page = json.loads(body)
            except ValueError:
                return None
            if not isinstance(page, dict) or not isinstance(page.get(entries), list):
                return None
            if not page.keys() & set(ends) or page.get("kind") == _LIST_OF_CALENDARS:
                return None
            change(page)
            return json.dumps(page).encode()

        return edit

    return of


def json_pages(
    entries: str,
    *ends: str,
    **more: Any,  # noqa: ANN401 - the rest of Words
) -> Words:
    """Return the words of a provider that speaks JSON; ``ends`` mark that a page is the last."""
    page = _json_page(entries, *ends)

    def double(told: Json) -> None:
        told[entries] += list(told[entries])

    def halve(told: Json) -> None:
        del told[entries][: (len(told[entries]) + 1) // 2]

    def truncate(told: Json) -> None:
        halve(told)
        for end in ends:
            told.pop(end, None)

    return Words(
        kind="application/json",
        other_shapes=(
            _json(b"{}"),
            _json(b"[]"),
            _json(json.dumps({entries: []}).encode()),
            _json(json.dumps({entries: "none"}).encode()),
            _json(b'{"error": null}'),
            _xml(b"<multistatus xmlns='DAV:'/>"),
            _HTML,
        ),
        doubled=page(double),
        truncated=page(truncate),
        liar=page(halve),
        **more,
    )


def _google_error(status: int, reason: str, domain: str) -> Answered:
    entry = {"domain": domain, "reason": reason, "message": "Said by Google."}
    error = {"errors": [entry], "code": status, "message": "Said by Google."}
    return Answered(
        status=status, kind="application/json", body=json.dumps({"error": error}).encode()
    )


def _google_feed(asked: Asked) -> str:
    path, _, query = asked.path.partition("?")
    return path if asked.method == "GET" and "syncToken=" in query else ""


def _dav_page(change: Callable[[_Element, list[_Element]], None]) -> Edited:
    """Return an edit of answers to sync-collection: no other has an end that could be missing."""

    def edit(body: bytes) -> bytes | None:
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return None
        if root.find(_SYNC) is None:
            return None
        change(root, root.findall("{DAV:}response"))
        return etree.tostring(root)

    return edit


def _double(root: _Element, responses: list[_Element]) -> None:
    root.extend([deepcopy(one) for one in responses])


def _halve(root: _Element, responses: list[_Element]) -> None:
    for one in responses[: (len(responses) + 1) // 2]:
        root.remove(one)


def _truncate(root: _Element, responses: list[_Element]) -> None:
    _halve(root, responses)
    for end in root.findall(_SYNC):
        root.remove(end)


def _dav_feed(asked: Asked) -> str:
    known = re.search(rb"sync-token>[^<]+<", asked.body)
    return asked.path if asked.method == "REPORT" and known else ""


_DAV = Words(
    kind="text/xml; charset=utf-8",
    other_shapes=(
        _json(b'{"items": []}'),
        _xml(b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
        _xml(b"<multistatus xmlns='DAV:'/>"),
        _xml(b"<multistatus xmlns='DAV:'/>", status=207),
        _xml(b"<multistatus xmlns='DAV:'><response/></multistatus>", status=207),
        Answered(status=200, kind="text/calendar", body=b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        _HTML,
    ),
    refused=Answered(status=401, headers=(("WWW-Authenticate", 'Basic realm="dav"'),)),
    throttled=Answered(status=429, kind="text/plain", body=b"Too many requests"),
    doubled=_dav_page(_double),
    truncated=_dav_page(_truncate),
    liar=_dav_page(_halve),
    feed=_dav_feed,
)

_SYNC_STATE = f"{{{_EWS}/messages}}SyncState"
_CHANGES = f"{{{_EWS}/messages}}Changes"


def _ews_page(change: Callable[[_Element, list[_Element]], None]) -> Edited:
    """Return an edit of what SyncFolderItems tells: entries below Changes, then a SyncState."""

    def edit(body: bytes) -> bytes | None:
        try:
            root = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return None
        changes = root.find(f".//{_CHANGES}")
        if changes is None or root.find(f".//{_SYNC_STATE}") is None:
            return None
        change(changes, list(changes))
        return etree.tostring(root)

    return edit


def _ews_truncate(changes: _Element, entries: list[_Element]) -> None:
    _halve(changes, entries)
    message = changes.getparent()
    assert message is not None
    for end in message.findall(_SYNC_STATE):
        message.remove(end)


def _ews_feed(asked: Asked) -> str:
    folder = re.search(rb"FolderId[^>]*Id=\"([^\"]+)", asked.body)
    known = b"SyncFolderItems" in asked.body and b"SyncState>" in asked.body
    return folder[1].decode() if folder and known else ""


def _busy(milliseconds: int) -> Answered:
    """Return Exchange's way to say 429: a SOAP fault in a 500."""
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        f'<faultcode xmlns:a="{_EWS}/types">a:ErrorServerBusy</faultcode>'
        '<faultstring xml:lang="en-US">The server cannot service this request right now.'
        f'</faultstring><detail><e:ResponseCode xmlns:e="{_EWS}/errors">ErrorServerBusy'
        f'</e:ResponseCode><e:Message xmlns:e="{_EWS}/errors">Try again later.</e:Message>'
        f'<t:MessageXml xmlns:t="{_EWS}/types"><t:Value Name="BackOffMilliseconds">{milliseconds}'
        "</t:Value></t:MessageXml></detail></s:Fault></s:Body></s:Envelope>"
    )
    return Answered(status=500, kind="text/xml; charset=utf-8", body=body.encode())


def _graph_error(status: int, code: str, *headers: tuple[str, str]) -> Answered:
    told = {"error": {"code": code, "message": "Said by Graph.", "innerError": {}}}
    return Answered(
        status=status, kind="application/json", body=json.dumps(told).encode(), headers=headers
    )


def _graph_feed(asked: Asked) -> str:
    path, _, query = asked.path.partition("?")
    return path if "deltatoken=" in query.lower() else ""


WORDS: dict[str, Words] = {
    "caldav": _DAV,
    "icloud": _DAV,
    "google": json_pages(
        "items",
        "nextSyncToken",
        refused=_google_error(401, "authError", "global"),
        throttled=_google_error(403, "rateLimitExceeded", "usageLimits"),
        feed=_google_feed,
    ),
    "graph": json_pages(
        "value",
        "@odata.deltaLink",
        refused=_graph_error(401, "InvalidAuthenticationToken"),
        throttled=_graph_error(429, "ApplicationThrottled", ("Retry-After", "600")),
        feed=_graph_feed,
    ),
    "ews": Words(
        kind="text/xml; charset=utf-8",
        other_shapes=(
            _json(b'{"value": []}'),
            _xml(b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
            _xml(
                b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>"
                b"<s:Body/></s:Envelope>"
            ),
            _HTML,
        ),
        refused=Answered(status=401, headers=(("WWW-Authenticate", 'Basic realm="exchange"'),)),
        throttled=_busy(600_000),
        doubled=_ews_page(_double),
        truncated=_ews_page(_ews_truncate),
        liar=_ews_page(_halve),
        feed=_ews_feed,
    ),
}  # by provider: one without words of its own fails the suite of faults
