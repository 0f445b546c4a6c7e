import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.errors import MalformedCursorError
from syncd.model.ids import (
    CalendarId,
    CalendarKey,
    Cursor,
    Position,
    ProfileId,
    ResourceKey,
    Slot,
    calendar_id,
    event_id,
    new_epoch,
    parse_profile,
    profile_name,
    split_event_id,
)
from syncd.model.merged import MergedCursor, Place

CALENDAR = CalendarId("cal_aaab_x")


@given(st.binary(min_size=1, max_size=20), st.integers(0, 10**17))
def test_a_cursor_is_read_back_as_it_was_written(entropy: bytes, position: int) -> None:
    cursor = Cursor(new_epoch(entropy), Position(position))
    assert Cursor.parse(str(cursor)) == cursor
    assert str(cursor).isalnum()


@given(st.text(max_size=40))
def test_text_that_is_no_cursor_is_refused_and_never_crashes_r14(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except MalformedCursorError:
        return
    assert str(cursor) == text


FORGED = ["abcdefgh-1", "abcdefgh01", "ABCDEFGH1", "abcdefg1", "abcdefgh", "abcdefgh1\n"]


@pytest.mark.parametrize("text", [*FORGED, "abcdefgh\u0661"])
def test_a_forged_cursor_is_refused(text: str) -> None:
    with pytest.raises(MalformedCursorError):
        Cursor.parse(text)


@given(st.integers(1, 2**63 - 1))
def test_both_names_of_a_profile_lead_to_it_r8(number: int) -> None:
    profile = ProfileId(number)
    assert parse_profile(profile_name(profile)) == profile
    assert parse_profile(str(number)[:18]) == int(str(number)[:18])


@pytest.mark.parametrize(
    "text", ["", "me", "pro_", "pro_aaa", "pro_aaaaab", "pro_AAAB", "-1", "1.0", "٣", "9" * 30]
)
def test_what_names_no_profile_is_none(text: str) -> None:
    assert parse_profile(text) is None


def test_ids_follow_from_the_providers_key_alone_p7() -> None:
    key = ResourceKey("/alice/work/1.ics")
    assert event_id(CALENDAR, key) == event_id(CALENDAR, key)
    assert event_id(CALENDAR, key) != event_id(CalendarId("cal_aaab_y"), key)
    assert calendar_id(ProfileId(1), CalendarKey("/a/")) != calendar_id(
        ProfileId(2), CalendarKey("/a/")
    )


def test_an_exception_names_the_occurrence_that_it_replaced_p8() -> None:
    key, slot = ResourceKey("/alice/work/1.ics"), Slot("20261120T090000Z")
    assert split_event_id(event_id(CALENDAR, key, slot)) == (event_id(CALENDAR, key), slot)


def test_a_cursor_of_the_other_kind_is_told_as_such() -> None:
    """Both are syncd's; "not a cursor" would send their reader looking for damage."""
    one = Cursor("q3hd5w7a", Position(30))
    of_all = MergedCursor("q3hd5w7a", Place(3, ProfileId(1), Position(30)), after_auth=True)
    with pytest.raises(MalformedCursorError, match="of the stream of all profiles, not one of a"):
        Cursor.parse(str(of_all))
    with pytest.raises(MalformedCursorError, match="a cursor of one profile, not a cursor of the"):
        MergedCursor.parse(str(one))
    assert MergedCursor.parse(str(of_all)) == of_all
