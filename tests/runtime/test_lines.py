"""Activities as a person reads them."""

from typing import Any

import pytest
from rich.text import Text

from syncd.runtime.lines import line

EVENT: dict[str, Any] = {
    "type": "event",
    "name": "Review [moved]",
    "start": "2026-11-24T10:00:00+01:00",
    "all_day": False,
    "recurrence": [],
    "location": "Room Turing",
}

CHANGED = (
    "09:12:06 ~ update event Review [moved] start 24 Nov 09:00 → 24 Nov 10:00, "
    "name nothing → Review, attendees nothing → 1 entries, 1 more"
)


def plain(**record: Any) -> str:  # noqa: ANN401 - JSON
    actions = {"add": "+", "update": "~", "delete": "-"}
    whole = {"action": actions[record["type"]], "recorded_at": "2026-11-24T09:12:06Z", **record}
    return " ".join(Text.from_markup(line(whole)).plain.split())


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (
            {"type": "add", "metadata": EVENT},
            "09:12:06 + add event Review [moved] Tue 24 Nov 10:00, Room Turing",
        ),
        (
            {"type": "delete", "metadata": {**EVENT, "all_day": True, "start": "2026-11-24"}},
            "09:12:06 - delete event Review [moved] 2026-11-24, Room Turing",
        ),
        (
            {
                "type": "update",
                "metadata": EVENT,
                "changes": {
                    "start": {"old": "2026-11-24T09:00:00Z", "new": "2026-11-24T10:00:00Z"},
                    "name": {"old": None, "new": "Review"},
                    "attendees": {"old": [], "new": [{"email": "a@example.org"}]},
                    "color": {"old": None, "new": "#000000"},
                },
            },
            CHANGED,
        ),
        (
            {"type": "add", "metadata": {"type": "calendar", "name": None}},
            "09:12:06 + add calendar nothing",
        ),
        (
            {"type": "add", "metadata": {"type": "account", "account": "ada", "state": "initial"}},
            "09:12:06 + add account ada initial",
        ),
    ],
)
def test_a_record_is_one_line(record: dict[str, Any], told: str) -> None:
    assert plain(**record) == told
