"""The kinds of fault that ``Chaos`` makes, each from a network or a server that somebody met."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from tests.servers.chaos import Answered, Asked, Fault, Passed, Wire

_BOMB = gzip.compress(b" " * 2**20)  # a thousand times larger than it looks
_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Welcome</body></html>"
Edit = Callable[[bytes], bytes | None]


def _no_page(_: bytes) -> bytes | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a provider says what a fault says in its name.

    ``doubled`` and ``truncated`` edit a page of a list, and return None for what is none:
    every entry twice, and half of the entries without what marks the end. ``liar`` leaves half of
    them out as well but keeps the mark: it cannot be noticed, and is the negative control.
    ``feed`` names the change feed that a request goes on with, "" for any other request.
    """

    kind: str
    other_shapes: tuple[Answered, ...]
    refused: Answered
    throttled: Answered
    doubled: Edit = _no_page
    truncated: Edit = _no_page
    liar: Edit = _no_page
    feed: Callable[[Asked], str] = lambda _: ""


def _said(status: int, *headers: tuple[str, str], body: bytes = b"", kind: str = "") -> Fault:
    """Answer in the provider's place; the request never arrives."""

    async def fault(_asked: Asked, _passed: Passed, wire: Wire) -> None:
        await wire.answer(Answered(status=status, headers=headers, body=body, kind=kind))

    return fault


async def _late(_asked: Asked, passed: Passed, wire: Wire) -> None:
    told = await passed()
    await asyncio.sleep(0.02)
    half = len(told.body) // 2
    await wire.send(told.head(), told.body[:half])
    await asyncio.sleep(0.01)
    await wire.send(told.body[half:])


async def _reset_before(_asked: Asked, _passed: Passed, wire: Wire) -> None:
    wire.reset()


async def _reset_after(_asked: Asked, passed: Passed, wire: Wire) -> None:
    await passed()
    wire.reset()


async def _half_closed(_asked: Asked, passed: Passed, wire: Wire) -> None:
    told = await passed()
    await wire.half_close(told.head(), told.body[: len(told.body) // 2])


async def _cut(_asked: Asked, passed: Passed, wire: Wire) -> None:
    """The body ends early, and its length says so too."""
    told = await passed()
    body = told.body[: len(told.body) * 2 // 3]
    await wire.close(told.head("Connection: close", length=len(body)), body)


async def _wrong_length(_asked: Asked, passed: Passed, wire: Wire) -> None:
    told = await passed()
    await wire.close(told.head(length=len(told.body) + 100), told.body)


async def _bad_chunk(_asked: Asked, passed: Passed, wire: Wire) -> None:
    told = await passed()
    head = told.head("Transfer-Encoding: chunked", length=-1)
    await wire.close(head, b"%x\r\n" % len(told.body), told.body, b"\r\nzz\r\nmore")


async def _bomb(_asked: Asked, passed: Passed, wire: Wire) -> None:
    told = await passed()
    head = told.head("Content-Encoding: gzip", "Connection: close", length=len(_BOMB))
    await wire.close(head, _BOMB)


async def _cut_gzip(_asked: Asked, passed: Passed, wire: Wire) -> None:
    told = await passed()
    packed = gzip.compress(told.body, mtime=0)
    packed = packed[: len(packed) // 2]
    head = told.head("Content-Encoding: gzip", "Connection: close", length=len(packed))
    await wire.close(head, packed)


def _garbage(dice: Random) -> Fault:
    async def fault(_asked: Asked, _passed: Passed, wire: Wire) -> None:
        await wire.close(dice.randbytes(dice.randrange(1, 400)))

    return fault


def _edited(edit: Edit) -> Fault:
    """Pages are edited on their way; everything else passes as it is."""

    async def fault(_asked: Asked, passed: Passed, wire: Wire) -> bool:
        told = await passed()
        body = edit(told.body) if 200 <= told.status <= 299 else None
        await wire.answer(told if body is None else replace(told, body=body))
        return body is not None

    return fault


def _replayed(words: Words) -> Fault:
    """A change feed tells once more what it told the time before."""
    before = dict[str, Answered]()

    async def fault(asked: Asked, passed: Passed, wire: Wire) -> bool:
        told, feed = await passed(), words.feed(asked)
        if not feed or not 200 <= told.status <= 299:
            await wire.answer(told)
            return False
        again = before.get(feed, told)
        before[feed] = told
        await wire.answer(again)
        return again is not told

    return fault


def _shaped(words: Words, dice: Random) -> Fault:
    return _in_words(dice.choice(words.other_shapes))


Kinds = Mapping[str, Callable[[Words, Random], Fault]]

CONNECTIONS: Kinds = {
    "late, in pieces": lambda *_: _late,
    "reset before it arrives": lambda *_: _reset_before,
    "reset instead of an answer": lambda *_: _reset_after,
    "half closed in the middle": lambda *_: _half_closed,
    "garbage instead of HTTP": lambda _, dice: _garbage(dice),
}
BODIES: Kinds = {
    "cut, with the length of what is left": lambda *_: _cut,
    "shorter than its length": lambda *_: _wrong_length,
    "bad chunk": lambda *_: _bad_chunk,
    "gzip bomb": lambda *_: _bomb,
    "cut gzip": lambda *_: _cut_gzip,
    "empty 200": lambda words, _: _said(200, kind=words.kind),
    "204": lambda *_: _said(204),
    "sign-in page": lambda *_: _said(200, body=_PAGE, kind="text/html; charset=utf-8"),
    "another shape": _shaped,
}
REFUSALS: Kinds = {
    "429 with seconds": lambda *_: _said(429, ("Retry-After", "37")),
    "429 with a date": lambda *_: _said(429, ("Retry-After", "Fri, 20 Nov 2026 09:00:30 GMT")),
    "429 with nonsense": lambda *_: _said(429, ("Retry-After", "soon")),
    "429 without a time": lambda *_: _said(429),
    "limit in the provider's words": lambda words, _: _in_words(words.throttled),
    "503 with a time": lambda *_: _said(503, ("Retry-After", "120")),
}
STATUSES: Kinds = {
    "500": lambda *_: _said(500, body=b"Oops", kind="text/plain"),
    "502": lambda *_: _said(502, body=_PAGE, kind="text/html"),
    "401 once": lambda words, _: _once(words.refused),
    "404": lambda *_: _said(404, body=_PAGE, kind="text/html"),
    "408": lambda *_: _said(408),
}
PAGES: Kinds = {
    "entries doubled": lambda words, _: _edited(words.doubled),
    "entries missing, and the end": lambda words, _: _edited(words.truncated),
    "former page replayed": lambda words, _: _replayed(words),
}
LIES: Kinds = {"entries missing": lambda words, _: _edited(words.liar)}


def _in_words(told: Answered) -> Fault:
    async def fault(_asked: Asked, _passed: Passed, wire: Wire) -> None:
        await wire.answer(told)

    return fault


def _once(told: Answered) -> Fault:
    """The first request is answered so; the others pass."""
    left = [told]

    async def fault(_asked: Asked, passed: Passed, wire: Wire) -> None:
        await wire.answer(left.pop() if left else await passed())

    return fault
