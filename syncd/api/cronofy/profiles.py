"""Profiles as Cronofy lists them, and letting go of one (api.md C1, C21)."""

from aiohttp import web

from syncd.api.auth import all_covered
from syncd.api.cronofy.answers import accepted, told
from syncd.api.cronofy.objects import profile_object
from syncd.api.cronofy.shapes import ProfileList
from syncd.api.keys import profile_of, tokens_of
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.model.access import Scope


@route("GET", "/v1/profiles", scope=Scope.READ_ACCOUNT, answer=ProfileList)
async def list_profiles(request: web.Request) -> web.Response:
    """List the user's profiles, and for each that lost its login where a person mends it."""
    found = await all_covered(parts_of(request).store, tokens_of(request))
    return told({"profiles": [await profile_object(request, profile) for profile in found]})


@route("POST", "/v1/profiles/{profile_id}/revoke", scope=None, any_token=True, status=202)
async def revoke_profile(request: web.Request) -> web.Response:
    """Erase the profile's credentials and what was read; needs no scope, the body is ignored."""
    await parts_of(request).control.remove(profile_of(request).id)
    return accepted()
