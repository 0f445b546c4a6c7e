"""A grant that somebody gave us, tried once: an access token, and who it names (P15)."""

import base64
import binascii
from collections.abc import Awaitable, Mapping
from typing import Protocol

import orjson

from syncd.model.errors import InvalidError, RelinkRequiredError
from syncd.ports.link import Login
from syncd.providers.oauth.endpoint import Granted, GrantRefusedError, TokenEndpoint
from syncd.providers.oauth.keeper import INVALID_GRANT


class Tokens(Protocol):
    """Gives access tokens; ``refused`` is one that did not work."""

    def __call__(self, *, refused: str | None = None) -> Awaitable[str]:
        """Obey ``Keeper.token``."""
        ...


async def tried(endpoint: TokenEndpoint, login: Login, provider: str) -> Granted:
    """Return what the grant of a login is good for; ``provider`` is its name for people.

    Raises InvalidError without a refresh token, RelinkRequiredError for one that is refused, and
    what ``TokenEndpoint.refresh`` raises.
    """
    if login.refresh_token is None:
        raise InvalidError(
            f"people sign in at {provider} itself: a refresh token is needed",
            field="refresh_token",
        )
    asked = endpoint.refresh(login.refresh_token)
    return await accepted(asked, f"{provider} does not accept the refresh token")


async def accepted(asked: Awaitable[Granted], otherwise: str) -> Granted:
    """Return what was granted; raises RelinkRequiredError, which says ``otherwise``."""
    try:
        return await asked
    except GrantRefusedError as error:
        raise RelinkRequiredError(f"{otherwise}: {error}", reason=INVALID_GRANT) from error


def only(granted: Granted, provider: str) -> Tokens:
    """Return what gives this access token and no other."""

    async def token(*, refused: str | None = None) -> str:
        if refused is not None:
            raise RelinkRequiredError(f"{provider} does not accept its own access token")
        return granted.access_token.reveal()

    return token


def claims(granted: Granted, client_id: str) -> Mapping[str, object]:
    """Return what the ID token says, nothing if there is none or it is meant for another client.

    It came from the provider over TLS, so its signature need not be checked (OIDC Core §3.1.3.7,
    6).
    """
    try:
        part = str(granted.members.get("id_token")).split(".")[1]
        told = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return told if isinstance(told, dict) and told.get("aud") == client_id else {}
