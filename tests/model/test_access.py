from datetime import UTC, datetime, timedelta

import pytest

from syncd.model.access import Scope, Token, digest, grants, matches, split_token, token_text
from syncd.model.ids import TokenId

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TOKEN = Token(
    id=TokenId("k3"), digest=digest("s_e-cret"), scopes=frozenset({Scope.READ_EVENTS}), created=NOW
)


def test_a_token_text_is_taken_apart_again() -> None:
    assert split_token(token_text(TOKEN.id, "s_e-cret")) == (TOKEN.id, "s_e-cret")


@pytest.mark.parametrize("text", ["", "syncd_", "syncd_k3", "syncd_k3_", "other_k3_x", "x"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert split_token(text) is None


def test_only_the_right_secret_matches() -> None:
    assert matches(TOKEN, "s_e-cret")
    assert not matches(TOKEN, "s_e-cre")
    assert not matches(None, "s_e-cret")


@pytest.mark.parametrize(
    ("held", "wanted", "opened"),
    [
        (Scope.ALL, Scope.MANAGE_PROFILES, True),
        (Scope.READ_EVENTS, Scope.READ_EVENTS, True),
        (Scope.READ_EVENTS, Scope.READ_FREE_BUSY, True),
        (Scope.READ_FREE_BUSY, Scope.READ_EVENTS, False),
        (Scope.CREATE_EVENT, Scope.CHANGE_PARTICIPATION_STATUS, True),
        (Scope.CREATE_EVENT, Scope.DELETE_EVENT, False),
    ],
)
def test_scopes_open_what_r7_says(held: Scope, wanted: Scope, opened: object) -> None:
    assert grants(frozenset({held}), wanted) is opened


def test_an_expired_or_revoked_token_is_dead() -> None:
    aged = Token(id=TokenId("a"), digest=b"", scopes=frozenset(), created=NOW, expires_at=NOW)
    ended = Token(id=TokenId("b"), digest=b"", scopes=frozenset(), created=NOW, revoked_at=NOW)
    assert TOKEN.alive(NOW)
    assert aged.alive(NOW - timedelta(seconds=1))
    assert not aged.alive(NOW)
    assert not ended.alive(NOW)
