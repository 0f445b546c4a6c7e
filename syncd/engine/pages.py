"""The place in a listing that a page token names (R11): opaque to clients, a key set inside."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

import orjson

from syncd.model.errors import InvalidError, MalformedCursorError
from syncd.model.ids import Cursor, EventId
from syncd.model.when import from_milliseconds, milliseconds

FIRST = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page begins: behind (``start``, ``id``).

    ``cursor`` and ``horizon`` are those of the first page, so that all pages show one listing.
    """

    number: int
    cursor: Cursor
    horizon: datetime
    behind: tuple[datetime, EventId] | None = None

    def text(self, listing: str) -> str:
        """Return the token; ``listing`` names the listing that it belongs to."""
        start, event = self.behind or (self.horizon, "")
        members = (listing, self.number, str(self.cursor), milliseconds(self.horizon))
        plain = orjson.dumps([*members, milliseconds(start), event])
        return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def parse(text: str, listing: str) -> Place:
    """Read a token; raises InvalidError if it is none, or of another listing."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        name, number, cursor, horizon, start, event = orjson.loads(plain)
        place = Place(
            number=int(number),
            cursor=Cursor.parse(cursor),
            horizon=from_milliseconds(horizon),
            behind=(from_milliseconds(start), EventId(str(event))),
        )
    except (
        binascii.Error,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        MalformedCursorError,
    ):
        raise InvalidError("this page belongs to no listing", field="page") from None
    if name != listing:
        raise InvalidError("this page belongs to another listing", field="page")
    return place
