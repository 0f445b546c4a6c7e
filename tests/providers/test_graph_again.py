"""When Microsoft Graph is asked again for what it could not tell, and that the token keeps it."""

from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.model.errors import SyncTokenExpiredError
from syncd.model.ids import SyncToken
from syncd.providers.graph.again import AT_ONCE, MOST, Wait, due, named, waiting
from syncd.providers.graph.state import Standing, read_state, state_text
from syncd.providers.graph.window import Window
from tests.fakes.clock import BEGIN

MINUTE = timedelta(minutes=1)


def standing(**again: Wait) -> Standing:
    return Standing(link="https://graph.example/x", window=Window.around(BEGIN), again=again)


def test_pauses_double_up_to_an_hour() -> None:
    waits, pauses, now = dict[str, Wait](), list[timedelta](), BEGIN
    for _ in range(9):
        waits = waiting(waits, {"a": ()}, {"a"}, now)
        pauses.append(waits["a"].due - now)
        now = waits["a"].due
    minutes = [pause / MINUTE for pause in pauses]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert waiting(waits, {}, {"a"}, now) == {}


def test_who_was_not_asked_for_waits_on_as_before() -> None:
    one = Wait(failures=3, due=BEGIN + MINUTE, parts=("e",))
    after = waiting({"a": one, "b": one}, {"b": {"y", "x"}}, (), BEGIN)
    assert after == {"a": one, "b": Wait(failures=4, due=BEGIN + 8 * MINUTE, parts=("x", "y"))}
    assert named(after, ["b"]) == ["b", "x", "y"]


@given(st.lists(st.integers(-60, 60), max_size=60))
def test_the_first_ones_are_asked_for_first_and_not_too_many(minutes: list[int]) -> None:
    waits = {
        f"{number}": Wait(failures=1, due=BEGIN + one * MINUTE)
        for number, one in enumerate(minutes)
    }
    asked = due(waits, BEGIN)
    late = sorted(one for one in minutes if one <= 0)
    assert [(waits[key].due - BEGIN) / MINUTE for key in asked] == late[:AT_ONCE]


def test_not_more_wait_than_a_token_can_keep() -> None:
    held = {f"{number}": Wait(failures=9, due=BEGIN) for number in range(MOST)}
    after = waiting(held, {"new": ()}, (), BEGIN)
    assert after == held


def test_the_token_keeps_them_and_older_tokens_have_none() -> None:
    full = standing(a=Wait(failures=2, due=BEGIN + MINUTE, parts=("x",)))
    assert read_state(state_text(full), BEGIN) == full
    empty = standing()
    assert "again" not in state_text(empty)
    assert read_state(state_text(empty), BEGIN) == empty


@pytest.mark.parametrize("again", [[], "a", {"a": []}, {"a": [1, "soon", []]}, {"a": 1}])
def test_a_token_that_says_something_else_is_none_of_ours(again: object) -> None:
    told = orjson.loads(state_text(standing())) | {"again": again}
    with pytest.raises(SyncTokenExpiredError):
        read_state(SyncToken(orjson.dumps(told).decode()), BEGIN)
