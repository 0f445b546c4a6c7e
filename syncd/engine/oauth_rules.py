"""RFC 6749 and RFC 7636 as oauthlib knows them, made stricter where we are (design decision 3).

oauthlib asks its questions without waiting, so what they are about is looked up before.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from oauthlib.common import Request
from oauthlib.oauth2 import (
    InvalidGrantError,
    InvalidRequestError,
    RequestValidator,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from oauthlib.oauth2.rfc6749.grant_types import (
    AuthorizationCodeGrant,
    ImplicitGrant,
    RefreshTokenGrant,
)
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import code_challenge_method_s256

from syncd.model import scope_words
from syncd.model.access import Scope, opens, split_token
from syncd.model.grant import Grant
from syncd.model.ids import ApplicationId
from syncd.model.invitation import Reach

S256 = "S256"
WORDS: Mapping[str, str] = {  # where oauthlib has no description
    "invalid_client": "client_id and client_secret are not those of an application",
    "invalid_grant": "it is unknown, expired, revoked, used already, or not for this application",
    "invalid_scope": "none of the scopes is known",
    "unsupported_grant_type": "grant_type is not one of those that are supported",
    "unsupported_response_type": "response_type is not one of those that are supported",
}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # of 32 bytes (RFC 7636 §4.2)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # §4.1


def request_of(members: Iterable[tuple[str, str]]) -> Request:
    """Return a request with these members; one without a value is as good as none (§3.1)."""
    known = [(name, value) for name, value in members if value]
    return Request(f"?{urlencode(known)}", http_method="POST")


class CodeGrant(AuthorizationCodeGrant):
    """Without ``plain``, whose challenge is the secret itself."""

    _code_challenge_methods: ClassVar[dict[str, Callable[[str, str], bool]]] = {
        S256: code_challenge_method_s256
    }

    def _handle_redirects(self, request: Request) -> None:
        """Leave it to ``Asking``, which compares letter by letter."""


class TokenGrant(ImplicitGrant):
    """The token comes back at once: for the popup of K6."""

    def _handle_redirects(self, request: Request) -> None:
        """Leave it to ``Asking``, which compares letter by letter."""


class AskingRules(RequestValidator):
    """For a request of a known application, whose scopes are known or not."""

    def __init__(self, *, known_scopes: bool) -> None:
        """Remember what was found out."""
        self._known_scopes = known_scopes

    def check(self, request: Request, *, token: bool) -> None:
        """Raise OAuth2Error for what is wrong; ``token``: one may be asked for at once."""
        request.scopes = (request.scope or "").split()
        if token and request.response_type == "token":
            TokenGrant(self).validate_authorization_request(request)
        else:
            CodeGrant(self, pre_auth=[_check_code]).validate_authorization_request(request)

    def validate_client_id(self, *_: object, **__: object) -> bool:
        """Take it: ``Asking`` has found the application."""
        return True

    def validate_response_type(self, *_: object, **__: object) -> bool:
        """Take it: the grants know their own."""
        return True

    def validate_scopes(self, *_: object, **__: object) -> bool:
        """Tell whether any scope was known."""
        return self._known_scopes

    def get_default_scopes(self, *_: object, **__: object) -> list[str]:
        """Return none: the dialects have their own ways with a missing scope."""
        return []

    def is_pkce_required(self, *_: object, **__: object) -> bool:
        """Take requests without: the clients of both dialects know nothing of it."""
        return False


def _check_code(request: Request) -> dict[str, Any]:
    if request.response_type not in {None, "code"}:
        raise UnsupportedResponseTypeError(request=request)
    if request.code_challenge is not None and not _CHALLENGE.fullmatch(request.code_challenge):
        told = "code_challenge has to be a SHA-256 in base64url, code_challenge_method S256"
        raise InvalidRequestError(told, request=request)
    return {}


@dataclass(frozen=True, slots=True)
class Client:
    """An application that has proven who it is, as oauthlib looks at it."""

    client_id: ApplicationId


class TokenRules(RequestValidator):
    """For a request for tokens: by ``client``, if it has proven to be one, about ``grant``.

    ``replayed`` tells afterwards that the right client brought a code that was used before.
    """

    def __init__(
        self, client: ApplicationId | None, grant: Grant | None, *, reach: Reach, now: datetime
    ) -> None:
        """Remember what was looked up; ``reach`` is the one of the endpoint."""
        self._client = client
        self._grant = grant if grant is not None and grant.reach is reach else None
        self._reach = reach
        self._now = now
        self.replayed = False

    def check(self, request: Request) -> Grant:
        """Return the grant that gives a token; raises OAuth2Error.

        Whether the code is being used at this moment is the store's to say.
        """
        match request.grant_type:
            case "authorization_code":
                CodeGrant(self, pre_token=[_check_verifier]).validate_token_request(request)
            case "refresh_token" if self._reach is Reach.USER:
                RefreshTokenGrant(self).validate_token_request(request)
            case None:
                raise InvalidRequestError("Missing grant_type parameter.", request=request)
            case _:
                raise UnsupportedGrantTypeError(request=request)
        return self._known

    @property
    def _known(self) -> Grant:
        if self._grant is None:
            raise InvalidGrantError
        return self._grant

    def client_authentication_required(self, *_: object, **__: object) -> bool:
        """Ask every application who it is."""
        return True

    def authenticate_client(self, request: Request, *_: object, **__: object) -> bool:
        """Tell whether it has proven to be the one that it says it is."""
        if self._client is None or request.client_id not in {None, self._client}:
            return False
        request.client = Client(self._client)
        return True

    def validate_grant_type(self, *_: object, **__: object) -> bool:
        """Take it: ``check`` knows them."""
        return True

    def validate_code(
        self, client_id: str, code: str, client: object, request: Request, *_: object, **__: object
    ) -> bool:
        """Tell whether the code is good, and was made for this client and this redirect URI."""
        del client_id, client  # ``authenticate_client`` has set them
        grant = self._mine
        if grant is None or not opens(_secret(code), grant.code_digest):
            return False
        self.replayed = grant.redeemed_at is not None
        request.user, request.scopes = grant.user_id, sorted(grant.scopes)
        return (
            not self.replayed
            and grant.code_expires_at is not None
            and self._now < grant.code_expires_at
            and request.redirect_uri in {None, grant.redirect_uri}  # None: missing, told below
            and (grant.challenge is not None or request.code_verifier is None)  # RFC 9700 §4.8.2
        )

    def confirm_redirect_uri(self, *_: object, **__: object) -> bool:
        """Take it: ``validate_code`` has compared it."""
        return True

    def get_default_redirect_uri(self, *_: object, **__: object) -> str:
        """Return none: it has to be said again."""
        return ""

    def get_code_challenge(self, *_: object, **__: object) -> str | None:  # type: ignore[override]  # None as documented
        """Return the challenge that the code was asked for with."""
        return self._known.challenge

    def get_code_challenge_method(self, *_: object, **__: object) -> str:
        """Return the only one."""
        return S256

    def is_pkce_required(self, *_: object, **__: object) -> bool:
        """Ask for a verifier where there was a challenge, and nowhere else."""
        return False

    def validate_refresh_token(self, refresh_token: str, *_: object, **__: object) -> bool:
        """Tell whether the refresh token is good, and was given to this client."""
        grant = self._mine
        return grant is not None and opens(_secret(refresh_token), grant.refresh_digest)

    def get_original_scopes(self, *_: object, **__: object) -> list[str]:
        """Return what was granted."""
        return sorted(self._known.scopes)

    def is_within_original_scope(self, request_scopes: list[str], *_: object, **__: object) -> bool:
        """Tell whether anything of what is asked for was granted: the rest is dropped (C18)."""
        return bool(narrowed(self._known, " ".join(request_scopes)))

    @property
    def _mine(self) -> Grant | None:
        """Return the grant, if it is alive and the client's."""
        grant = self._grant
        if grant is None or grant.revoked_at is not None:
            return None
        return grant if grant.application_id == self._client else None


def narrowed(grant: Grant, asked: str | None) -> frozenset[Scope]:
    """Return the scopes of a further token: those asked for, as far as they were granted (§6)."""
    return grant.scopes & scope_words.cronofy(asked).scopes if asked else grant.scopes


def _secret(text: str) -> str:
    split = split_token(text)
    return "" if split is None else split[1]


def _check_verifier(request: Request) -> None:
    if request.code_verifier is not None and not _VERIFIER.fullmatch(request.code_verifier):
        told = "code_verifier has 43 to 128 letters, digits, or - . _ ~"
        raise InvalidRequestError(told, request=request)
