"""Every answer of People and Directory becomes what it says or one error of the tree (P1, F3)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.ids import SyncToken
from syncd.providers.google.people import BOOK
from tests.providers.google import GoogleDesk, google_desk
from tests.servers.google import GoogleServer
from tests.servers.raw import RawServer, answer

BODIES = {
    "empty": (b"", "application/json"),
    "html": (b"<html><body>Sign in</body></html>", "text/html"),
    "list": (b"[]", "application/json"),
    "other": (b'{"connections": 1, "items": 1, "nextSyncToken": "x"}', "application/json"),
    "cut": (b'{"nextSyncToken": "x", "items": [], "connections": [', "application/json"),
    "xml": (b'{"nextSyncToken": "x", "items": []}', "text/xml"),
}
EXACT: dict[int, type[SyncdError]] = {
    401: RelinkRequiredError,
    403: ForbiddenError,
    404: NotFoundError,
    405: MalformedReplyError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    501: MalformedReplyError,
    **dict.fromkeys((408, 423, 425, 429), TransientError),
}


@dataclass
class Raw:
    desk: GoogleDesk
    server: RawServer
    token: SyncToken


Asking = Callable[[Raw], Awaitable[object]]


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    async with GoogleServer().running() as server, RawServer.running() as told:
        async with google_desk(server) as desk:
            pages = desk.provider.contacts(BOOK.key, None, desk.follower)
            token = [page async for page in pages][-1].token
            assert token is not None
        server.people.url = server.directory.url = told.url
        async with google_desk(server) as desk:
            yield Raw(desk, told, token)


async def listing(raw: Raw) -> object:
    pages = raw.desk.provider.contacts(BOOK.key, None, raw.desk.follower)
    return [page async for page in pages]


async def feed(raw: Raw) -> object:
    pages = raw.desk.provider.contacts(BOOK.key, raw.token, raw.desk.follower)
    return [page async for page in pages]


async def rooms(raw: Raw) -> object:
    return await raw.desk.provider.rooms()


def meant(status: int, ask: Asking) -> type[SyncdError] | tuple[type[SyncdError], ...]:
    """Return providers.md's table once more, in other words."""
    if status == 410 and ask is feed:
        return SyncTokenExpiredError
    if status == 404 and ask is rooms:  # no domain, so nobody manages it
        return ForbiddenError
    if status == 410 and ask is rooms:
        return ForbiddenError
    if status < 200:  # it announces another answer, which never comes, or is no HTTP
        return MalformedReplyError, TransientError
    return EXACT.get(status, TransientError if status >= 500 else MalformedReplyError)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("ask", "body"),
    [
        *((feed, body) for body in BODIES),
        *((ask, body) for ask in (listing, rooms) for body in ("other", "cut")),
    ],
)
async def test_no_answer_is_an_empty_page(raw: Raw, ask: Asking, body: str) -> None:
    content, kind = BODIES[body]
    for status in range(100, 600):
        raw.server.told = answer(status, content, kind=kind)
        with pytest.raises(meant(status, ask)):
            await ask(raw)


async def test_an_answer_that_is_cut_is_no_answer(raw: Raw) -> None:
    told = json.dumps({"nextSyncToken": "x"}).encode()
    whole = answer(200, told, kind="application/json")
    for end in (0, 5, 30, len(whole) - 13, len(whole) - 1):
        raw.server.told = whole[:end]
        for ask in (listing, feed, rooms):
            with pytest.raises((TransientError, MalformedReplyError)):
                await ask(raw)
    raw.server.told = whole
    assert await listing(raw)
    assert await feed(raw)
