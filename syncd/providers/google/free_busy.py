"""When the calendars of rooms are taken, as Google adds it up itself (api.md K28, G16)."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from syncd.model.errors import ForbiddenError, MalformedReplyError
from syncd.model.ids import CalendarKey
from syncd.model.when import pieces, utc
from syncd.ports.rooms import Span
from syncd.providers.answers import PassingError
from syncd.providers.google.client import FREE_BUSY, Ask, GoogleClient, Json

_MOST = 50  # calendars in one request
_LONGEST = timedelta(days=60)  # Google refuses more than about 90 days, and names no number


async def taken(
    client: GoogleClient, rooms: Sequence[CalendarKey], after: datetime, before: datetime
) -> list[Span]:
    """Return when any of the rooms is taken; ``after`` and ``before`` are whole seconds.

    Raises ForbiddenError where Google does not tell that of one of them to this profile.
    """
    found = list[Span]()
    for begin, end in pieces(after, before, _LONGEST):
        for start in range(0, len(rooms), _MOST):
            some = rooms[start : start + _MOST]
            body = {
                "timeMin": utc(begin),
                "timeMax": utc(end),
                "calendarExpansionMax": _MOST,
                "items": [{"id": one} for one in some],
            }
            told = await client.read(Ask(method="POST", path=FREE_BUSY, body=body))
            for one in some:
                found += _busy(told, one)
    return found


def _busy(told: Json, room: CalendarKey) -> Iterator[Span]:
    """Yield when one room is taken: it has a list of its own, or errors."""
    try:
        mine = told["calendars"][room]
        if errors := mine.get("errors"):
            raise _refusal({str(one.get("reason")) for one in errors})
        for one in mine["busy"]:
            yield _instant(one["start"]), _instant(one["end"])
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise MalformedReplyError(f"Google's free time cannot be read: {error!r}") from None


def _refusal(reasons: set[str]) -> ForbiddenError | PassingError:
    if "notFound" in reasons:  # that is what it says of what is not shared
        return ForbiddenError("Google does not show when this room is free to this profile")
    return PassingError(f"Google cannot tell when this room is free: {', '.join(sorted(reasons))}")


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its offset")
    return at
