"""Types of query parameters and the problem that a wrong one is (api.md R11, R12)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import Annotated, Any, TypeVar

from multidict import MultiMapping
from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails

from syncd.api.problems import Fault, Problem, ProblemError
from syncd.api.route import Shape

S = TypeVar("S", bound=Shape)

_KEYS = {  # of R14b, by pydantic's words
    "missing": "errors.required",
    "string_too_long": "errors.too_long",
    "too_long": "errors.too_long",
}
_SAID = {
    "missing": "required",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "too_short": "needs at least {min_length}",
    "too_long": "longer than {max_length}",
}
_TYPES = frozenset({"str", "int", "float", "bool", "dict", "datetime", "date"})
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9998, 12, 1, tzinfo=UTC)
_WORDS = {"true": True, "1": True, "false": False, "0": False}
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_OFFSET = r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
_MOMENT = re.compile(rf"({_DATE})(?:[Tt ]({_CLOCK})({_OFFSET}))?")
_BLANK_PLUS = re.compile(r"(:[0-9.]+) ([0-9]{2}:?[0-9]{2})")


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value.lower() not in _WORDS:
            raise ValueError("must be true, false, 1 or 0")
        return _WORDS[value.lower()]
    return value


def _said(value: object) -> object:
    return True if value == "" else _flag(value)


def moment(value: object) -> object:
    """Read a date or a time, with or without an offset (R12); raises ValueError."""
    text = _BLANK_PLUS.sub(r"\1+\2", value) if isinstance(value, str) else ""  # a plus undecoded
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("must be a date or a time as RFC 3339 writes them")
    return date.fromisoformat(text) if found[2] is None else datetime.fromisoformat(text.upper())


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return value


Flag = Annotated[
    bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"}, mode="validation")
]
Said = Annotated[
    bool,
    BeforeValidator(_said),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"const": ""}]}, mode="validation"),
]
Moment = Annotated[
    datetime | date,
    BeforeValidator(moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ]
        },
        mode="validation",
    ),
]
Words = BeforeValidator(_words)  # a comma list
PageSize = Annotated[int, Field(ge=1, le=1000, description="Objects on a page.")]


class Paged(Shape):
    """The parameters of every list (R11)."""

    page_size: PageSize = 100
    page: str | None = Field(
        default=None, description="`next_page` of the page before; none for the first page."
    )


def parse_query(shape: type[S], given: Mapping[str, str]) -> S:
    """Read a query; what is wrong is a problem that names every field.

    A parameter whose name ends in ``[]`` is a list of all that stand under it.
    """
    told: dict[str, Any] = dict(given)
    if isinstance(given, MultiMapping):
        told |= {name: given.getall(name) for name in told if name.endswith("[]")}
    return _checked(lambda: shape.model_validate(told))


def parse_body(shape: type[S], given: Mapping[str, Any]) -> S:
    """Read a body; what is wrong is a problem that names every field."""
    return _checked(lambda: shape.model_validate(dict(given)))


def instant(moment: date, zone: tzinfo = UTC) -> datetime:
    """Return the instant: a date begins at 00:00 UTC (K18), a local time is in ``zone`` (R12)."""
    if not isinstance(moment, datetime):
        return near(datetime.combine(moment, time(), UTC))
    return near(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def near(at: datetime) -> datetime:
    """Return the instant, or the end of time where it leaves no room for zones and horizons."""
    return max(_FIRST, min(_LAST, at))


def _checked(read: Callable[[], S]) -> S:
    try:
        return read()
    except ValidationError as error:
        raise ProblemError(_problem(error)) from None


def _problem(error: ValidationError) -> Problem:
    faults = dict[str, tuple[Fault, ...]]()
    found = error.errors(include_url=False, include_input=False)
    for one in found:
        loc = one["loc"]
        deeper = any(other["loc"][: len(loc)] == loc != other["loc"] for other in found)
        if one["type"] == "too_short" and deeper:
            continue  # it only counts those that are right
        field = str(loc[0]).removesuffix("[]") if loc else "base"
        inside = _inside(loc[1:])
        fault = Fault(
            key=_KEYS.get(one["type"], "errors.invalid"),
            description=f"{inside}: {_said_of(one)}" if inside else _said_of(one),
        )
        faults[field] = (*faults.get(field, ()), fault)
    message = "; ".join(f"{name}: {fault.description}" for name, (fault, *_) in faults.items())
    return Problem(status=400, code="invalid_parameters", message=message, faults=faults)


def _said_of(one: ErrorDetails) -> str:
    """Return what is wrong, in the words of JSON rather than of Python."""
    if one["type"] in _SAID:
        return _SAID[one["type"]].format(**one.get("ctx", {}))
    said = one["msg"].removeprefix("Value error, ")
    return said[:1].lower() + said[1:]


def _inside(loc: tuple[int | str, ...]) -> str:
    """Return which part of a member is meant, such as ``[0].email``, whatever branch of a union."""
    told = ""
    for part in loc:
        if isinstance(part, int):
            told += f"[{part}]"
        elif part.isidentifier() and part.islower() and part not in _TYPES:
            told += f".{part}"
    return told.removeprefix(".")
