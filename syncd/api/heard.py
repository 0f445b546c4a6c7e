"""The ``X-Kloudless-*`` headers that hold for every route of their dialect (api.md R20)."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import orjson
import structlog
from aiohttp import web

from syncd.api.keys import DIALECT, REQUEST_ID
from syncd.api.problems import invalid
from syncd.model.errors import UnsupportedError
from syncd.ports.passing import sending

AS_USER = "X-Kloudless-As-User"
RAW_HEADERS = "X-Kloudless-Raw-Headers"
SOURCE = "X-Kloudless-Source"
LONGEST_SOURCE = 100
OURS = frozenset({
    *("authorization", "proxy-authorization", "cookie", "host", "content-length"),
    *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
})  # fmt: skip
_READS = frozenset({"GET", "HEAD"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"[\x20-\x7e\t]{0,4096}")

log = structlog.get_logger()


@contextmanager
def heard(request: web.Request) -> Iterator[None]:
    """Run a request as its headers say; refuses what cannot be done with 400."""
    if not request[DIALECT].hears:
        yield
        return
    if source := request.headers.get(SOURCE, ""):
        shown = "".join(one for one in source if one.isprintable())[:LONGEST_SOURCE]
        log.info("request.source", source=shown, request_id=request[REQUEST_ID])
    if request.headers.get(AS_USER):
        raise UnsupportedError(f"{AS_USER}: this provider has no users to act for")
    headers = raw_headers(request.headers.get(RAW_HEADERS, ""))
    if request.method in _READS:
        yield
        return
    with sending(headers):
        yield


def raw_headers(text: str) -> Mapping[str, str]:
    """Read the headers that are meant for the provider; 400 for those that are ours to send."""
    if not text.strip():
        return {}
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or not all(isinstance(one, str) for one in told.values()):
        raise invalid(f"{RAW_HEADERS} must be a JSON object of texts", field=RAW_HEADERS)
    for name, value in told.items():
        if name.lower() in OURS:
            raise invalid(f"{RAW_HEADERS}: {name} may not be sent along", field=RAW_HEADERS)
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise invalid(f"{RAW_HEADERS}: {name[:40]!r} is no header", field=RAW_HEADERS)
    return told
