"""Since when a published file is as it is: ``Last-Modified`` without a history (api.md M9)."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from syncd.model.errors import TransientError
from syncd.model.published import Noticed


async def noticed(
    known: Noticed | None,
    version: str,
    now: datetime,
    keep: Callable[[Noticed], Awaitable[None]],
) -> Noticed:
    """Return when this version was first served; ``keep`` is called if that is now."""
    if known is not None and known.version == version:
        return known
    seen = Noticed(version=version, since=now)
    with suppress(TransientError):  # a full store still reads
        await keep(seen)
    return seen
