"""Where a person gives consent, with PKCE, and what is made of their return (RFC 6749 §4.1).

The pages that send people there and take them back are ``web``'s, what is kept meanwhile is
``engine.consents``'.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from oauthlib.oauth2 import WebApplicationClient
from yarl import URL

from syncd.model.errors import InvalidError
from syncd.ports.link import WITHOUT_CONTACTS, Consent, Consented, Journey
from syncd.ports.vault import Secret
from syncd.providers.oauth.endpoint import Granted, TokenEndpoint
from syncd.providers.oauth.sign_in import accepted

_GRAPH = "https://graph.microsoft.com/"
_VERIFIER = 64  # characters; RFC 7636 §4.1 wants 43 to 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPage:
    """A provider's page, for the client that the operator registered there.

    ``members`` are what the provider wants beside the standard's; without the scope ``needed``
    there is nothing to connect.
    """

    name: str  # of the provider, for people
    authorize_url: str
    client_id: str
    needed: str
    scopes: Sequence[str]
    contact_scopes: Sequence[str]
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Return scheme and host."""
        return _origin(self.authorize_url)

    def begin(self, journey: Journey, members: Mapping[str, str] | None = None) -> Consent:
        """Return a new consent; ``members`` are this journey's own."""
        hint = {"login_hint": journey.login} if journey.login else {}
        return begun(
            self.authorize_url,
            self.client_id,
            redirect_uri=journey.redirect_uri,
            scopes=(*self.scopes, *(self.contact_scopes if journey.contacts else ())),
            members={**self.members, **hint, **(members or {})},
        )

    async def redeem(self, endpoint: TokenEndpoint, consented: Consented) -> Granted:
        """Return the grant that a code stands for; raises InvalidError for one of no use.

        RFC 9207: who says that he is another provider is none of ours. Microsoft's issuer is
        another in each tenant, so it is the origin that counts.
        """
        if consented.issuer is not None and _origin(consented.issuer) != self.origin:
            raise InvalidError(f"This answer does not come from {self.name}.", field="iss")
        granted = await accepted(
            endpoint.exchange(
                consented.code, redirect_uri=consented.redirect_uri, verifier=consented.verifier
            ),
            f"{self.name} does not honour this sign-in any more. Please begin again",
        )
        names = _scopes(granted)
        if names is not None and self.needed not in names:
            raise InvalidError(
                f"{self.name} was not allowed to share the calendars. Please begin again, and "
                "leave calendars ticked where it asks what may be shared.",
                field="scope",
            )
        if granted.refresh_token is None:
            raise InvalidError(
                f"{self.name} gave no lasting permission. Remove syncd from the connected apps of "
                "your account there, then begin again.",
                field="refresh_token",
            )
        return granted

    def remembered(self, granted: Granted) -> dict[str, str]:
        """Return what is to be found in a profile's settings of what its grant covers."""
        names = _scopes(granted)
        left_out = names is not None and not names & set(self.contact_scopes)
        return {WITHOUT_CONTACTS: "yes"} if left_out else {}


def begun(
    authorize_url: str,
    client_id: str,
    *,
    redirect_uri: str,
    scopes: Sequence[str],
    members: Mapping[str, str] | None = None,
) -> Consent:
    """Return a new consent; ``members`` are what the provider wants beside the standard's."""
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


def _scopes(granted: Granted) -> frozenset[str] | None:
    """Return what a grant covers, None if that is not told: then all that was asked for.

    Microsoft may write a scope with its API in front.
    """
    told = granted.members.get("scope")
    words = told.split() if isinstance(told, str) else told
    if not isinstance(words, list) or not words:
        return None
    return frozenset(str(one).removeprefix(_GRAPH) for one in words)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
