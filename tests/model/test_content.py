from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orjson import dumps

from syncd.model.content import changes, content_hash, event_document, event_of
from syncd.model.event import (
    Answer,
    CustomProperty,
    Email,
    Event,
    File,
    Geo,
    Person,
    Reminder,
    Status,
    Visibility,
)
from syncd.model.ids import CalendarId, EventId, ProfileId

ADA = Person(email="ada@example.org", name="Ada", answer=Answer.ACCEPTED)
BO = Person(email="bo@example.org", required=False, answer=Answer.PENDING)
EVENT = Event(
    uid="8d1c@example.org",
    name="Review",
    start=datetime(2026, 11, 24, 9, tzinfo=UTC),
    end=datetime(2026, 11, 24, 10, tzinfo=UTC),
    start_zone="UTC",
    end_zone="UTC",
    modified=datetime(2026, 11, 20, 8, tzinfo=UTC),
    attendees=(ADA, BO),
    reminders=(Reminder(minutes=10, popup="Review"),),
    custom_properties=(CustomProperty(key="a", value="1"), CustomProperty(key="b", value="2")),
)


def document(event: Event, name: str = "k3f9", series: str | None = None) -> dict[str, Any]:
    return event_document(
        event,
        event_id=EventId(name),
        profile=ProfileId(7),
        calendar=CalendarId("cal_n4x_2"),
        series=None if series is None else EventId(series),
    )


def test_the_document_has_exactly_the_members_of_k17() -> None:
    assert set(document(EVENT)) == {
        *("id", "account_id", "ical_uid", "calendar_id", "name", "description", "location"),
        *("created", "modified", "all_day", "start", "start_time_zone", "end", "end_time_zone"),
        *("organizer", "creator", "attendees", "attachments", "reminder", "reminders"),
        *("recurrence", "recurrence_type", "custom_properties", "visibility", "transparent"),
        *("status", "tentative", "color", "type", "api"),
    }


def test_an_exception_tells_its_series_and_original_start() -> None:
    start = datetime(2026, 11, 24, 9, tzinfo=UTC)
    told = document(replace(EVENT, original_start=start), "k3f9_20261124T090000Z", "k3f9")
    assert told["recurrence_type"] == "recurring"
    assert told["recurring_master_id"] == "k3f9"
    assert told["original_start"] == "2026-11-24T09:00:00Z"


def test_what_is_changed_is_told_with_both_values_k42() -> None:
    moved = replace(EVENT, name="Review (moved)", modified=None)
    told = changes(document(EVENT), document(moved))
    assert told == {"name": {"old": "Review", "new": "Review (moved)"}}


@pytest.mark.parametrize(
    "same",
    [
        replace(EVENT, modified=None),
        replace(EVENT, attendees=(BO, ADA)),
        replace(EVENT, custom_properties=EVENT.custom_properties[::-1]),
    ],
    ids=["modified", "order of attendees", "order of properties"],
)
def test_noise_is_no_change_i6_p6(same: Event) -> None:
    assert content_hash(document(same), dumps) == content_hash(document(EVENT), dumps)


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, name="Other"),
        replace(EVENT, description="d"),
        replace(EVENT, location="l"),
        replace(EVENT, geo=Geo(lat=52.5, long=13.4)),
        replace(EVENT, created=datetime(2026, 1, 1, tzinfo=UTC)),
        replace(EVENT, start=datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
        replace(EVENT, end=datetime(2026, 11, 24, 11, tzinfo=UTC)),
        replace(EVENT, start_zone="Etc/UTC"),
        replace(EVENT, start=date(2026, 11, 24), end=date(2026, 11, 25)),
        replace(EVENT, organizer=ADA),
        replace(EVENT, attendees=(ADA, replace(BO, answer=Answer.DECLINED))),
        replace(EVENT, attachments=(File(url="https://example.org/a"),)),
        replace(EVENT, reminders=()),
        replace(
            EVENT,
            reminders=(Reminder(minutes=5, email=Email(summary="s", description="d", to=("a",))),),
        ),
        replace(EVENT, recurrence=("RRULE:FREQ=DAILY",)),
        replace(EVENT, recurrence=("EXDATE:20261124T090000Z",)),
        replace(EVENT, custom_properties=()),
        replace(EVENT, visibility=Visibility.PRIVATE),
        replace(EVENT, transparent=True),
        replace(EVENT, status=Status.CANCELLED),
        replace(EVENT, status=Status.TENTATIVE),
        replace(EVENT, color="#49BED8"),
    ],
)
def test_everything_that_a_person_can_see_is_content_i6(other: Event) -> None:
    assert content_hash(document(other), dumps) != content_hash(document(EVENT), dumps)
    assert changes(document(EVENT), document(other))


def test_dates_and_times_do_not_mix() -> None:
    with pytest.raises(ValueError, match="both"):
        replace(EVENT, end=date(2026, 11, 25))


WORDS = st.text(max_size=5)
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis wants them bare
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-8)), ZoneInfo("Europe/Berlin")]),
).map(lambda one: one.replace(microsecond=0).astimezone(UTC).astimezone(one.tzinfo))
PEOPLE = st.builds(
    Person,
    email=WORDS,
    name=st.none() | WORDS,
    id=st.none() | WORDS,
    required=st.booleans(),
    resource=st.booleans(),
    answer=st.none() | st.sampled_from(Answer),
)
MAILS = st.builds(Email, summary=WORDS, description=WORDS, to=st.lists(WORDS).map(tuple))
REMINDERS = st.builds(Reminder, minutes=st.integers(0, 9)) | st.builds(
    Reminder, minutes=st.integers(0, 9), popup=WORDS, email=st.none() | MAILS
)
PLACES = st.builds(Geo, lat=st.floats(-90, 90), long=st.floats(-180, 180))
WHENS = st.tuples(INSTANTS, INSTANTS) | st.tuples(st.dates(), st.dates())


@st.composite
def some_event(draw: st.DrawFn) -> Event:
    start, end = draw(WHENS)
    return Event(
        uid=draw(WORDS),
        start=start,
        end=end,
        start_zone=draw(st.none() | st.just("Europe/Berlin")),
        end_zone=draw(st.none() | st.just("UTC")),
        name=draw(st.none() | WORDS),
        description=draw(st.none() | WORDS),
        location=draw(st.none() | WORDS),
        geo=draw(st.none() | PLACES),
        created=draw(st.none() | INSTANTS),
        modified=draw(st.none() | INSTANTS),
        organizer=draw(st.none() | PEOPLE.map(lambda one: replace(one, answer=None))),
        creator=draw(st.none() | PEOPLE.map(lambda one: replace(one, answer=None))),
        attendees=tuple(draw(st.lists(PEOPLE, max_size=3))),
        attachments=tuple(draw(st.lists(st.builds(File, url=WORDS, name=WORDS), max_size=2))),
        reminders=tuple(draw(st.lists(REMINDERS, max_size=3))),
        reminder=draw(st.none() | st.integers(0, 9)),
        use_default_reminder=draw(st.none() | st.booleans()),
        recurrence=tuple(draw(st.lists(WORDS, max_size=2))),
        original_start=draw(st.none() | st.just(start)),
        custom_properties=tuple(
            draw(st.lists(st.builds(CustomProperty, key=WORDS, value=WORDS, private=st.booleans())))
        ),
        visibility=draw(st.none() | st.sampled_from(Visibility)),
        transparent=draw(st.booleans()),
        status=draw(st.sampled_from(Status)),
        color=draw(st.none() | WORDS),
    )


@given(some_event())
def test_a_document_tells_the_whole_event(event: Event) -> None:
    """Written and read, an event is what it was; so a change of one member keeps the others."""
    told = document(event)
    assert event_of(told) == event
    assert ("geo" in told) is (event.geo is not None)
    assert document(event_of(told)) == told
