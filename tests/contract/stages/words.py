"""How each provider words what the faults of ``tests/servers/chaos_faults.py`` say in its name."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.servers.chaos import Answered, Asked
from tests.servers.chaos_faults import Words

Json = dict[str, Any]
_RESPONSE = re.compile(rb"<(?:\w+:)?response[ >].*?</(?:\w+:)?response>", re.DOTALL)
_SYNC = re.compile(rb"<(?:\w+:)?sync-token>[^<]*</(?:\w+:)?sync-token>\s*(?=</(?:\w+:)?multist)")
_HTML = ("text/html", b"<html><body>Not what you asked for</body></html>")


def _json_page(entries: str, *ends: str) -> Callable[[Callable[[Json], None]], "Edited"]:
    """Return what makes an edit of a JSON page whose list is called ``entries``."""

    def of(change: Callable[[Json], None]) -> Edited:
        def edit(body: bytes) -> bytes | None:
            try:
                page = json.loads(body)
            except ValueError:
                return None
            if not isinstance(page, dict) or not isinstance(page.get(entries), list):
                return None
            if not page.keys() & set(ends):
                return None
            change(page)
            return json.dumps(page).encode()

        return edit

    return of


Edited = Callable[[bytes], bytes | None]


def json_pages(
    entries: str, *ends: str, **more: Any  # noqa: ANN401 - the rest of Words
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
            ("application/json", b"{}"),
            ("application/json", b"[]"),
            ("application/json", b'{"' + entries.encode() + b'": "none"}'),
            ("application/json", b'{"error": null}'),
            ("text/xml", b"<multistatus xmlns='DAV:'/>"),
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


def _halved(body: bytes) -> bytes:
    found = _RESPONSE.findall(body)
    for one in found[: (len(found) + 1) // 2]:
        body = body.replace(one, b"", 1)
    return body


def _dav_page(body: bytes) -> bool:
    """Tell whether this is an answer to sync-collection: no other has an end that could miss."""
    return _SYNC.search(body) is not None


def _dav_doubled(body: bytes) -> bytes | None:
    return _RESPONSE.sub(lambda one: one[0] * 2, body) if _dav_page(body) else None


def _dav_truncated(body: bytes) -> bytes | None:
    return _SYNC.sub(b"", _halved(body)) if _dav_page(body) else None


def _dav_liar(body: bytes) -> bytes | None:
    return _halved(body) if _dav_page(body) else None


def _dav_feed(asked: Asked) -> str:
    known = re.search(rb"sync-token>[^<]+<", asked.body)
    return asked.path if asked.method == "REPORT" and known else ""


_DAV = Words(
    kind="text/xml; charset=utf-8",
    other_shapes=(
        ("application/json", b'{"items": []}'),
        ("text/xml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("text/xml", b"<multistatus xmlns='DAV:'><response/></multistatus>"),
        ("text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        _HTML,
    ),
    refused=Answered(status=401, headers=(("WWW-Authenticate", 'Basic realm="dav"'),)),
    throttled=Answered(status=429, kind="text/plain", body=b"Too many requests"),
    doubled=_dav_doubled,
    truncated=_dav_truncated,
    liar=_dav_liar,
    feed=_dav_feed,
)

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
}  # by provider: one without words of its own fails the suite of faults
