"""The user behind the token (api.md C3, C4)."""

from aiohttp import web

from syncd.api.cronofy.answers import told
from syncd.api.cronofy.asking import reach, user_asked
from syncd.api.cronofy.objects import account_object, calendar_object, profile_object
from syncd.api.cronofy.shapes import AccountAnswer, UserClaims
from syncd.api.route import route
from syncd.model.access import Scope


@route("GET", "/v1/account", scope=Scope.READ_ACCOUNT, answer=AccountAnswer, errors=(404,))
async def retrieve_user(request: web.Request) -> web.Response:
    """Return the user whose profiles these are."""
    user = await user_asked(request)
    return told({"account": account_object(request, user, await reach(request))})


@route("GET", "/v1/userinfo", scope=Scope.READ_ACCOUNT, answer=UserClaims, errors=(404,))
async def describe_user(request: web.Request) -> web.Response:
    """Return the user with all profiles and their calendars, as OpenID Connect names it."""
    user, whole = await user_asked(request), await reach(request, deleted=True)
    account = account_object(request, user, whole)
    profiles = [
        await profile_object(request, profile)
        | {
            "profile_calendars": [
                calendar_object(place) for place in whole.places if place.profile.id == profile.id
            ]
        }
        for profile in whole.profiles
    ]
    return told(
        {
            "sub": user.id,
            "email": account["email"],
            "name": account["name"],
            "zoneinfo": account["default_tzid"],
            "cronofy.type": "account",
            "cronofy.data": {
                "authorization": {"scope": account["scope"], "status": "active"},
                "profiles": profiles,
            },
        }
    )
