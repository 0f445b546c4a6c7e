"""A profile's activity stream, for ``syncd activity tail``."""

from datetime import timedelta
from typing import Any

import orjson

from syncd.model.activity import Activity, Filter, Stream
from syncd.model.errors import CursorExpiredError
from syncd.model.ids import Cursor
from syncd.runtime.operations.names import profile_named
from syncd.runtime.wiring import Core

Json = dict[str, Any]


async def read(
    core: Core,
    *,
    profile: str,
    cursor: str | None = None,
    limit: int = 100,
    wait_seconds: float = 0,
) -> Json:
    """Return what follows a cursor; raises MalformedCursorError and CursorExpiredError (I4)."""
    found = await profile_named(core, profile)
    wait = timedelta(seconds=wait_seconds)
    try:
        batch = await core.stream.read(
            found.id, cursor=cursor, limit=limit, wanted=Filter(), wait=wait
        )
    except CursorExpiredError as error:
        told = f"{error}; go on at --cursor {error.restart}"
        raise CursorExpiredError(
            told, reason=error.reason, restart=error.restart, latest=error.latest
        ) from None
    return {
        "objects": [_record(batch.stream, one) for one in batch.activities],
        "cursor": cursor if batch.cursor is None else str(batch.cursor),
    }


def _record(stream: Stream, activity: Activity) -> Json:
    record: Json = orjson.loads(activity.body)
    return {**record, "cursor": str(Cursor(stream.epoch, activity.position))}
