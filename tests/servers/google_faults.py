"""How Google refuses: by the rules of its fakes, or because a test wants it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What is answered instead: ``part`` of the path, as often as ``times``."""

    status: int
    part: str = ""
    reason: str = ""
    domain: str = "global"
    location: str | None = None
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    kind: str = "application/json"
    times: int = 1
    after: bool = False  # do it, and break the connection instead of an answer


class RefusedError(Exception):
    def __init__(self, status: int, reason: str, *, location: str | None = None) -> None:
        super().__init__(reason)
        self.fault = Fault(status, reason=reason, location=location)

    @classmethod
    def by(cls, fault: Fault) -> "RefusedError":
        made = cls(fault.status, fault.reason)
        made.fault = fault
        return made


def meets(fault: Fault, request: web.Request) -> bool:
    fits = fault.part in request.path and fault.method in ("", request.method)
    return fault.times > 0 and fits


def refused(fault: Fault) -> web.Response:
    told = {"domain": fault.domain, "reason": fault.reason, "message": fault.reason}
    if fault.location is not None:
        told |= {"location": fault.location, "locationType": "parameter"}
    error = {"error": {"code": fault.status, "message": fault.reason, "errors": [told]}}
    text = json.dumps(error) if fault.text is None else fault.text
    return web.Response(
        status=fault.status, text=text, content_type=fault.kind, headers=fault.headers
    )


def error_info(status: int, state: str, reason: str, words: str = "words") -> Fault:
    """Return a refusal as Google's newer APIs word it (google.rpc.ErrorInfo)."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    told = {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": {}}
    error = {"code": status, "message": words, "status": state, "details": [told]}
    return Fault(status, reason=reason, text=json.dumps({"error": error}))
