"""A service account of a domain, and the token endpoint's side of its assertions (RFC 7523)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from syncd.ports.clock import Clock

ROBOT = "robot@project.iam.gserviceaccount.com"
LONGEST = 3600  # seconds that an assertion may last


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Who may be acted for, and with which scopes."""

    clock: Clock
    members: frozenset[str]
    scopes: frozenset[str]
    key: RSAPrivateKey

    @classmethod
    def made(cls, clock: Clock, *members: str, scope: str) -> "Domain":
        key = generate_private_key(public_exponent=65537, key_size=2048)
        return cls(
            clock=clock, members=frozenset(members), scopes=frozenset(scope.split()), key=key
        )

    def key_file(self, **members: str) -> str:
        """Return what the console downloads."""
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        told = {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "k1",
            "private_key": self.key.private_bytes(*form).decode(),
            "client_email": ROBOT,
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
        return json.dumps(told | members)

    def refusal(self, assertion: str, audience: str) -> str | None:
        """Return the error that an assertion earns, None for a good one."""
        try:
            claims = claims_of(assertion, self.key, audience)
        except jwt.InvalidTokenError:
            return "invalid_grant"
        now = self.clock.now().timestamp()
        timely = claims["iat"] <= now < claims["exp"] <= claims["iat"] + LONGEST
        if claims["iss"] != ROBOT or not timely or claims["sub"] not in self.members:
            return "invalid_grant"
        delegated = set(claims["scope"].split()) <= self.scopes
        return None if delegated else "unauthorized_client"


def claims_of(assertion: str, key: RSAPrivateKey, audience: str) -> Mapping[str, Any]:
    """Verify the signature, and return what is claimed; times are the caller's to judge."""
    told: Mapping[str, Any] = jwt.decode(
        assertion,
        key.public_key(),
        algorithms=["RS256"],
        audience=audience,
        options={
            "verify_exp": False,
            "verify_iat": False,
            "require": ["iss", "sub", "aud", "iat", "exp", "scope"],
        },
    )
    return told
