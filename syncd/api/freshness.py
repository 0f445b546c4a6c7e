"""What every read tells of its own age (api.md R21), and the links that depend on the request."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.parts import parts_of
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import Cursor, ProfileId
from syncd.model.profile import Profile, State
from syncd.model.when import utc
from syncd.ports.store import Store

HEADERS = ("X-Syncd-Cursor", "X-Syncd-Polled-At", "X-Syncd-State")
IGNORED = "X-Syncd-Ignored"
WRITTEN = ("ETag", IGNORED, "X-Syncd-Cursor")
_STATES = list(State)  # of several profiles the last-named counts


def freshness(
    profile: Profile, *, cursor: str, polled_at: datetime | None, truncated: bool = False
) -> dict[str, str]:
    """Return the headers of an answer that reflects ``cursor`` and was polled at ``polled_at``."""
    return _headers(profile.state, cursor, polled_at, truncated=truncated)


def live(profile: Profile, *, read_at: datetime, truncated: bool = False) -> dict[str, str]:
    """Return the headers of what was read from the provider just now: no place in the stream."""
    return _headers(profile.state, None, read_at, truncated=truncated)


def freshness_of(
    profiles: Sequence[Profile],
    cursors: Mapping[ProfileId, Cursor],
    calendars: Iterable[KnownCalendar],
    *,
    read_at: datetime | None = None,
    truncated: bool = False,
) -> dict[str, str]:
    """Return the headers of an answer over several profiles; none without a profile.

    One without a cursor had nothing read from the snapshot; ``read_at`` is when something was read
    from a provider.
    """
    if not profiles:
        return {}
    told = [one for one in profiles if one.id in cursors]
    if len(profiles) == 1:
        cursor = "".join(str(cursors[one.id]) for one in told)
    else:
        cursor = ", ".join(f"{one.public_name}={cursors[one.id]}" for one in told)
    state = max((one.state for one in profiles), key=_STATES.index)
    times = [*(one.polled_at for one in calendars), *(() if read_at is None else (read_at,))]
    known = [one for one in times if one is not None]
    oldest = min(known) if known and len(known) == len(times) else None
    return _headers(state, cursor or None, oldest, truncated=truncated)


async def cursors_of(store: Store, profiles: Iterable[Profile]) -> Mapping[ProfileId, Cursor]:
    """Return the end of each profile's stream; take it before anything is read (R21)."""
    return {one.id: (await store.stream(one.id)).latest for one in profiles}


def written(cursor: Cursor, ignored: Iterable[str] = ()) -> dict[str, str]:
    """Return the headers of a write: where the stream tells of it, what was not stored (R13)."""
    headers = {"X-Syncd-Cursor": str(cursor)}
    names = ", ".join(sorted(ignored))
    return headers | {IGNORED: names} if names else headers


async def relink_url(request: web.Request, profile: Profile) -> str | None:
    """Return where a person reconnects a disconnected profile, None while it is connected (N1)."""
    if profile.refused is None:
        return None
    path = await parts_of(request).linking.relink_path(profile)
    return None if path is None else base_url(request) + path


def _headers(
    state: State, cursor: str | None, polled_at: datetime | None, *, truncated: bool
) -> dict[str, str]:
    headers = {"X-Syncd-State": str(state)}
    if cursor is not None:
        headers["X-Syncd-Cursor"] = cursor
    if polled_at is not None:
        headers["X-Syncd-Polled-At"] = utc(polled_at)
    if truncated:
        headers["X-Syncd-Truncated"] = "true"
    return headers
