"""Draft to edit, rule by rule (K19-K27, R13, R23)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.engine.draft import EventDraft, Guest, PropertyDraft
from syncd.engine.settle import settle, settle_calendar
from syncd.model.abilities import CALENDAR_MEMBERS, EVENT_MEMBERS, Abilities
from syncd.model.edit import UNSET, CalendarEdit, EventEdit, Unset
from syncd.model.errors import InvalidError, UnsupportedError
from syncd.model.event import (
    CustomProperty,
    Email,
    Event,
    Person,
    Reminder,
    Visibility,
)
from tests.engine.drafts import (
    BERLIN,
    TIMED,
    changed,
    made,
    refused,
    scene,
    wall,
)


@pytest.mark.parametrize("missing", ["name", "start", "end"])
def test_a_new_event_needs_a_name_and_its_times(missing: str) -> None:
    """K19."""
    assert refused(missing, None, None, **{missing: UNSET}).fault == "required"


def test_a_change_holds_what_was_given_and_nothing_else() -> None:
    """K21: given replaces, null clears, missing stays."""
    assert changed(TIMED, name="Other", location=None) == EventEdit(name="Other", location=None)
    assert settle(EventDraft(), scene(TIMED)).empty
    assert changed(TIMED, description="x").start is UNSET


def test_custom_properties_merge_by_key() -> None:
    """K26."""
    pairs = (CustomProperty(key="a", value="1", private=False), CustomProperty(key="b", value="2"))
    before = Event(uid="a", start=TIMED.start, end=TIMED.end, custom_properties=pairs)
    given = (
        PropertyDraft(key="a", value="9"),
        PropertyDraft(key="b", value=None),
        PropertyDraft(key="c", value="3", private=False),
        PropertyDraft(key="d", value="4"),
        PropertyDraft(key="e", value=None),
    )
    assert changed(before, custom_properties=given).custom_properties == (
        CustomProperty(key="a", value="9", private=False),
        CustomProperty(key="c", value="3", private=False),
        CustomProperty(key="d", value="4", private=True),
    )
    assert changed(before, custom_properties=None).custom_properties == ()
    refused("custom_properties", custom_properties=(PropertyDraft(key=" ", value=""),))


def test_a_key_in_both_of_googles_stores_stays_in_both() -> None:
    """K26: another application's property is not lost by what does not name it."""
    mine = CustomProperty(key="a", value="1", private=True)
    shared = CustomProperty(key="a", value="2", private=False)
    before = replace(TIMED, custom_properties=(mine, shared))

    def left(**members: Any) -> set[tuple[str, str, bool]]:  # noqa: ANN401 - of a property
        edit = changed(before, custom_properties=(PropertyDraft(**members),))
        assert not isinstance(edit.custom_properties, Unset)
        return {(one.key, one.value, one.private) for one in edit.custom_properties}

    both = {("a", "1", True), ("a", "2", False)}
    assert left(key="z", value="9") == both | {("z", "9", True)}
    assert left(key="a", value="9", private=False) == {("a", "1", True), ("a", "9", False)}
    assert left(key="a", value="9") == {("a", "9", True), ("a", "2", False)}
    assert left(key="a", value=None, private=True) == {("a", "2", False)}
    assert left(key="a", value=None) == set()


POPUP = Reminder(minutes=5, popup="Go")
MAIL = Reminder(minutes=5, email=Email(summary="s", description="d", to=("a@b.org",)))


def test_reminders_have_a_number_a_method_and_their_texts() -> None:
    """K17, K27."""
    one = Abilities(reminders=1, reminder_methods=frozenset({"popup"}))
    told = refused("reminders", where=scene(abilities=one), reminders=(POPUP, POPUP))
    assert (told.code, dict(told.members)) == ("too_many_reminders", {"max": 1})
    refused("reminders", where=scene(abilities=one), reminders=(MAIL,))
    texts = scene(abilities=Abilities(reminder_texts=True))
    refused("reminders", where=texts, reminders=(Reminder(minutes=5),))
    bare = Reminder(minutes=5, email=Email(summary="", description="", to=()))
    refused("reminders", where=texts, reminders=(bare,))
    refused("reminders", reminders=(Reminder(minutes=-1, popup="x"),))
    assert made(reminders=(POPUP, MAIL)).edit.reminders == (POPUP, MAIL)


def test_a_lenient_draft_drops_what_has_no_room() -> None:
    """C10: most important first."""
    able = Abilities(reminders=1, reminder_methods=frozenset({"popup"}), reminder_texts=True)
    draft = EventDraft(lenient=True, reminders=(MAIL, Reminder(minutes=9), POPUP))
    edit = settle(draft, scene(TIMED, abilities=able)).edit
    assert edit.reminders == (Reminder(minutes=9, popup="Review"),)


def test_the_default_reminder_makes_others_nothing() -> None:
    """K27: given reminders are dropped, not an error."""
    edit = made(use_default_reminder=True, reminders=(POPUP,) * 9).edit
    assert (edit.use_default_reminder, edit.reminders) == (True, UNSET)
    assert made(use_default_reminder=False, reminders=(POPUP,)).edit.reminders == (POPUP,)


def test_what_cannot_be_stored_is_dropped_and_named() -> None:
    """R13; but not what would change the meaning."""
    able = Abilities(event=EVENT_MEMBERS - {"visibility", "color", "raw", "recurrence"})
    draft = EventDraft(visibility=Visibility.PRIVATE, color=None, raw={"x": "y"}, name="z")
    told = settle(draft, scene(TIMED, abilities=able))
    assert told.ignored == {"visibility", "color", "raw"}
    assert told.edit == EventEdit(name="z")
    with pytest.raises(UnsupportedError):
        settle(EventDraft(recurrence=("FREQ=DAILY",)), scene(TIMED, abilities=able))


def test_limits_are_told_by_member() -> None:
    """R23."""
    many = tuple(Guest(email=f"{n}@example.org") for n in range(501))
    pairs = tuple(PropertyDraft(key=str(n), value="") for n in range(301))
    assert refused("attendees", attendees=many).fault == "too_long"
    assert refused("custom_properties", custom_properties=pairs).fault == "too_long"
    made(attendees=many[:500], custom_properties=pairs[:300])
    for field, most in (("name", 1024), ("description", 65_536), ("location", 65_536)):
        assert refused(field, None, None, **{field: "x" * (most + 1)}).fault == "too_long"
        made(**{field: "x" * most})
        refused(field, None, None, **{field: "a\x00b"})
    made(description="two\nlines\tand a tab")


@pytest.mark.parametrize("name", ["id", "UID", "ETag", "@odata.etag", "href", "htmlLink"])
def test_raw_members_that_name_the_object_are_refused(name: str) -> None:
    """K11."""
    refused("raw", raw={name: "x"})
    assert made(raw={"importance": "low"}).edit.raw == {"importance": "low"}


def test_an_occurrence_has_no_recurrence_of_its_own() -> None:
    refused("recurrence", TIMED, where=scene(TIMED, occurrence=True), recurrence=("FREQ=DAILY",))
    edit = settle(EventDraft(recurrence=()), scene(TIMED, occurrence=True))
    assert edit.empty


def test_a_series_that_is_written_back_keeps_its_pattern() -> None:
    """K21: a caller that sends the whole object changes what differs, no rule and no time.

    Exchange and Microsoft 365 forget exceptions with a pattern, and take no EXDATE.
    """
    lines = ("RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=Europe/Berlin:20261126T100000")
    before = replace(TIMED, recurrence=lines)
    same = EventDraft(name="Other", start=TIMED.start, end=TIMED.end, recurrence=lines)
    able = scene(before, abilities=Abilities(any_rule=False))
    assert settle(same, able).edit == EventEdit(name="Other")
    refused("recurrence", before, able, recurrence=(*lines[:1], "EXDATE:20261127T090000Z"))
    fewer = settle(EventDraft(recurrence=lines[:1]), able).edit
    assert (fewer.recurrence, fewer.start) == (lines[:1], UNSET)
    later = changed(before, recurrence=lines, start=wall(2026, 11, 24, 9))
    assert (later.recurrence, later.start) == (UNSET, wall(2026, 11, 24, 9).replace(tzinfo=BERLIN))


def test_what_other_programs_wrote_may_be_written_back() -> None:
    """K21: what a body only repeats is not held against the rules for what is new."""
    before = replace(
        TIMED,
        name="x" * 2_000,
        end=TIMED.start,
        organizer=Person(email="urn:uuid:1"),
        attendees=(Person(email="invalid"), Person(email="/principals/bo/")),
        reminders=(Reminder(minutes=5, email=Email(summary="s", description="d", to=())),),
    )
    able = scene(before, abilities=Abilities(names_organizer=True, reminder_texts=True))
    same = EventDraft(
        name=before.name,
        location="There",
        start=before.start,
        end=before.end,
        organizer=before.organizer,
        attendees=tuple(Guest(email=one.email, name=one.name) for one in before.attendees),
        reminders=before.reminders,
    )
    edit = settle(same, able).edit
    assert (edit.location, edit.organizer, edit.reminders) == ("There", UNSET, UNSET)
    hour = timedelta(hours=1)
    moved = EventDraft(start=before.start + hour, end=before.end + hour)
    assert settle(moved, able).edit.end == before.end + hour
    refused("end", before, able, end=before.end - hour)
    refused("end", replace(before, end=before.end + hour), end=before.end)
    refused("name", before, able, name="y" * 2_000)
    refused("reminders", before, able, reminders=(*before.reminders, *before.reminders))


def test_a_calendar_has_a_name_and_values_that_can_be_kept() -> None:
    """K13, K15."""
    able = Abilities(calendar=CALENDAR_MEMBERS - {"location", "raw"})
    edit, ignored = settle_calendar(
        CalendarEdit(name="Work", location="Here", raw={"x": 1}, color="#00ff00"), able, create=True
    )
    assert edit == CalendarEdit(name="Work", color="#00ff00")
    assert ignored == {"location", "raw"}
    for wrong, field in (
        (CalendarEdit(), "name"),
        (CalendarEdit(name=" "), "name"),
        (CalendarEdit(name="x" * 1025), "name"),
        (CalendarEdit(name="Work", timezone="Mars/Base"), "timezone"),
        (CalendarEdit(name="Work", color="green"), "color"),
    ):
        with pytest.raises(InvalidError) as told:
            settle_calendar(wrong, able, create=True)
        assert told.value.field == field
    assert settle_calendar(CalendarEdit(), able, create=False) == (CalendarEdit(), frozenset())
    with pytest.raises(UnsupportedError):
        settle_calendar(CalendarEdit(name="x"), Abilities(calendar_updates=False), create=False)
