"""Bodies and answers of the mytoken dialect."""

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from syncd.api.mytoken.examples import CALENDAR
from syncd.api.params import Words
from syncd.api.route import Shape

Text = str | None
_Name = Annotated[str, Field(min_length=1, max_length=255)]
Names = Annotated[
    tuple[_Name, ...],
    Words,  # a form has no lists
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 255}},
                {"type": "string"},
            ]
        },
        mode="validation",
    ),
]
Color = Annotated[str, Field(pattern="^(#[0-9A-Fa-f]{3,8}|[A-Za-z]{1,32})$")]


class Configuration(Shape):
    """Where what is, and what is not there at all."""

    issuer: str
    notifications_endpoint: str
    usersettings_endpoint: str
    access_token_endpoint: str
    mytoken_endpoint: str
    jwks_uri: str
    token_signing_alg_value: str
    service_documentation: str
    version: str
    providers_supported: tuple[str, ...]
    access_token_endpoint_grant_types_supported: tuple[str, ...]
    mytoken_endpoint_grant_types_supported: tuple[str, ...]
    mytoken_endpoint_oidc_flows_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    restriction_claims_supported: tuple[str, ...]


class Keys(Shape):
    """A key set (RFC 7517)."""

    keys: tuple[dict[str, Any], ...]


class Endpoints(Shape):
    """Where the settings are."""

    tags_endpoint: str


class Rotation(Shape):
    """When a token is replaced."""

    on_other: bool


class TokenUpdate(Shape):
    """The token that takes the place of the one that was sent, if that rotates."""

    mytoken: str
    mytoken_type: Literal["token"]
    mom_id: str
    expires_in: int | None = None
    capabilities: tuple[str, ...]
    rotation: Rotation


class Updated(Shape):
    """What an answer tells beside its own."""

    token_update: TokenUpdate | None = None


class Tag(Shape):
    """A tag and its colour."""

    tag: str
    color: str


class TokenCalendar(Updated, json_schema_extra={"examples": [CALENDAR]}):
    """A calendar of tokens; `subscribed_tokens` is absent when there are none."""

    name: str
    ics_path: str
    subscribed_tokens: tuple[str, ...] | None = None
    id: str
    description: str | None = None
    tags: tuple[Tag, ...]


class TokenCalendarList(Updated):
    """The user's calendars, in the order of their making."""

    calendars: tuple[TokenCalendar, ...]


class Tags(Updated):
    """The user's tags."""

    tags: tuple[Tag, ...]


class TagAnswer(Tag, Updated):
    """A tag that was made or changed."""


class Sent(Shape):
    """A body; `mytoken` in it wins over the `Authorization` header."""

    mytoken: Text = None


class NewCalendar(Sent):
    """What a calendar is to be like; with `description` or `tags` it needs no `name`."""

    name: Text = None
    description: Text = None
    tags: Names | None = None


class CalendarChange(Sent):
    """What is to be changed; null clears."""

    description: Text = None
    tags: Names | None = None


class Subscription(Sent):
    """The token to remind of, by its `mom_id`."""

    mom_id: Text = None
    comment: Text = None


class TagBody(Sent):
    """A tag's colour."""

    color: Color | None = None


class TagChange(TagBody):
    """A tag's new name or colour."""

    tag: Text = None
