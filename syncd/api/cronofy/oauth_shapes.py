"""Bodies and queries of Cronofy's OAuth."""

from syncd.api.oauth import TokenBody
from syncd.api.route import Shape

_PROFILE = {
    "provider_name": "google",
    "profile_id": "pro_aaab",
    "profile_name": "ada@example.org",
}
_GIVEN = {
    "token_type": "bearer",
    "access_token": "syncd_…",
    "expires_in": 10800,
    "refresh_token": "syncd_…",
    "scope": "list_calendars read_account read_events",
    "account_id": "acc_2f7xk4qz3m5ya",
    "sub": "acc_2f7xk4qz3m5ya",
    "linking_profile": _PROFILE,
}
_CLIENT = {"client_id": "app_2f7xk4qz3m5ya", "client_secret": "syncd_…"}


class AuthorizeUserQuery(Shape):
    """What is asked of a person, by whom, and where they go afterwards."""

    response_type: str | None = None
    client_id: str | None = None
    redirect_uri: str | None = None
    scope: str | None = None
    state: str | None = None
    provider_name: str | None = None
    avoid_linking: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None


class TokensBody(
    TokenBody,
    json_schema_extra={
        "examples": [{"grant_type": "refresh_token", "refresh_token": "syncd_…", **_CLIENT}]
    },
):
    """A code with the `redirect_uri` that it went to, or a refresh token; and who redeems it."""

    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    refresh_token: str | None = None
    scope: str | None = None


class LinkingProfile(Shape):
    """The profile that was connected."""

    provider_name: str
    profile_id: str
    profile_name: str


class GivenTokens(Shape, json_schema_extra={"examples": [_GIVEN]}):
    """Tokens of a user; `linking_profile` is null once that profile is gone."""

    token_type: str
    access_token: str
    expires_in: int
    refresh_token: str
    scope: str
    account_id: str
    sub: str
    linking_profile: LinkingProfile | None


class RevokeBody(TokenBody, json_schema_extra={"examples": [{"token": "syncd_…", **_CLIENT}]}):
    """Who ends what: a grant by one of its tokens, or all of a user."""

    token: str | None = None
    refresh_token: str | None = None
    sub: str | None = None


class Revoked(Shape, json_schema_extra={"examples": [{}]}):
    """Nothing to tell."""
