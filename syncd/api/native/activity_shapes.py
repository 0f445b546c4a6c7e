"""Queries and answers of the stream of all profiles."""

from typing import Annotated, Literal

from pydantic import Field

from syncd.api.native.examples import ACTIVITY_PAGE
from syncd.api.params import PageSize, Words
from syncd.api.records import Activity
from syncd.api.route import Shape
from syncd.model.activity import SHOWN, Kind, Type

LONGEST_CURSOR = 4096


class FollowAllQuery(Shape):
    """What to follow of the activity of all profiles."""

    cursor: Annotated[
        str | None,
        Field(
            max_length=LONGEST_CURSOR,
            description="A cursor of this stream, `after-auth`, or `latest`; none: the oldest.",
        ),
    ] = None
    types: Annotated[frozenset[Type], Words] = frozenset(Type)
    objects: Annotated[frozenset[Kind], Words] = SHOWN


class AllActivityQuery(FollowAllQuery):
    """One page of it; `wait` is in seconds, more than 60 count as 60."""

    page_size: PageSize = 100
    wait: float = Field(default=0, ge=0, allow_inf_nan=False)


class ProfileActivity(Activity):
    """One recorded change of one of the profiles; its cursor is one of this stream."""

    profile_id: str


class AllActivityPage(Shape, json_schema_extra={"examples": [ACTIVITY_PAGE]}):
    """What follows a cursor."""

    count: int
    objects: tuple[ProfileActivity, ...]
    cursor: str
    type: Literal["object_list"]
    api: Literal["events"]
