"""Bodies and answers of feeds."""

from typing import Annotated

from pydantic import Field

from syncd.api.params import Moment
from syncd.api.route import Shape
from syncd.model.published import Detail

EXAMPLE = {
    "id": "7hQm2xVbT0c4ZsJ9aKpLw5nYdR8gUfE1",
    "name": "Team",
    "calendar_ids": ["cal_aaab_2f7xk4qz3m"],
    "detail": "busy",
    "ics_path": "https://syncd.example/feeds/w2PWe5iTnZtKcbV1mC7sYq0JfAaXhLdR4uGoEk9x.ics",
    "created": "2026-11-20T09:12:06Z",
    "expires_at": None,
}
Name = Annotated[str, Field(min_length=1, max_length=1024)]
Ids = Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]


class FeedBody(Shape):
    """What is to be published; `full` shows all that events say, `busy` only when."""

    name: Name
    calendar_ids: Ids
    detail: Detail
    expires_at: Moment | None = None


class FeedChange(Shape):
    """What is to be changed."""

    name: Name | None = None
    calendar_ids: Ids | None = None
    detail: Detail | None = None
    expires_at: Moment | None = None


class FeedObject(Shape, json_schema_extra={"examples": [EXAMPLE]}):
    """A feed; whoever knows `ics_path` can read it."""

    id: str
    name: str
    calendar_ids: tuple[str, ...]
    detail: Detail
    ics_path: str
    created: str
    expires_at: str | None


class FeedList(Shape):
    """A page of feeds, by id."""

    count: int
    page: int
    next_page: str | None
    objects: tuple[FeedObject, ...]
