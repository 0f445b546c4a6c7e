"""Bodies and queries of Kloudless' OAuth."""

from syncd.api.oauth import TokenBody
from syncd.api.route import Shape

_VERIFIED = {
    "client_id": None,
    "account_id": 7,
    "scope": "list_calendars read_events",
    "token_type": "Bearer",
}
_GIVEN = {
    "access_token": "syncd_…",
    "token_type": "Bearer",
    "scope": "list_calendars read_events",
    "account_id": 7,
}


class AuthorizeAccountQuery(Shape):
    """What is asked of a person, by whom, and where they go afterwards."""

    client_id: str | None = None
    response_type: str | None = None
    redirect_uri: str | None = None
    scope: str | None = None
    state: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    extra_data: str | None = None
    origin: str | None = None
    request_id: str | None = None


class ExchangeBody(
    TokenBody,
    json_schema_extra={
        "examples": [
            {
                "grant_type": "authorization_code",
                "code": "syncd_…",
                "redirect_uri": "https://app.example/back",
                "client_id": "app_2f7xk4qz3m5ya",
                "client_secret": "syncd_…",
            }
        ]
    },
):
    """A code and who redeems it; `code_verifier` if there was a `code_challenge`."""

    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None


class GivenToken(Shape, json_schema_extra={"examples": [_GIVEN]}):
    """A token of one account, without an end."""

    access_token: str
    token_type: str
    scope: str
    account_id: int


class VerifiedToken(Shape, json_schema_extra={"examples": [_VERIFIED]}):
    """A live token; `scope` separates its scopes by blanks.

    `client_id` is null for one made on the command line, `account_id` null unless it covers
    exactly one account.
    """

    client_id: str | None
    account_id: int | None
    scope: str
    token_type: str
