"""Service accounts: an assertion that we sign instead of a grant that a person gave (RFC 7523).

With domain-wide delegation the assertion names the user whose calendars are meant (G11).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from syncd.model.errors import InvalidError
from syncd.ports.vault import Secret

_LASTS = timedelta(hours=1)  # the longest that Google takes
_SKEW = timedelta(seconds=30)  # F27: their clock may be behind ours


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegatedKey:
    """Who signs, and for whom."""

    email: str
    key_id: str
    key: Secret  # PEM
    subject: str
    scope: str

    def sealable(self) -> Secret:
        """Return everything as one text for the vault."""
        told = {"email": self.email, "key_id": self.key_id, "key": self.key.reveal()}
        return Secret(orjson.dumps({**told, "subject": self.subject, "scope": self.scope}).decode())


def read_key_file(text: Secret, *, subject: str, scope: str) -> DelegatedKey:
    """Read the JSON that Google hands out for a service account; raises InvalidError.

    Its addresses are not looked at: a key is used at the configured endpoint only (P12).
    """
    told = _object(text)
    email, key = told.get("client_email"), told.get("private_key")
    if told.get("type") != "service_account" or not isinstance(email, str):
        raise _unusable("this is not the key file of a service account")
    if not isinstance(key, str) or not _signs(key):
        raise _unusable("the key file holds no RSA private key")
    return DelegatedKey(
        email=email,
        key_id=str(told.get("private_key_id", "")),
        key=Secret(key),
        subject=subject,
        scope=scope,
    )


def sealed_key(text: Secret) -> DelegatedKey:
    """Return what ``sealable`` made."""
    told = _object(text)
    return DelegatedKey(**{**told, "key": Secret(told["key"])})


def assertion(by: DelegatedKey, audience: str, now: datetime) -> Secret:
    """Return a JWT for the token endpoint ``audience``, good for an hour."""
    claims = {
        "iss": by.email,
        "sub": by.subject,
        "scope": by.scope,
        "aud": audience,
        "iat": now - _SKEW,
        "exp": now - _SKEW + _LASTS,
    }
    return Secret(
        jwt.encode(claims, by.key.reveal(), algorithm="RS256", headers={"kid": by.key_id})
    )


def _object(text: Secret) -> dict[str, Any]:
    try:
        told = orjson.loads(text.reveal())
    except ValueError:
        raise _unusable("the key file is no JSON") from None
    if not isinstance(told, dict):
        raise _unusable("the key file is no JSON object")
    return told


def _signs(key: str) -> bool:
    try:
        return isinstance(load_pem_private_key(key.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError):
        return False


def _unusable(message: str) -> InvalidError:
    return InvalidError(message, field="key_file")
