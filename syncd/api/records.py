"""Recorded changes as every dialect that streams them shows them (api.md K35, K41, K42)."""

from typing import Any, Literal

from pydantic import Field

from syncd.api.route import Shape
from syncd.model.activity import Type

Text = str | None


class Activity(Shape):
    """One recorded change; `metadata` is the whole object as it was then, or was last."""

    id: str
    account: int
    type: Type
    action: Literal["+", "~", "-"]
    modified: Text
    ip: None
    user_id: None
    metadata: dict[str, Any]
    changes: dict[str, Any] | None = None
    initial: bool | None = None
    recorded_at: str
    cursor: str


class ActivityMessage(Shape):
    """One server-sent event; `data` is an Activity in JSON, `id` a cursor for any of the routes."""

    event: Literal["activity"]
    id: str
    record: str = Field(alias="data")


class LatestCursor(Shape):
    """The stream's end."""

    cursor: str
