"""The sync token that we write (P2, D13), and what is remembered of servers (D6)."""

from datetime import timedelta

import pytest
from yarl import URL

from syncd.model.errors import SyncTokenExpiredError
from syncd.model.ids import CalendarKey, SyncToken
from syncd.ports.vault import Secret
from syncd.providers.caldav import state
from syncd.providers.caldav.quirks import Facts, Memory, Quirks
from syncd.providers.caldav.state import State, read_state
from tests.fakes.clock import BEGIN

FULL = State(sync="http://x/1", ctag="c", bodies=False, members=7, echo="e", changed_at=5)


@pytest.mark.parametrize("one", [State(), FULL, State(sync="-1"), State(sync="0", bodies=True)])
def test_a_state_reads_back_as_it_was_written(one: State) -> None:
    assert read_state(one.text()) == one


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "null", '{"v":1}', '{"v":2,"p":"x"}', "1"])
def test_what_is_not_ours_is_expired(text: str) -> None:
    """P2."""
    with pytest.raises(SyncTokenExpiredError):
        read_state(SyncToken(text))


@pytest.mark.parametrize(("name", "value"), [("VERSION", 2), ("_PARAMETERS", "others")])
def test_another_version_or_other_parameters_expire_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """P2, F12."""
    text = FULL.text()
    monkeypatch.setattr(state, name, value)
    with pytest.raises(SyncTokenExpiredError):
        read_state(text)


def test_a_change_is_looked_at_again_two_seconds_later() -> None:
    """D13."""
    after = State().changed(BEGIN)
    early, late = BEGIN + timedelta(seconds=1.9), BEGIN + timedelta(seconds=2)
    assert not after.settled(early)
    assert after.quiet(early) == after
    assert after.settled(late)
    assert after.quiet(late) == State()


def slow(*, home: float, single: float | None) -> bool:
    quirks = Quirks()
    quirks.note_home(home, calendars=4)
    if single is not None:
        quirks.note_single(single)
    return quirks.home_slow


def test_a_home_is_slow_only_against_its_calendars() -> None:
    """D6."""
    assert not slow(home=20, single=None)
    assert slow(home=20, single=0.1)
    assert not slow(home=20, single=4)
    assert not slow(home=0.9, single=0.001)


def test_what_proved_untrue_is_not_learned_again_for_a_day() -> None:
    """D14."""
    quirks, key, day = Memory().of(URL("https://x")), CalendarKey("/c/"), 86_400.0
    told = Facts(sync=True, zone=None)
    assert quirks.learn(key, told, now=5.0).sync
    quirks.refuse_sync(key, now=10.0)
    assert key not in quirks.facts  # whoever reads it next asks once more
    for now in (10.0, 9.0 + day):
        assert not quirks.learn(key, told, now=now).sync
    assert quirks.learn(key, told, now=10.0 + day).sync
    assert not quirks.learn(key, Facts(sync=False, zone=None), now=10.0 + day).sync


def test_a_digest_keeps_its_counters_until_the_password_changes() -> None:
    quirks = Quirks()
    first = quirks.digest("alice", Secret("one"))
    assert quirks.digest("alice", Secret("one")) is first
    assert quirks.digest("alice", Secret("two")) is not first
