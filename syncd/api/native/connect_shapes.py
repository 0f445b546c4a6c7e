"""The body and the answer of inviting somebody."""

from typing import Annotated

from pydantic import Field

from syncd.api.route import Shape

_ASKED = {"user": "ada", "return_to": "https://app.example/back", "state": "af0ifjsldkj"}
_INVITED = {
    "url": "https://syncd.example/connect/w2PWe5iTnZtKcbV1mC7sYq0JfAaXhLdR4uGoEk9xB2s",
    "expires_at": "2026-11-20T10:12:06Z",
}
Name = Annotated[str, Field(min_length=1, max_length=255)]


class ConnectBody(Shape, json_schema_extra={"examples": [_ASKED]}):
    """Whose profile it will be, of which provider, and where the person goes afterwards.

    `user` is the application's own name for its user, `return_to` one of its redirect URIs.
    """

    user: Name | None = None
    provider: Name | None = None
    return_to: Annotated[str, Field(max_length=2048)] | None = None
    state: Annotated[str, Field(max_length=2048)] | None = None


class Invited(Shape, json_schema_extra={"examples": [_INVITED]}):
    """Where to send the person; whoever has it can use it, once."""

    url: str
    expires_at: str
