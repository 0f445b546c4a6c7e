"""Feeds that there are, for an operator to see and to end (api.md N21)."""

from collections.abc import Sequence
from typing import Any

from syncd.model.when import utc
from syncd.runtime.wiring import Core

_MOST = 1000

Json = dict[str, Any]


async def list_all(core: Core) -> Sequence[Json]:
    """Return all feeds by id, also expired ones, never their paths."""
    found, after = list[Json](), None
    while page := await core.store.feeds(after=after, limit=_MOST):
        after = page[-1].id
        found += [
            {
                "id": one.id,
                "name": one.name,
                "calendar_ids": list(one.calendars),
                "detail": one.detail,
                "user_id": one.user_id,
                "account_id": None if one.profile_id is None else str(one.profile_id),
                "application_id": one.application_id,
                "created": utc(one.created),
                "expires_at": None if one.expires_at is None else utc(one.expires_at),
            }
            for one in page
        ]
    return found


async def remove(core: Core, *, feed: str) -> Json:
    """End a feed; its path is dead. Raises NotFoundError."""
    found = await core.store.feed(feed)
    await core.store.remove_feed(found.id)
    return {"id": found.id, "name": found.name, "removed": True}
