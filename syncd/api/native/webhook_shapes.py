"""Queries, bodies and answers of webhooks."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema

from syncd.api.params import Paged
from syncd.api.route import Shape
from syncd.model.subscription import WEBHOOK_FORMATS, Format, Outcome, Reason, Status, Word

EXAMPLE = {
    "id": "whk_2f7xk4qz3mdgy",
    "url": "https://app.example/hooks/syncd",
    "format": "standard",
    "types": ["event.add", "event.update", "event.delete"],
    "profiles": [],
    "calendars": [],
    "description": None,
    "enabled": True,
    "status": "active",
    "status_reason": None,
    "created": "2026-11-20T09:12:06Z",
    "last_delivery_at": None,
    "next_attempt_at": None,
    "behind": 0,
}
_DELIVERY = {
    "id": "dlv_064f0b7e2a9c405d1f2a3b4c5d",
    "webhook_id": "whk_2f7xk4qz3mdgy",
    "profile_id": "pro_aaah",
    "record_id": "w6ngfffc-30",
    "message_id": "msg_2f7xk4qz3mdgy5bq2f7xk4qz3m",
    "attempt": 1,
    "at": "2026-11-20T09:12:07Z",
    "status": "delivered",
    "response_code": 204,
    "duration_ms": 31,
    "error": None,
    "next_attempt_at": None,
}


def _no_bool(value: object) -> object:
    """Refuse what pydantic takes for 0 and 1."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic's way
    return value


def _of_webhooks(value: object) -> object:
    """Refuse what is no format, and the formats of subscriptions that are made elsewhere."""
    if not isinstance(value, str) or value not in WEBHOOK_FORMATS:
        raise ValueError("must be standard, cloudevents or kloudless")
    return value


WebhookFormat = Annotated[
    Format,
    BeforeValidator(_of_webhooks),
    WithJsonSchema({"type": "string", "enum": sorted(WEBHOOK_FORMATS)}),
]
Overlap = Annotated[int, Field(ge=0, le=90 * 86_400), BeforeValidator(_no_bool)]  # seconds
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Names = Annotated[tuple[str, ...], Field(max_length=1000)]
Text = Annotated[str, Field(max_length=1024)]


class WebhookBody(Shape, json_schema_extra={"examples": [{"url": EXAMPLE["url"]}]}):
    """A wish to be pushed to; lists that are empty mean all that the token covers."""

    url: Url
    format: WebhookFormat = Format.STANDARD
    types: tuple[Word, ...] = ()  # naming one twice does no harm
    profiles: Names = ()
    calendars: Names = ()
    description: Text | None = None
    enabled: StrictBool = True
    start: Annotated[
        str, Field(description="`now`, `beginning`, or a cursor of the token's one profile.")
    ] = "now"


class WebhookChange(Shape):
    """What is to be changed; `enabled` true resumes where it stood."""

    url: Url | None = None
    format: WebhookFormat | None = None
    types: tuple[Word, ...] | None = None
    profiles: Names | None = None
    calendars: Names | None = None
    description: Text | None = None
    enabled: StrictBool | None = None


class WebhookObject(Shape, json_schema_extra={"examples": [EXAMPLE]}):
    """A webhook; `behind` counts the records that it has not come past."""

    id: str
    url: str
    format: Format
    types: tuple[Word, ...]
    profiles: tuple[str, ...]
    calendars: tuple[str, ...]
    description: str | None
    enabled: bool
    status: Status
    status_reason: Reason | None
    created: str
    last_delivery_at: str | None
    next_attempt_at: str | None
    behind: int


class NewWebhook(
    WebhookObject,
    json_schema_extra={
        "examples": [EXAMPLE | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]
    },
):
    """A webhook with its signing secret, which is shown only now."""

    secret: str


class WebhookList(Shape):
    """A page of webhooks, by id."""

    count: int
    page: int
    next_page: str | None
    objects: tuple[WebhookObject, ...]


class DeliveriesQuery(Paged):
    """Which attempts."""

    status: Outcome | None = None


class DeliveryObject(Shape, json_schema_extra={"examples": [_DELIVERY]}):
    """One attempt to deliver a record; a pending one is a replay that waits."""

    id: str
    webhook_id: str
    profile_id: str
    record_id: str
    message_id: str
    attempt: int
    at: str
    status: Outcome
    response_code: int | None
    duration_ms: int | None
    error: str | None
    next_attempt_at: str | None


class DeliveryDetail(
    DeliveryObject,
    json_schema_extra={
        "examples": [_DELIVERY | {"request_body": '{"type":"event.add"}', "response_body": "ok"}]
    },
):
    """An attempt with what was sent (null if the record is gone) and the first 1 KiB answered."""

    request_body: str | None
    response_body: str


class DeliveryList(Shape):
    """A page of attempts, newest first."""

    count: int
    page: int
    next_page: str | None
    objects: tuple[DeliveryObject, ...]


class RotateBody(Shape):
    """How long the old secrets sign too."""

    overlap_seconds: Overlap = 86_400


class NewSecret(Shape):
    """A signing secret, shown only now."""

    secret: str


def _only_true(value: object) -> object:
    """Say it as JSON does."""
    if value is not None and value is not True:
        raise ValueError("must be true, or left out")
    return value


class ReplayBody(Shape, json_schema_extra={"examples": [{"failed": True}]}):
    """What to send again: all that was never delivered, or what lies behind a profile's cursor."""

    failed: Annotated[Literal[True] | None, BeforeValidator(_only_true)] = None
    profile_id: str | None = None
    cursor: str | None = None
    until: str | None = None


class Replayed(Shape):
    """How many messages will be sent again."""

    count: int


class TestOutcome(Shape):
    """What the endpoint made of a message of type `syncd.test`."""

    status: Outcome
    response_code: int | None
    duration_ms: int
    error: str | None
    response_body: str
