"""Windows of the Google fake: what ``timeMin`` and ``timeMax`` leave, and instances."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.servers.discovery import Json
from tests.servers.google_faults import RefusedError
from tests.servers.google_truth import CalendarTruth, is_cancelled

_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_LONGEST = timedelta(days=90)  # of free time: more is refused, though no document says so
_MOST = 50
_AHEAD = timedelta(days=731)  # of an endless series, where no ``timeMax`` is given


def within(truth: CalendarTruth, query: dict[str, str]) -> list[Json]:
    """Return what meets a window: end after ``timeMin``, start before ``timeMax``."""
    after = _bound(query.get("timeMin"), _FIRST)
    before = _bound(query.get("timeMax"), _LAST)
    if after >= before:
        raise RefusedError(400, "timeRangeEmpty", location="timeMax")
    expands = query.get("singleEvents") == "true"
    ordered = query.get("orderBy")
    if ordered not in {None, "startTime", "updated"} or (ordered == "startTime" and not expands):
        raise RefusedError(400, "invalid", location="orderBy")
    zone = ZoneInfo(truth.members["timeZone"])
    if expands:
        found = [one for one in _instances(truth, before) if _meets(one, after, before, zone)]
        return sorted(found, key=lambda one: _at(one["start"], zone)) if ordered else found
    return [truth.shown(one) for one in _stored(truth, after, before, zone)]


def free_busy(truths: Mapping[str, CalendarTruth], body: Json) -> Json:
    """Return when calendars are busy; of one that is not there, or not shown, an error."""
    after, before = (datetime.fromisoformat(body[name]) for name in ("timeMin", "timeMax"))
    if after.tzinfo is None or before.tzinfo is None:
        raise RefusedError(400, "badRequest")
    if after >= before:
        raise RefusedError(400, "timeRangeEmpty", location="timeMax")
    if before - after > _LONGEST:
        raise RefusedError(400, "timeRangeTooLong")
    names = [one["id"] for one in body["items"]]
    too_many = len(names) > min(body.get("calendarExpansionMax", _MOST), _MOST)
    found = dict[str, Json]()
    for name in names:
        reason = "tooManyCalendarsRequested" if too_many else "notFound"
        if too_many or name not in truths:
            found[name] = {"errors": [{"domain": "global", "reason": reason}], "busy": []}
            continue
        found[name] = {"busy": list(_busy(truths[name], after, before))}
    return {
        "kind": "calendar#freeBusy",
        "timeMin": body["timeMin"],
        "timeMax": body["timeMax"],
        "calendars": found,
    }


def _busy(truth: CalendarTruth, after: datetime, before: datetime) -> Iterator[Json]:
    zone = ZoneInfo(truth.members["timeZone"])
    for one in _instances(truth, before):
        declined = any(
            person.get("self") and person.get("responseStatus") == "declined"
            for person in one.get("attendees", ())
        )
        free = one.get("transparency") == "transparent" or declined
        if _meets(one, after, before, zone) and not free:
            yield {
                name: f"{_at(one[name], zone).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
                for name in ("start", "end")
            }


def _stored(
    truth: CalendarTruth, after: datetime, before: datetime, zone: ZoneInfo
) -> Iterator[Json]:
    """Yield series of which an instance meets the window, and exceptions that do themselves."""
    living = [one for one in _instances(truth, before) if _meets(one, after, before, zone)]
    series = {one["recurringEventId"] for one in living if "recurringEventId" in one}
    for one in truth.everything():
        if is_cancelled(one):
            begin = _at(one["originalStartTime"], zone)
            if after < begin < before:
                yield one
        elif one["id"] in series if one.get("recurrence") else _meets(one, after, before, zone):
            yield one


def _instances(truth: CalendarTruth, before: datetime) -> Iterator[Json]:
    """Yield single events, exceptions, and what rules yield beside them."""
    for one in truth.everything():
        if is_cancelled(one):
            continue
        if one.get("recurrence"):
            yield from _yielded(truth, one, before)
        else:
            yield one


def _yielded(truth: CalendarTruth, master: Json, before: datetime) -> Iterator[Json]:
    day = "date" in master["start"]
    zone = ZoneInfo("UTC" if day else master["start"]["timeZone"])
    begin = _at(master["start"], zone).astimezone(zone)
    line = next(one for one in master["recurrence"] if one.startswith("RRULE:"))
    rule = rrulestr(line.removeprefix("RRULE:").split(";UNTIL")[0], dtstart=begin)
    until = min(before, begin + _AHEAD) if before == _LAST else before
    for start in rule.xafter(begin, inc=True):
        if start >= until:
            return
        slot = f"{start:%Y%m%d}" if day else f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        name = f"{master['id']}_{slot}"
        if name not in truth.events:  # an exception, or cancelled
            found = truth.instance(name)
            assert found is not None
            yield found


def _meets(one: Json, after: datetime, before: datetime, zone: ZoneInfo) -> bool:
    return _at(one["start"], zone) < before and _at(one["end"], zone) > after


def _at(told: dict[str, Any], zone: ZoneInfo) -> datetime:
    if "date" in told:
        return datetime.combine(datetime.fromisoformat(told["date"]), time(), zone)
    return datetime.fromisoformat(told["dateTime"])


def _bound(text: str | None, default: datetime) -> datetime:
    """Return an instant that has an offset, without its fractions, as Google takes it."""
    if text is None:
        return default
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise RefusedError(400, "badRequest")
    return at.replace(microsecond=0)
