"""Windows of time and durations in bodies, alike in every dialect (api.md R12, R23, K28, C16)."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from syncd.api.params import moment
from syncd.api.route import Shape
from syncd.model.when import milliseconds, rfc3339

MOST_WINDOWS = 100
LONGEST_WINDOW = timedelta(days=92)
MOST_FOUND = 10_000  # ranges or slots of one answer; what is beyond is told as cut
_AMOUNT = r"[0-9]{1,9}(?:[.,][0-9]{1,9})?"
_DURATION = (
    rf"P(?=[0-9T])(?:({_AMOUNT})W)?(?:({_AMOUNT})D)?"
    rf"(?:T(?=[0-9])(?:({_AMOUNT})H)?(?:({_AMOUNT})M)?(?:({_AMOUNT})S)?)?"
)
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")


def _instant(value: object) -> object:
    told = moment(value) if isinstance(value, str) else None
    if not isinstance(told, datetime) or told.tzinfo is None:
        raise ValueError("must be a time with an offset, as RFC 3339 writes it")
    return told


def _duration(value: object) -> object:
    found = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be an ISO 8601 duration without years and months, such as PT1H")
    amounts = [float((one or "0").replace(",", ".")) for one in found.groups()]
    try:
        length = timedelta(**dict(zip(_UNITS, amounts, strict=True)))
    except OverflowError:
        raise ValueError("must be a duration that calendars can hold") from None
    if length < timedelta(milliseconds=1):
        raise ValueError("must be longer than nothing")
    return length


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": "^P(?:[1-9][0-9]?D|T[1-9][0-9]?[HM])$"}, mode="validation"
    ),
]


class TimeWindow(Shape):
    """A part of time; both ends have an offset, the answer's times have that of the start."""

    start: Instant
    end: Instant

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start >= self.end:
            raise ValueError("start must be before end")
        if self.end - self.start > LONGEST_WINDOW:
            raise ValueError(f"a window may have {LONGEST_WINDOW.days} days")
        return self

    @property
    def span(self) -> tuple[int, int]:
        """Return both ends in milliseconds since 1970."""
        return milliseconds(self.start), milliseconds(self.end)

    def written(self, at: int) -> str:
        """Write an instant within the window with the window's offset."""
        start, end = self.span
        try:
            return rfc3339(self.start + timedelta(milliseconds=at - start))
        except OverflowError:  # the year 10000 begins there earlier
            return rfc3339(self.end - timedelta(milliseconds=end - at))


Windows = Annotated[tuple[TimeWindow, ...], Field(min_length=1, max_length=MOST_WINDOWS)]
