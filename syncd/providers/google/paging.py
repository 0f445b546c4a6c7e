"""Pages of Google's lists, and where we stand in its change feeds (G1, P2)."""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from syncd.model.errors import MalformedReplyError, SyncTokenExpiredError
from syncd.model.ids import SyncToken, short
from syncd.providers.google.client import GoogleClient, Json

_VERSION = 1


async def pages(
    client: GoogleClient,
    path: tuple[str, ...],
    query: Mapping[str, str],
    check: Callable[[Json], None],
) -> AsyncIterator[Json]:
    """Yield a list's pages, each asked for with the same parameters, after a ``check`` of it.

    Raises MalformedReplyError where a page would be followed by itself, and what ``check`` raises.
    """
    asked, following = set[str](), dict[str, str]()
    while True:
        page = await client.get(*path, **query, **following)
        check(page)
        yield page
        after = page.get("nextPageToken")
        if after is None:
            return
        if not isinstance(after, str) or after in asked:
            raise MalformedReplyError("Google gave the same page token twice")
        asked.add(after)
        following = {"pageToken": after}


def state_text(sync: object, query: Mapping[str, str]) -> SyncToken:
    """Return our token for what ``query`` asks; raises MalformedReplyError without theirs (G1)."""
    if not isinstance(sync, str) or not sync:
        raise MalformedReplyError("Google's last page has no sync token")
    told = {"v": _VERSION, "p": _parameters(query), "s": sync}
    return SyncToken(orjson.dumps(told).decode())


def read_state(token: SyncToken, query: Mapping[str, str]) -> str:
    """Return Google's token; raises SyncTokenExpiredError for another version or parameters."""
    try:
        told: Any = orjson.loads(token)
        if (told["v"], told["p"]) != (_VERSION, _parameters(query)):
            raise SyncTokenExpiredError("the sync token belongs to other parameters")
        return str(told["s"])
    except (ValueError, TypeError, LookupError):
        raise SyncTokenExpiredError("the sync token is none of ours") from None


def _parameters(query: Mapping[str, str]) -> str:
    return _digest(tuple(query.items()))


@lru_cache(maxsize=16)  # asked twice in each poll, of the same two or three queries
def _digest(query: tuple[tuple[str, str], ...]) -> str:
    return short(orjson.dumps(dict(query)).decode(), length=8)
