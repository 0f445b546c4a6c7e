"""What a client reads before everything (api.md M1, M14)."""

from aiohttp import web

from syncd import __version__
from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.mytoken.shapes import Configuration, Endpoints, Keys
from syncd.api.route import route

ROOT = "/api/v0"
_NOTHING = (
    "providers_supported",
    "access_token_endpoint_grant_types_supported",
    "mytoken_endpoint_grant_types_supported",
    "mytoken_endpoint_oidc_flows_supported",
    "response_types_supported",
    "restriction_claims_supported",
)


@route("GET", "/.well-known/mytoken-configuration", scope=None, answer=Configuration)
async def show_configuration(request: web.Request) -> web.Response:
    """Tell a client of mytoken where what is."""
    issuer = base_url(request)
    endpoints = {
        "issuer": issuer,
        "notifications_endpoint": f"{issuer}{ROOT}/notifications",
        "usersettings_endpoint": f"{issuer}{ROOT}/settings",
        "access_token_endpoint": f"{issuer}{ROOT}/token/access",
        "mytoken_endpoint": f"{issuer}{ROOT}/token/my",
        "jwks_uri": f"{issuer}{ROOT}/jwks",
        "token_signing_alg_value": "",
        "service_documentation": f"{issuer}/docs",
        "version": __version__,
    }
    return answer(endpoints | {name: [] for name in _NOTHING})


@route("GET", f"{ROOT}/jwks", scope=None, answer=Keys)
async def show_keys(_: web.Request) -> web.Response:
    """Return no keys: tokens of syncd are opaque."""
    return answer({"keys": []})


@route("GET", f"{ROOT}/settings", scope=None, answer=Endpoints)
async def show_settings(request: web.Request) -> web.Response:
    """Tell where the settings are."""
    return answer({"tags_endpoint": f"{base_url(request)}{ROOT}/settings/tags"})
