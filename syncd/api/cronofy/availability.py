"""Common free time of several users (api.md C16)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StrictInt

from syncd.api.cronofy.answers import told
from syncd.api.cronofy.members import Wanted, free_of, members_of
from syncd.api.freshness import HEADERS, cursors_of, freshness_of
from syncd.api.parts import Json, parts_of
from syncd.api.problems import Fault, Problem, ProblemError
from syncd.api.route import Shape, route
from syncd.api.spans import MOST_WINDOWS, Instant, Windows
from syncd.engine.availability import Meeting, Party, Range, at_slot, meetings, slots
from syncd.model.access import Scope
from syncd.model.when import from_milliseconds, milliseconds, utc

_MINUTE = 60_000
_HALF_HOUR = 30
_EXAMPLE = {
    "participants": [{"members": [{"sub": "acc_k3f9"}], "required": "all"}],
    "required_duration": {"minutes": 60},
    "query_periods": [{"start": "2026-11-24T09:00:00Z", "end": "2026-11-24T17:00:00Z"}],
}
_FOUND = {
    "available_periods": [
        {
            "start": "2026-11-24T09:00:00Z",
            "end": "2026-11-24T11:00:00Z",
            "participants": [{"sub": "acc_k3f9"}],
        }
    ]
}


class Format(StrEnum):
    """What is answered: free ranges, or slots that do not overlap, or that may."""

    PERIODS = "periods"
    SLOTS = "slots"
    OVERLAPPING_SLOTS = "overlapping_slots"


class Length(Shape):
    """A duration."""

    minutes: StrictInt = Field(ge=1, le=92 * 24 * 60)


class Margin(Shape):
    """A duration that may be nothing."""

    minutes: StrictInt = Field(default=0, ge=0, le=24 * 60)


class Buffer(Shape):
    """What must be free before and after a meeting."""

    before: Margin = Margin()
    after: Margin = Margin()


class Member(Shape):
    """A user, with calendars of theirs (else all), and when they can be asked for at all."""

    sub: str
    calendar_ids: tuple[str, ...] | None = None
    available_periods: Windows | None = None


class Group(Shape):
    """People of whom all must come, or at least so many."""

    members: tuple[Member, ...] = Field(min_length=1, max_length=100)
    required: Literal["all"] | Annotated[StrictInt, Field(ge=1)] = "all"


class QuerySlot(Shape):
    """A time at which a meeting would begin."""

    start: Instant


class MeetingQuery(Shape, json_schema_extra={"examples": [_EXAMPLE]}):
    """Who must be free, for how long and when; one of the three ways to say when."""

    participants: tuple[Group, ...] = Field(min_length=1, max_length=10)
    required_duration: Length
    query_periods: Windows | None = None
    available_periods: Windows | None = Field(
        default=None, description="The older name of `query_periods`."
    )
    query_slots: tuple[QuerySlot, ...] | None = Field(
        default=None, min_length=1, max_length=MOST_WINDOWS
    )
    buffer: Buffer = Buffer()
    response_format: Format = Format.PERIODS
    start_interval: Length | None = Field(
        default=None, description="Between slots: 30 minutes, for `slots` the duration."
    )
    max_results: StrictInt = Field(default=512, ge=1, le=1000)


class Participant(Shape):
    """Who is free."""

    sub: str


class MeetingTime(Shape):
    """A period or slot, in UTC, and who is free all through it."""

    start: str
    end: str
    participants: tuple[Participant, ...]


class MeetingTimes(Shape, json_schema_extra={"examples": [_FOUND]}):
    """`available_slots` where slots were asked for, else `available_periods`."""

    available_periods: tuple[MeetingTime, ...] | None = None
    available_slots: tuple[MeetingTime, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is asked, in milliseconds."""

    windows: Sequence[Range]
    length: int
    step: int
    parties: Sequence[Party]


@route(
    "POST",
    "/v1/availability",
    scope=Scope.READ_FREE_BUSY,
    body=MeetingQuery,
    answer=MeetingTimes,
    headers=(*HEADERS, "X-Syncd-Truncated"),
    client_secret=True,
)
async def find_meeting_times(request: web.Request, body: MeetingQuery) -> web.Response:
    """Find the times at which enough users are free for a meeting.

    Every group of `participants` must be met. Busy is what keeps a calendar's account busy; a
    `buffer` is free time that the meeting needs before it and after it. Periods are the longest
    times in which the same people are free. Takes a user's token or an application's secret.
    """
    parts = parts_of(request)
    windows = _windows(body)
    listed = [member for group in body.participants for member in group.members]
    asked = [
        Wanted(
            sub=one.sub,
            calendars=one.calendar_ids,
            within=None
            if one.available_periods is None
            else tuple(window.span for window in one.available_periods),
        )
        for one in listed
    ]
    members = await members_of(request, asked)
    profiles = list({one.id: one for member in members for one in member.profiles}.values())
    cursors = await cursors_of(parts.store, profiles)
    before, after = (one.minutes * _MINUTE for one in (body.buffer.before, body.buffer.after))
    free, cut = await free_of(parts.busy, members, windows, before=before, after=after)
    question = _Question(
        windows=windows,
        length=body.required_duration.minutes * _MINUTE,
        step=_step(body),
        parties=_parties(body),
    )
    found = list(islice(_found(body, question, free), body.max_results))
    name = "available_periods"
    if body.query_slots is not None or body.response_format is not Format.PERIODS:
        name = "available_slots"
    calendars = {known.id: known for member in members for _, known in member.whose}
    headers = freshness_of(profiles, cursors, calendars.values(), truncated=cut)
    return told({name: [_written(one, asked) for one in found]}, headers=headers)


def _windows(body: MeetingQuery) -> Sequence[Range]:
    """Return when to look, by start, each once."""
    given = [body.query_periods, body.available_periods, body.query_slots]
    if sum(one is not None for one in given) != 1:
        key = "errors.required" if given == [None, None, None] else "errors.invalid"
        said = "give one of query_periods, available_periods and query_slots"
        faults = {"query_periods": (Fault(key=key, description=said),)}
        raise ProblemError(
            Problem(status=400, code="invalid_parameters", message=said, faults=faults)
        )
    if body.query_slots is not None:
        length = body.required_duration.minutes * _MINUTE
        starts = (milliseconds(one.start) for one in body.query_slots)
        return sorted({(start, start + length) for start in starts})
    return sorted({one.span for one in body.query_periods or body.available_periods or ()})


def _step(body: MeetingQuery) -> int:
    if body.start_interval is not None:
        return body.start_interval.minutes * _MINUTE
    if body.response_format is Format.SLOTS:
        return body.required_duration.minutes * _MINUTE
    return _HALF_HOUR * _MINUTE


def _parties(body: MeetingQuery) -> Sequence[Party]:
    """Return the groups, their members by their places among all."""
    found, place = list[Party](), 0
    for group in body.participants:
        size = len(group.members)
        required = size if group.required == "all" else group.required
        if required > size:
            said = f"{required} of {size} members are required"
            fault = Fault(key="errors.invalid", description=said)
            problem = Problem(
                status=400,
                code="invalid_parameters",
                message=said,
                faults={"participants": (fault,)},
            )
            raise ProblemError(problem)
        found.append(Party(tuple(range(place, place + size)), required))
        place += size
    return found


def _found(
    body: MeetingQuery, question: _Question, free: Sequence[Sequence[Sequence[Range]]]
) -> Iterator[Meeting]:
    """Yield what suits, window by window, nothing twice; ``free`` is by window, then by member."""
    seen = set[Range]()
    for window, people in zip(question.windows, free, strict=True):
        for one in _within(body, question, window, people):
            if one.span not in seen:
                seen.add(one.span)
                yield one


def _within(
    body: MeetingQuery, question: _Question, window: Range, people: Sequence[Sequence[Range]]
) -> Iterator[Meeting]:
    found = meetings(question.parties, people, window, question.length)
    if body.query_slots is not None or body.response_format is Format.PERIODS:
        yield from found
        return
    spans = (one.span for one in found)
    apart = body.response_format is Format.SLOTS
    begin, _ = window
    for slot in slots(spans, begin=begin, length=question.length, step=question.step, apart=apart):
        meeting = at_slot(question.parties, people, slot)
        if meeting is not None:
            yield meeting


def _written(meeting: Meeting, asked: Sequence[Wanted]) -> Json:
    start, end = (utc(from_milliseconds(one)) for one in meeting.span)
    subs = dict.fromkeys(asked[place].sub for place in meeting.people)
    return {"start": start, "end": end, "participants": [{"sub": sub} for sub in subs]}
