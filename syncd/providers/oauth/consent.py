"""Where a person is sent to give consent, with PKCE (RFC 6749 §4.1.1, RFC 7636): pure but random.

The pages that send people there and take them back are ``web``'s.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oauthlib.oauth2 import WebApplicationClient
from yarl import URL

from syncd.ports.vault import Secret

_VERIFIER = 64  # characters; RFC 7636 §4.1 wants 43 to 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One journey to the provider: ``state`` must come back, ``verifier`` stays with us."""

    url: str
    state: str
    verifier: Secret


def begun(
    authorize_url: str,
    client_id: str,
    *,
    redirect_uri: str,
    scopes: Sequence[str],
    members: Mapping[str, str] | None = None,
) -> Consent:
    """Return a new consent; ``members`` are what the provider wants beside the standard's.

    For Google ``access_type=offline`` and ``prompt=consent``, without which it gives no refresh
    token to somebody who consented before.
    """
    client = WebApplicationClient(client_id)
    verifier = client.create_code_verifier(_VERIFIER)
    state = secrets.token_urlsafe(32)
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": client.create_code_challenge(verifier, "S256"),
        "code_challenge_method": "S256",
        **(members or {}),
    }
    url = str(URL(authorize_url).update_query(query))  # oauthlib's takes no plain http of a test
    return Consent(url=url, state=state, verifier=Secret(verifier))
