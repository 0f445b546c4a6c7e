"""Work that no cancellation cuts in two: a transaction, the exchange of a token."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T], name: str) -> T:
    """Await ``work`` to its end, however often the caller is cancelled meanwhile."""
    task = asyncio.create_task(work, name=name)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:  # a second one changes nothing
                continue
        raise
