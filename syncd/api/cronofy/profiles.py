"""Profiles as Cronofy lists them (api.md C1, R22)."""

from typing import Any

import orjson
from aiohttp import web

from syncd.api.auth import all_covered
from syncd.api.freshness import relink_url
from syncd.api.keys import tokens_of
from syncd.api.parts import parts_of
from syncd.api.route import Shape, route
from syncd.model.access import Scope
from syncd.model.profile import Profile

NAMES = {  # provider_name and provider_service of R22
    "google": ("google", "google"),
    "graph": ("office365", "office365"),
    "ews": ("exchange", "exchange"),
    "caldav": ("caldav", "caldav"),
    "icloud": ("apple", "icloud"),
}


class ListedProfile(Shape):
    """One profile; `profile_relink_url` is there only while it is not connected."""

    provider_name: str
    provider_service: str
    profile_id: str
    profile_name: str
    profile_connected: bool
    profile_initial_sync_required: bool
    profile_relink_url: str | None = None


_EXAMPLE = {
    "provider_name": "caldav",
    "provider_service": "caldav",
    "profile_id": "pro_aaah",
    "profile_name": "ada@example.org",
    "profile_connected": False,
    "profile_initial_sync_required": False,
    "profile_relink_url": "http://127.0.0.1:8470/relink/4f0nX…",
}


class ProfileList(Shape, json_schema_extra={"examples": [{"profiles": [_EXAMPLE]}]}):
    """All profiles of the user."""

    profiles: tuple[ListedProfile, ...]


@route("GET", "/v1/profiles", scope=Scope.READ_ACCOUNT, answer=ProfileList)
async def list_profiles(request: web.Request) -> web.Response:
    """List the user's profiles, and for each that lost its login where a person mends it."""
    found = await all_covered(parts_of(request).store, tokens_of(request))
    body = {"profiles": [await _listed(request, profile) for profile in found]}
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return web.Response(body=orjson.dumps(body), headers=kind)


async def _listed(request: web.Request, profile: Profile) -> dict[str, Any]:
    name, kind = NAMES.get(profile.provider, (profile.provider, profile.provider))
    told: dict[str, Any] = {
        "provider_name": name,
        "provider_service": kind,
        "profile_id": profile.public_name,
        "profile_name": profile.login,
        "profile_connected": profile.refused is None,
        "profile_initial_sync_required": profile.first_read,
    }
    url = await relink_url(request, profile)
    return told if url is None else told | {"profile_relink_url": url}
