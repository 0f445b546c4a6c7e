from datetime import UTC, datetime, timedelta

from syncd.model.ids import ProfileId, UserId
from syncd.model.profile import Profile, Reason, State, changed

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PROFILE = Profile(
    id=ProfileId(7),
    user_id=UserId("acc_a"),
    provider="caldav",
    login="ada",
    identity="https://dav.example.org/ada/",
    created=NOW,
    modified=NOW,
    state_since=NOW,
    first_read=False,
)


def test_of_several_states_the_last_named_is_shown_r21() -> None:
    found = [changed(PROFILE, NOW, first_read=True)]
    found.append(changed(found[-1], NOW, suspect=True))
    found.append(changed(found[-1], NOW, paused=True))
    found.append(changed(found[-1], NOW, refused=Reason.INVALID_GRANT))
    assert PROFILE.state is State.CONNECTED
    assert [one.state for one in found] == list(State)[1:]
    assert [one.state_reason for one in found] == [
        Reason.FIRST_READ,
        Reason.MASS_DELETE,
        Reason.OPERATOR,
        Reason.INVALID_GRANT,
    ]


def test_state_since_moves_with_the_state_only() -> None:
    renamed = changed(PROFILE, LATER, name="Ada")
    paused = changed(PROFILE, LATER, paused=True)
    assert (renamed.modified, renamed.state_since) == (LATER, NOW)
    assert (paused.modified, paused.state_since) == (LATER, LATER)


def test_only_a_profile_that_can_answer_is_polled() -> None:
    assert PROFILE.pollable
    assert not changed(PROFILE, NOW, paused=True).pollable
    assert not changed(PROFILE, NOW, refused=Reason.CREDENTIALS_REFUSED).pollable
    assert not changed(PROFILE, NOW, removed=True).pollable
