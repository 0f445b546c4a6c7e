"""The words that applications ask with (K9, C18)."""

import pytest

from syncd.model.access import Scope
from syncd.model.scope_words import EVERYTHING, READING, cronofy, kloudless

GOOGLE = frozenset({"google"})
ALL = frozenset[str]()


@pytest.mark.parametrize(
    ("text", "scopes", "providers"),
    [
        ("all", EVERYTHING, ALL),
        ("any", EVERYTHING, ALL),
        ("all:admin", EVERYTHING, ALL),
        ("any:read.calendar", READING, ALL),
        ("google_calendar", EVERYTHING, GOOGLE),
        ("google_calendar:normal.calendar", EVERYTHING, GOOGLE),
        ("google_calendar:read", READING, GOOGLE),
        ("google_calendar:read.calendar any:read.calendar", READING, ALL),
        ("caldav exchange:read.calendar", EVERYTHING, frozenset({"caldav", "ews"})),
        ("icloud_calendar outlook_calendar", EVERYTHING, frozenset({"icloud", "graph"})),
        ("read_events  raw", frozenset({Scope.READ_EVENTS, Scope.RAW}), ALL),
        ("google_calendar:read raw", READING | {Scope.RAW}, GOOGLE),
        ("all manage_profiles", EVERYTHING | {Scope.MANAGE_PROFILES}, ALL),
        ("gdrive box:normal.storage google", frozenset(), ALL),
        ("ALL read_events:all", frozenset(), ALL),
        ("", frozenset(), ALL),
    ],
)
def test_kloudless_words(text: str, scopes: frozenset[Scope], providers: frozenset[str]) -> None:
    wanted = kloudless(text)
    assert (wanted.scopes, wanted.providers) == (scopes, providers)


def test_all_is_every_scope_of_r7_but_managing() -> None:
    assert {Scope.ALL, Scope.MANAGE_PROFILES, Scope.MYTOKENS, Scope.SETTINGS}.isdisjoint(EVERYTHING)
    assert {Scope.RAW, Scope.MANAGE_WEBHOOKS, Scope.MANAGE_FEEDS, Scope.NOTIFY} < EVERYTHING
    assert len(EVERYTHING) == 16


def test_cronofy_words() -> None:
    assert cronofy("read_account read_events nonsense").scopes == {
        Scope.READ_ACCOUNT,
        Scope.READ_EVENTS,
    }
    assert Scope.CREATE_EVENT in cronofy("read_write").scopes
    assert Scope.CREATE_EVENT not in cronofy("read_only").scopes
    assert Scope.READ_CONTACTS not in cronofy("read_write").scopes
    assert cronofy("free_busy_write google_calendar").scopes == frozenset()
    assert cronofy("all").scopes == EVERYTHING
