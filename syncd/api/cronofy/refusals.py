"""Why a write was refused, in Cronofy's words (api.md C5, R14b)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web

from syncd.api.freshness import IGNORED
from syncd.api.keys import calendar_of
from syncd.api.problems import Fault, Problem, ProblemError
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import ConflictError, InvalidError, ReadOnlyError, UnsupportedError

_FIELDS: Mapping[str, str] = {  # of the unified event, where Cronofy has another name for it
    "name": "summary",
    "geo": "location",
    "start_time_zone": "tzid",
    "end_time_zone": "tzid",
    "visibility": "event_private",
    "transparent": "transparency",
}
_TAKEN = "A calendar with this name already exists and the provider does not allow duplicates"


def writable_calendar(request: web.Request) -> KnownCalendar:
    """Return the path's calendar; 422 for one that is read-only, or deleted at the provider."""
    known = calendar_of(request)
    if known.removed_at is not None:
        raise refused("calendar_id", "calendar_deleted", "the calendar has been deleted")
    if known.calendar.read_only:
        raise refused("calendar_id", "calendar_readonly", "the calendar is read-only")
    return known


@contextmanager
def event_refusals() -> Iterator[None]:
    """Word what a write of an event is refused for."""
    try:
        yield
    except ReadOnlyError as error:
        raise refused("calendar_id", "calendar_readonly", str(error)) from error
    except UnsupportedError as error:
        raise refused("base", "not_supported", str(error)) from error
    except InvalidError as error:
        field = _FIELDS.get(error.field, error.field) or "base"
        raise refused(field, error.fault, str(error)) from error


@contextmanager
def calendar_refusals() -> Iterator[None]:
    """Word what a new calendar is refused for."""
    try:
        yield
    except ConflictError as error:
        raise refused("name", "duplicate_calendar_name", _TAKEN) from error
    except UnsupportedError as error:
        raise refused("base", "not_supported", str(error)) from error
    except InvalidError as error:
        raise refused(error.field or "base", error.fault, str(error)) from error


def refused(field: str, key: str, description: str) -> ProblemError:
    """Return the refusal of one field (R14b)."""
    fault = Fault(key=f"errors.{key}", description=description)
    return ProblemError(
        Problem(
            status=422, code="invalid_parameters", message=description, faults={field: (fault,)}
        )
    )


def ignored(names: frozenset[str]) -> dict[str, str]:
    """Return the header that names what the provider has no room for (R13)."""
    told = sorted({_FIELDS.get(name, name) for name in names})
    return {IGNORED: ", ".join(told)} if told else {}
