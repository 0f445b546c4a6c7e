"""Bodies and answers of subscriptions (api.md K43)."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from syncd.api.kloudless.examples import SUBSCRIPTION, SUBSCRIPTION_BODY
from syncd.api.route import Shape

Names = Annotated[
    tuple[str, ...], Field(max_length=1000, description="Calendar ids; none for all calendars.")
]


class SubscriptionBody(Shape, json_schema_extra={"examples": [SUBSCRIPTION_BODY]}):
    """What may be set; in a PATCH what is left out stays, and null is all calendars."""

    active: StrictBool = True
    monitored_resources: Names | None = None
    subscription_type: Literal["changes"] = "changes"


class StreamSubscription(Shape, json_schema_extra={"examples": [SUBSCRIPTION]}):
    """Calendars through which an account's activity is read; `expiry` is always null."""

    id: str
    account_id: str
    subscription_type: Literal["changes"]
    active: bool
    default: bool
    monitored_resources: tuple[str, ...]
    expiry: None
    created: str
    modified: str
    type: Literal["subscription"]
    api: Literal["events"]
    href: str


class StreamSubscriptionList(Shape):
    """A page of subscriptions: the default one first, then by id."""

    count: int
    page: str
    next_page: str | None
    objects: tuple[StreamSubscription, ...]
    type: Literal["object_list"]
    api: Literal["events"]
