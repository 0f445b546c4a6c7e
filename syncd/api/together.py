"""Readers of streams that stand at the same place wait together (ADR 48; api.md K41).

A thousand readers of one stream read the store once, and what they are sent is written down once.
Nothing is kept for a reader: one that is slow comes later, and asks for what follows its own place.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from aiohttp import web

AT_MOST = 32 << 10  # bytes written at once; half of what a transport holds before it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What follows a place of a stream, in parts to be written one by one.

    ``cursor`` is the place behind it; ``last`` that nothing will ever follow. ``chunks`` are the
    parts as HTTP/1.1 frames them (RFC 9112 §7.1), once for all readers.
    """

    parts: tuple[bytes, ...]
    cursor: str
    last: bool = False
    chunks: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Frame the parts."""
        chunks = tuple(b"%x\r\n%b\r\n" % (len(part), part) for part in self.parts)
        object.__setattr__(self, "chunks", chunks)


Look = Callable[[str], Awaitable[Piece]]  # waits for what follows a cursor


class Lane:
    """Readers that are told the same: of one stream, by one filter."""

    def __init__(self, begin: Callable[[Coroutine[None, None, None]], None]) -> None:
        """Look in tasks that ``begin`` begins."""
        self._begin = begin
        self._future = asyncio.get_running_loop().create_future
        self._waiting = dict[str, list[asyncio.Future[Piece]]]()

    def ask(self, cursor: str, look: Look) -> asyncio.Future[Piece]:
        """Return what follows a cursor, found by ``look`` or by one that began before.

        A look waits until there is news, so whoever joins one misses none. Whoever waits may
        leave. What a look raises is raised for all.
        """
        mine: asyncio.Future[Piece] = self._future()
        if (waiting := self._waiting.get(cursor)) is None:
            self._waiting[cursor] = [mine]
            self._begin(self._answer(cursor, look))
        else:
            waiting.append(mine)
        return mine

    async def _answer(self, cursor: str, look: Look) -> None:
        found: Piece | Exception | None = None
        try:
            found = await look(cursor)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            found = error
        finally:
            staying = [one for one in self._waiting.pop(cursor) if not one.done()]
            if isinstance(found, Piece):
                for one in staying:
                    one.set_result(found)
            elif found is None:  # we are about to end
                for one in staying:
                    one.cancel()
            else:
                for one in staying:
                    one.set_exception(found)


class Together:
    """The lanes of an application; enter it (``async with``)."""

    def __init__(self) -> None:
        """Begin with none."""
        self._group = asyncio.TaskGroup()
        self._looks = set[asyncio.Task[None]]()
        self._lanes = WeakValueDictionary[Hashable, Lane]()

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give up what is still looked for."""
        for look in self._looks:
            look.cancel()
        await self._group.__aexit__(kind, error, traceback)

    def lane(self, key: Hashable) -> Lane:
        """Return the lane of all that are told what ``key`` stands for; keep it while you read."""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(self._begin)
        return lane

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work, name="what follows")
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)


TOGETHER = web.AppKey("together", Together)


def together(request: web.Request) -> Together:
    """Return the application's."""
    return request.config_dict[TOGETHER]


def packed(messages: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return messages joined to parts of some size; one that is larger is one of its own."""
    parts, some, size = list[bytes](), list[bytes](), 0
    for message in messages:
        if some and size + len(message) > AT_MOST:
            parts.append(b"".join(some))
            some, size = [], 0
        some.append(message)
        size += len(message)
    return (*parts, b"".join(some)) if some else tuple(parts)
