"""What every read tells of its own age (api.md R21), and the links that depend on the request."""

from datetime import datetime

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.parts import parts_of
from syncd.model.profile import Profile
from syncd.model.when import utc

HEADERS = ("X-Syncd-Cursor", "X-Syncd-Polled-At", "X-Syncd-State")


def freshness(
    profile: Profile, *, cursor: str, polled_at: datetime | None, truncated: bool = False
) -> dict[str, str]:
    """Return the headers of an answer that reflects ``cursor`` and was polled at ``polled_at``."""
    headers = {"X-Syncd-Cursor": cursor, "X-Syncd-State": str(profile.state)}
    if polled_at is not None:
        headers["X-Syncd-Polled-At"] = utc(polled_at)
    if truncated:
        headers["X-Syncd-Truncated"] = "true"
    return headers


async def relink_url(request: web.Request, profile: Profile) -> str | None:
    """Return where a person reconnects a disconnected profile, None while it is connected (N1)."""
    if profile.refused is None:
        return None
    path = await parts_of(request).linking.relink_path(profile)
    return None if path is None else base_url(request) + path
