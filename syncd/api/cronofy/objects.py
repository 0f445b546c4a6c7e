"""Cronofy's objects from what we know: profiles, calendars, the user (api.md C1-C5)."""

from collections.abc import Sequence

from aiohttp import web

from syncd.api.cronofy.asking import Place, Reach
from syncd.api.freshness import relink_url
from syncd.api.keys import tokens_of
from syncd.api.parts import Json
from syncd.model.access import User
from syncd.model.brands import brand_of_profile
from syncd.model.profile import Profile

UTC_ZONE = "Etc/UTC"


async def profile_object(request: web.Request, profile: Profile) -> Json:
    """Return C1's object; where a person mends it only while it is not connected."""
    brand = brand_of_profile(profile)
    told: Json = {
        "provider_name": brand.provider_name,
        "provider_service": brand.provider_service,
        "profile_id": profile.public_name,
        "profile_name": profile.login,
        "profile_connected": profile.refused is None,
        "profile_initial_sync_required": profile.first_read,
    }
    url = await relink_url(request, profile)
    return told if url is None else told | {"profile_relink_url": url}


def made_calendar(place: Place) -> Json:
    """Return the object of C5."""
    profile, known = place.profile, place.calendar
    return {
        "provider_name": brand_of_profile(profile).provider_name,
        "profile_id": profile.public_name,
        "profile_name": profile.login,
        "calendar_id": known.id,
        "calendar_name": known.calendar.name,
        "calendar_readonly": known.calendar.read_only,
        "calendar_deleted": place.deleted,
    }


def calendar_object(place: Place) -> Json:
    """Return the object of C2."""
    return made_calendar(place) | {
        "calendar_primary": place.calendar.calendar.primary and not place.deleted,
        "calendar_integrated_conferencing_available": False,
        "calendar_attachments_available": False,
        "permission_level": "unrestricted",
    }


def account_object(request: web.Request, user: User, whole: Reach) -> Json:
    """Return C3's object: address and name as the user's first profiles tell them."""
    return {
        "account_id": user.id,
        "email": next((one.login for one in whole.profiles if "@" in one.login), None),
        "name": next((one.name for one in whole.profiles if one.name), None),
        "scope": scope_words(request),
        "default_tzid": _zone(whole.places),
    }


def scope_words(request: web.Request) -> str:
    """Return what the tokens open, in one line."""
    return " ".join(sorted({scope for token in tokens_of(request) for scope in token.scopes}))


def _zone(places: Sequence[Place]) -> str:
    """Return the zone of the first primary calendar that has one, else of any, else UTC."""
    ordered = sorted(places, key=lambda one: not one.calendar.calendar.primary)
    zones = (one.calendar.calendar.timezone for one in ordered if not one.deleted)
    return next((zone for zone in zones if zone), UTC_ZONE)
