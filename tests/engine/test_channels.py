"""Which channels are good for something, and what is done about the others (P16): pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.engine.channels import (
    LATER,
    LONGEST_WAIT,
    MUCH_LATER,
    WINDOW,
    Close,
    Extend,
    Open,
    Terms,
    ask_again,
    last_hint,
    poll_due,
    relieved,
    steps,
)
from syncd.model.calendar import Calendar, KnownCalendar
from syncd.model.channel import Channel, is_id, new_secret
from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    SyncdError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import CalendarId, CalendarKey, ProfileId
from tests.store.opening import NOON

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WORK = CalendarId("cal_work")
TERMS = Terms(now=NOON, generation=1, address="https://syncd.example/v1/push/google")
KNOWN = KnownCalendar(
    id=WORK,
    profile_id=ProfileId(1),
    calendar=Calendar(key=CalendarKey("work"), name="Work"),
)
GOOD = Channel(
    id="good",
    profile_id=ProfileId(1),
    calendar_id=WORK,
    generation=1,
    address=TERMS.address,
    digest=b"",
    asked_at=NOON - DAY,
    remote="theirs",
    opened_at=NOON - DAY,
    renew_at=NOON + 4 * DAY,
    expires_at=NOON + 6 * DAY,
    heard_at=NOON - DAY,
    hinted_at=NOON - DAY,
)
ASKED = replace(
    GOOD, id="asked", remote=None, opened_at=None, renew_at=None, expires_at=None, heard_at=None
)


@pytest.mark.parametrize(
    ("before", "due"),
    [
        (None, 0),
        (-3600, 0),
        (-5, 0),
        (-4.999, 0.001),
        (-1, 4),
        (0, 5),
        (0.001, None),
        (4, None),
    ],
)
def test_calls_within_five_seconds_are_answered_by_one_poll_after_them(
    before: float | None, due: float | None
) -> None:
    last = None if before is None else NOON + before * SECOND
    assert poll_due(NOON, last) == (None if due is None else NOON + due * SECOND)


@given(st.lists(st.floats(0, 60), min_size=1, max_size=40))
def test_no_call_is_lost_and_polls_are_a_window_apart(offsets: list[float]) -> None:
    """P16: at most one poll in 5 s, and one that begins at the call or after it."""
    polls, last = list[datetime](), None
    for offset in sorted(offsets):
        now = NOON + offset * SECOND
        due = poll_due(now, last)
        if due is not None:
            polls.append(due)
            last = due
        assert any(now <= one <= now + WINDOW for one in polls)
    assert all(later - one >= WINDOW for one, later in pairwise(polls))


def test_a_calendar_is_relieved_by_a_channel_that_calls() -> None:
    assert relieved([GOOD], {WORK: NOON - SECOND}, TERMS) == {WORK}


@pytest.mark.parametrize(
    "changed",
    [
        {"heard_at": None},
        {"remote": None},
        {"expires_at": NOON},
        {"expires_at": None},
        {"generation": 2},
        {"address": "https://elsewhere.example/v1/push/google"},
        {"opened_at": NOON - SECOND},  # what happened between the look and this is not told
        {"opened_at": None},
        {"hinted_at": NOON},  # it has called since
        {"calendar_id": CalendarId("cal_home")},
    ],
    ids=lambda changed: "-".join(map(str, *changed.items())),
)
def test_a_calendar_is_not_relieved_by_less(changed: dict[str, object]) -> None:
    worse = replace(GOOD, **changed)  # type: ignore[arg-type]  # names are checked at run time
    assert relieved([worse], {WORK: NOON - SECOND}, TERMS) == frozenset()


def test_what_was_not_looked_at_is_not_relieved() -> None:
    assert relieved([GOOD], {}, TERMS) == frozenset()


def test_a_call_through_an_old_channel_counts_as_well() -> None:
    """While one takes the place of another."""
    old = replace(GOOD, id="old", hinted_at=NOON)
    assert relieved([old, GOOD], {WORK: NOON - SECOND}, TERMS) == frozenset()
    assert last_hint([old, GOOD], WORK) == NOON
    assert last_hint([ASKED], CalendarId("cal_home")) is None


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([], [Open(KNOWN)]),
        ([GOOD], []),
        ([replace(GOOD, renew_at=NOON)], [Extend(KNOWN, replace(GOOD, renew_at=NOON))]),
        ([replace(GOOD, expires_at=NOON)], [Close(replace(GOOD, expires_at=NOON)), Open(KNOWN)]),
        ([replace(GOOD, generation=9)], [Close(replace(GOOD, generation=9)), Open(KNOWN)]),
        ([replace(GOOD, id="old"), GOOD], [Close(replace(GOOD, id="old"))]),
        ([replace(ASKED, retry_at=NOON + SECOND)], []),
        (
            [replace(ASKED, retry_at=NOON)],
            [Close(replace(ASKED, retry_at=NOON)), Open(KNOWN)],
        ),
        # one that is to be renewed, by one that was refused a moment ago
        ([replace(GOOD, renew_at=NOON), replace(ASKED, retry_at=NOON + SECOND)], []),
        (
            [replace(GOOD, calendar_id=CalendarId("cal_gone"))],
            [Close(replace(GOOD, calendar_id=CalendarId("cal_gone"))), Open(KNOWN)],
        ),
    ],
    ids=[
        *("none", "good", "old", "expired", "relinked", "replaced", "refused", "again"),
        *("refused anew", "of a calendar that is gone"),
    ],
)
def test_each_calendar_has_one_channel(channels: list[Channel], expected: list[object]) -> None:
    assert list(steps([KNOWN], channels, TERMS)) == expected


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (UnsupportedError("no"), MUCH_LATER),
        (ForbiddenError("no"), MUCH_LATER),
        (InvalidError("no"), MUCH_LATER),
        (MisconfiguredError("no"), LONGEST_WAIT),
        (TransientError("503"), LATER),
        (MalformedReplyError("?"), LATER),
        (TransientError("429", retry_after=SECOND), LATER),
        (TransientError("429", retry_after=600 * SECOND), 600 * SECOND),
        (TransientError("429", retry_after=DAY), LONGEST_WAIT),
    ],
)
def test_who_refuses_is_left_alone(error: SyncdError, wait: timedelta) -> None:
    assert ask_again(error) == wait


def test_an_id_and_a_secret_fit_where_providers_take_them() -> None:
    """G12: an id has at most 64 characters; MG16: both together have 128."""
    made = [new_secret() for _ in range(100)]
    assert len({name for name, _ in made}) == len({secret for _, secret in made}) == 100
    assert all(is_id(name) and len(f"{name}.{secret}") <= 128 for name, secret in made)


@pytest.mark.parametrize("text", ["", "x" * 65, "a.b", "a\0", "\udce9", "é", "a\n"])
def test_what_strangers_send_is_no_id(text: str) -> None:
    assert not is_id(text)
    assert not GOOD.opens_to(text)
