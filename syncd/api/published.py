"""Files that are published under a secret path: their headers, their limit, 304 (M9, N22)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

from aiohttp import web

from syncd.api.limits import Gate
from syncd.api.parts import Rates, parts_of
from syncd.api.versions import etag, is_held
from syncd.model.access import digest
from syncd.ports.clock import Clock

PER_HOUR = 600  # requests for one path from one address
KINDS = {"Content-Type": "text/calendar; charset=utf-8"}
HEADERS = ("ETag", "Last-Modified")
PATHS = web.AppKey("paths", Gate)
_UNPRINTABLE = re.compile(r'[^\x20-\x7e]|["\\]')
_SECOND = timedelta(seconds=1)


def path_gate(clock: Clock) -> Gate:
    """Return what counts the requests for published files."""
    return Gate(Rates(per_second=PER_HOUR / 3600, burst=PER_HOUR), clock)


def count(request: web.Request, secret: str) -> None:
    """Count a request for a path, whether or not there is anything; 429 when there are too many."""
    request.config_dict[PATHS].spend((digest(secret), request.remote))


def file_headers(
    name: str, version: str, modified: datetime, request: web.Request
) -> dict[str, str]:
    """Return the headers of a file of this version, which is as it is since ``modified``."""
    return {
        **KINDS,
        "Content-Disposition": _disposition(name),
        "Cache-Control": "private, max-age=300",
        "X-Robots-Tag": "noindex",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "ETag": etag(version.encode()),
        "Last-Modified": format_datetime(_told(modified, request), usegmt=True),
    }


def is_fresh(request: web.Request, headers: dict[str, str], modified: datetime) -> bool:
    """Tell whether the caller holds this version (RFC 9110 §13.2.2)."""
    if "If-None-Match" in request.headers:
        return is_held(request, headers["ETag"])
    since = request.if_modified_since
    return since is not None and modified <= since


def _told(modified: datetime, request: web.Request) -> datetime:
    """Return the first full second after a change, so that a later one in it is no 304."""
    at = modified.astimezone(UTC)
    up = at if at.microsecond == 0 else at.replace(microsecond=0) + _SECOND
    return up if up <= parts_of(request).clock.now() else at.replace(microsecond=0)


def _disposition(name: str) -> str:
    plain = _UNPRINTABLE.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
