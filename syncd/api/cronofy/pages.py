"""Pages of events and of free and busy times: what was asked, sealed into the link (api.md C6)."""

import base64
import binascii
import hmac
import zlib
from datetime import datetime, timedelta
from hashlib import sha256

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.keys import tokens_of
from syncd.api.parts import Json, parts_of
from syncd.api.route import Shape
from syncd.engine.agenda import Managed
from syncd.model.errors import NotFoundError

LASTS = timedelta(hours=1)
_SEAL = 16  # bytes


class Asked(Shape):
    """A listing as its first page was asked for, and the place where a page of it begins.

    ``calendars`` None are all of the token's. ``cursors`` are those of the first page, by profile
    (R21); ``told_at`` is when the link was given.
    """

    kind: str
    told_at: datetime
    start: datetime
    end: datetime
    usual_start: bool = False
    usual_end: bool = False
    tzid: str
    calendars: tuple[str, ...] | None = None
    since: datetime | None = None
    managed: Managed = Managed.LEFT_OUT
    deleted: bool = False
    moved: bool = False
    geo: bool = False
    localized: bool = False
    cursors: dict[int, str]
    number: int = 1
    behind: tuple[datetime, str] | None = None


def page_url(request: web.Request, asked: Asked) -> str:
    """Return the absolute URL of a page; it holds for the tokens of this request, one hour."""
    packed = zlib.compress(asked.model_dump_json(exclude_defaults=True).encode(), 9)
    text = base64.urlsafe_b64encode(_seal(request, packed) + packed).decode().rstrip("=")
    return f"{base_url(request)}/v1/{asked.kind}/pages/{text}"


def read_page(request: web.Request, kind: str) -> Asked:
    """Return what the path's page was made of.

    Raises NotFoundError for another token's, another listing's, and one older than an hour.
    """
    text = request.match_info["page_id"]
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _unknown() from None
    seal, packed = whole[:_SEAL], whole[_SEAL:]
    if not hmac.compare_digest(seal, _seal(request, packed)):
        raise _unknown()
    asked = Asked.model_validate_json(zlib.decompress(packed))  # ours: the seal says so
    if asked.kind != kind or parts_of(request).clock.now() - asked.told_at > LASTS:
        raise _unknown()
    return asked


def pages_object(request: web.Request, asked: Asked, following: Asked | None) -> Json:
    """Return the member ``pages``: ``total`` grows while pages remain."""
    told: Json = {"current": asked.number, "total": asked.number}
    if following is not None:
        told |= {"total": following.number, "next_page": page_url(request, following)}
    return told


def _seal(request: web.Request, packed: bytes) -> bytes:
    """Return proof that we wrote this for the bearer of these tokens, which nobody else can."""
    tokens = sorted(token.id.encode() + token.digest for token in tokens_of(request))
    key = sha256(b"".join(tokens)).digest()
    return hmac.digest(key, packed, sha256)[:_SEAL]


def _unknown() -> NotFoundError:
    return NotFoundError("this page is unknown or older than an hour: begin again")
