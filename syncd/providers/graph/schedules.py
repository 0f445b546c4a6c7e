"""When the calendars of rooms are taken, as Graph tells a tenant's people (api.md K28, MG21)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from syncd.formats.outlook import Json
from syncd.model.errors import ForbiddenError, MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey
from syncd.model.when import pieces, utc
from syncd.ports.rooms import Span
from syncd.providers.answers import PassingError
from syncd.providers.graph.client import SCHEDULE, Ask, GraphClient
from syncd.providers.graph.translate import BROKEN, FREE, at_of

_MOST = 20  # mailboxes in one request
_LONGEST = timedelta(days=60)  # what takes 62 days is refused
_SLOT = timedelta(minutes=5)  # of the merged view; shorter ones are not to be had
_FREE = frozenset(one.lower() for one in FREE)  # documented in lower case, and shown in others
_FREE_SLOTS = frozenset("04")  # free, working elsewhere
_HIDDEN = frozenset(
    {"errornofreebusyaccess", "erroraccessdenied", "errormailrecipientnotfound"}
)  # of a mailbox alone


async def taken(
    client: GraphClient, rooms: Sequence[CalendarKey], after: datetime, before: datetime
) -> list[Span]:
    """Return when any of the rooms is taken.

    Raises ForbiddenError where Graph does not tell that of one of them to this profile.
    """
    found = list[Span]()
    for begin, end in pieces(_at_slot(after), before, _LONGEST):
        for start in range(0, len(rooms), _MOST):
            some = rooms[start : start + _MOST]
            body = {
                "schedules": list(some),
                "startTime": _told(begin),
                "endTime": _told(end),
                "availabilityViewInterval": _SLOT // timedelta(minutes=1),
            }
            try:
                told = await client.read(Ask(method="POST", path=SCHEDULE, body=body))
            except NotFoundError as error:
                raise ForbiddenError(f"Microsoft Graph tells no free time: {error}") from error
            schedules = _schedules(told)
            for one in some:
                found += _busy(schedules, one, begin)
    return found


def _schedules(told: Json) -> Mapping[str, Json]:
    try:
        return {one["scheduleId"].lower(): one for one in told["value"]}
    except BROKEN as error:
        raise MalformedReplyError(f"the schedules of rooms cannot be read: {error!r}") from None


def _busy(schedules: Mapping[str, Json], room: CalendarKey, begin: datetime) -> Iterator[Span]:
    """Yield when one room is taken, by its items; where it shows none, by the merged view."""
    try:
        mine = schedules[room.lower()]
        if error := mine.get("error"):
            raise _refusal(error)
        items, view = mine.get("scheduleItems") or (), mine.get("availabilityView")
        if items:
            yield from _of_items(items)
        else:
            yield from _of_view(view, begin)
    except BROKEN as error:
        raise MalformedReplyError(f"the schedule of a room cannot be read: {error!r}") from None


def _of_items(items: Sequence[Json]) -> Iterator[Span]:
    for one in items:
        if one["status"].lower() not in _FREE:
            yield at_of(one["start"]), at_of(one["end"])


def _of_view(view: str | None, begin: datetime) -> Iterator[Span]:
    if not view:
        raise MalformedReplyError("Microsoft Graph told neither items nor a view of a schedule")
    for number, state in enumerate(view):
        if state not in _FREE_SLOTS:
            yield begin + number * _SLOT, begin + (number + 1) * _SLOT


def _refusal(error: Mapping[str, Any]) -> ForbiddenError | PassingError:
    code = str(error.get("responseCode"))
    if code.lower() in _HIDDEN:
        why = "Microsoft Graph does not show when this room is free to this profile"
        return ForbiddenError(f"{why} ({code})")
    return PassingError(f"Microsoft Graph cannot tell when this room is free: {code}")


def _at_slot(at: datetime) -> datetime:
    """Return the begin of the slot, as events mostly begin with one."""
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)


def _told(at: datetime) -> Json:
    return {"dateTime": utc(at).removesuffix("Z"), "timeZone": "UTC"}
