"""A provider's token endpoint (RFC 6749 §4.1.3, §5, §6; RFC 7009; RFC 7523 §2.1).

What its refusals mean stands in providers.md §3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from syncd.model.errors import MalformedReplyError, MisconfiguredError, TransientError
from syncd.ports.clock import Clock
from syncd.ports.vault import Secret
from syncd.providers.answers import wait_of

TIMEOUT = ClientTimeout(total=30, sock_connect=10)
MARGIN = timedelta(seconds=60)  # F27: what a clock and a request may take
USUAL = timedelta(hours=1)  # of a token that says no lifetime
LONGEST = timedelta(hours=23)  # so each grant is used once a day, or it dies one day (G11, F26)
_LARGEST = 64 * 2**10
_ASSERTED = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_DEAD = frozenset({"invalid_grant", "interaction_required", "consent_required"})
_OURS = frozenset({  # the last two are Google's, of a client that the operator let go
    *("invalid_client", "unauthorized_client", "deleted_client", "disabled_client"),
})  # fmt: skip


class GrantRefusedError(Exception):
    """The provider does not honour the grant, or no longer: a candidate, no proof (I11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the operator registered at the provider; every address can be set (P14)."""

    client_id: str
    client_secret: Secret
    token_url: str
    revoke_url: str = ""  # empty where the provider has none
    scope: str = ""  # sent along with a refresh where the provider wants it


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a token endpoint gave; ``refresh_token`` is None where the old one stays."""

    access_token: Secret
    expires_at: datetime
    refresh_token: Secret | None = None
    members: Mapping[str, object] = field(default_factory=dict)  # such as ``id_token``, ``scope``


class TokenEndpoint:
    """Asks for tokens; nothing is repeated here, as a rotated token may be lost with its answer.

    Every question raises GrantRefusedError, MisconfiguredError for a client that the provider
    does not accept, TransientError for everything that passes by itself.
    """

    def __init__(self, client: Client, session: Callable[[], ClientSession], clock: Clock) -> None:
        """Ask at ``client.token_url``."""
        self._client = client
        self._session = session
        self._clock = clock

    async def refresh(self, refresh_token: Secret) -> Granted:
        """Return a new access token."""
        form = WebApplicationClient(self._client.client_id).prepare_refresh_body(
            refresh_token=refresh_token.reveal(),
            scope=self._client.scope or None,
            client_id=self._client.client_id,
            client_secret=self._client.client_secret.reveal(),
        )
        return await self._ask(form)

    async def exchange(self, code: Secret, *, redirect_uri: str, verifier: Secret) -> Granted:
        """Return what a code stands for that came back from a consent (``oauth.consent``)."""
        form = WebApplicationClient(self._client.client_id).prepare_request_body(
            code=code.reveal(),
            redirect_uri=redirect_uri,
            code_verifier=verifier.reveal(),
            client_secret=self._client.client_secret.reveal(),
        )
        return await self._ask(form)

    async def asserted(self, assertion: Secret) -> Granted:
        """Return an access token for a signed assertion, which needs no client (RFC 7523)."""
        return await self._ask(
            urlencode({"grant_type": _ASSERTED, "assertion": assertion.reveal()})
        )

    async def revoke(self, token: Secret) -> None:
        """End a grant; one that the provider does not know is a success (RFC 7009 §2.2).

        Raises MisconfiguredError for a provider without such an address, TransientError.
        """
        if not self._client.revoke_url:
            raise MisconfiguredError("this provider has no address where grants are revoked")
        form = urlencode({"token": token.reveal(), "token_type_hint": "refresh_token"})
        response, text = await self._posted(self._client.revoke_url, form)
        if not 200 <= response.status <= 299 and "invalid_token" not in text:  # noqa: PLR2004
            wait = wait_of(response.headers.get("Retry-After"), self._clock.now())
            raise TransientError(
                f"the grant could not be revoked: {response.status}", retry_after=wait
            )

    async def _ask(self, form: str) -> Granted:
        asked_at = self._clock.now()
        response, text = await self._posted(self._client.token_url, form)
        return self._granted(response, text, asked_at)

    async def _posted(self, url: str, form: str) -> tuple[ClientResponse, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            async with self._session().post(
                url, data=form.encode(), headers=kind, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                return response, (await _body(response)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransientError(f"the token endpoint did not answer: {error}") from error

    def _granted(self, response: ClientResponse, text: str, asked_at: datetime) -> Granted:
        status = response.status
        if status == 429 or status >= 500:  # noqa: PLR2004 - throttled, or its own trouble
            wait = wait_of(response.headers.get("Retry-After"), self._clock.now())
            raise TransientError(f"the token endpoint answered {status}", retry_after=wait)
        reader = WebApplicationClient(self._client.client_id)
        try:
            told = reader.parse_request_body_response(text)
        except OAuth2Error as error:
            word = str(error.error)
            if word in _DEAD:
                raise GrantRefusedError(error.description or word) from None
            if word in _OURS:
                raise MisconfiguredError(
                    f"the provider does not accept the client that is configured: {word}"
                ) from None
            raise TransientError(f"the token endpoint refused: {word}") from None
        except (ValueError, TypeError, KeyError) as error:
            raise TransientError("the token endpoint answered with something else") from error
        if status != 200:  # noqa: PLR2004 - RFC 6749 §5.1
            raise TransientError(f"the token endpoint answered {status}")
        return _granted(told, asked_at)


async def _body(response: ClientResponse) -> bytes:
    """Return an answer, which may come in many pieces; beyond the limit it is cut."""
    found = bytearray()
    async for chunk in response.content.iter_any():
        found += chunk
        if len(found) >= _LARGEST:
            break
    return bytes(found[:_LARGEST])


def _granted(told: Mapping[str, object], asked_at: datetime) -> Granted:
    access, refresh, lasts = (
        told.get(name) for name in ("access_token", "refresh_token", "expires_in")
    )
    if not isinstance(access, str) or not access:
        raise MalformedReplyError("the token endpoint gave no access token")
    lifetime = timedelta(seconds=lasts) if isinstance(lasts, int) and lasts > 0 else USUAL
    return Granted(
        access_token=Secret(access),
        expires_at=asked_at + min(max(lifetime - MARGIN, lifetime / 2), LONGEST),
        refresh_token=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        members=told,
    )
