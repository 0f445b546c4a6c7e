"""Numbers and times as people read them, and polls as a picture."""

from datetime import UTC, datetime, timedelta

import pytest

from syncd.engine.diary import KEPT, Look
from syncd.model.profile import Reason, State
from syncd.web.dashboard import words
from syncd.web.dashboard.chart import HEIGHT, chart
from tests.store.samples import a_profile

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "now"),
        (0.9, "now"),
        (-1, "1 s ago"),
        (-59.9, "59 s ago"),
        (-60, "1 min ago"),
        (-7199, "1 h ago"),
        (-86_400, "1 day ago"),
        (-86_400 * 1234, "1\N{NARROW NO-BREAK SPACE}234 days ago"),
        (48, "in 48 s"),
        (3600, "in 1 h"),
    ],
)
def test_a_time_is_told_as_seen_from_now(seconds: float, told: str) -> None:
    assert words.relative(NOW + timedelta(seconds=seconds), NOW) == told


def test_sizes_and_short_times_have_as_many_digits_as_help() -> None:
    sizes = (0, 999, 1024, 1536, 10 << 10, 4 << 20, 52 << 30, 3 << 50)
    assert [words.size(one) for one in sizes] == [
        "0 B", "999 B", "1.0 KiB", "1.5 KiB", "10 KiB", "4.0 MiB", "52 GiB", "3072 TiB",
    ]  # fmt: skip
    times = (0.0004, 0.0123, 0.12, 2.5)
    assert [words.milliseconds(one) for one in times] == ["0.4 ms", "12 ms", "120 ms", "2.5 s"]
    assert [words.plural(one, "event") for one in (1, 0, 2)] == ["1 event", "0 events", "2 events"]
    assert words.absolute(NOW) == "20 November 2026, 09:00:00 UTC"


def test_every_state_and_reason_has_words() -> None:
    assert set(words.STATES) == set(State)
    assert set(words._REASONS) == set(Reason)
    assert words.reason(a_profile(first_read=False)) is None
    assert "must sign in again" in str(words.reason(a_profile(refused=Reason.INVALID_GRANT)))


def test_polls_become_bars_within_the_picture() -> None:
    """The newest stands at the right; the picture's sentence says the same."""
    assert chart([]) is None
    looks = [
        Look(ended=at, seconds=seconds, activities=news, outcome=outcome)
        for at, (seconds, news, outcome) in enumerate(
            [(0.0, 0, "ok"), (0.1, 3, "ok"), (90.0, 0, "unavailable")]
        )
    ]
    drawn = chart(looks)
    assert drawn
    assert drawn.says == "3 polls, 1 failed, 3 activities recorded, usually 100 ms."
    assert [bar.kind for bar in drawn.bars] == ["quiet", "news", "failed"]
    assert [bar.x for bar in drawn.bars] == [10 * place for place in range(KEPT - 3, KEPT)]
    heights = [bar.height for bar in drawn.bars]
    assert heights == sorted(heights)
    assert all(bar.y + bar.height == HEIGHT and bar.y >= 9 for bar in drawn.bars)
