"""Activity streams, for ``syncd activity tail``."""

from datetime import timedelta
from typing import Any

import orjson

from syncd.engine.records import with_relink_url
from syncd.model.activity import Activity, Filter, Kind
from syncd.model.errors import NotFoundError
from syncd.model.ids import Cursor, ProfileId, profile_name
from syncd.model.profile import Profile
from syncd.model.reach import Reach
from syncd.runtime.operations.names import profile_named, telling_where_to_go_on
from syncd.runtime.wiring import Core

Json = dict[str, Any]


async def read(
    core: Core,
    *,
    profile: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
    wait_seconds: float = 0,
) -> Json:
    """Return what follows a cursor in a profile's stream, or in that of all profiles (N11).

    Raises MalformedCursorError and CursorExpiredError (I4).
    """
    wait = timedelta(seconds=wait_seconds)
    with telling_where_to_go_on("--cursor"):
        if profile is None:
            return await _of_all(core, cursor, limit, wait)
        found = await profile_named(core, profile)
        batch = await core.stream.read(
            found.id, cursor=cursor, limit=limit, wanted=Filter(), wait=wait
        )
    objects = [
        await _record(core, found.id, one)
        | {"cursor": str(Cursor(batch.stream.epoch, one.position))}
        for one in batch.activities
    ]
    return {"objects": objects, "cursor": cursor if batch.cursor is None else str(batch.cursor)}


async def _of_all(core: Core, cursor: str | None, limit: int, wait: timedelta) -> Json:
    batch = await core.merged.read(
        Reach(everything=True), cursor=cursor, limit=limit, wanted=Filter(), wait=wait
    )
    objects = [
        await _record(core, one.place.profile, one.activity)
        | {"profile_id": profile_name(one.place.profile), "cursor": str(batch.behind(one))}
        for one in batch.activities
    ]
    return {"objects": objects, "cursor": str(batch.cursor)}


async def _record(core: Core, profile: ProfileId, activity: Activity) -> Json:
    """Return a record, an account's with the relink URL of now (K42)."""
    body = activity.body
    if activity.kind is Kind.ACCOUNT:
        body = with_relink_url(body, *await _link(core, profile))
    record: Json = orjson.loads(body)
    return record


async def _link(core: Core, number: ProfileId) -> tuple[Profile | None, str | None]:
    try:
        profile = await core.store.profile(number)
    except NotFoundError:  # removed: its last records have no link any more
        return None, None
    path = None if profile.refused is None else await core.linking.relink_path(profile)
    return profile, None if path is None else core.settings.server.public_url + path
