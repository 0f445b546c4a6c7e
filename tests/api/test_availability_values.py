"""What availability takes and what it refuses (K28, R23)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.free import PATH, asked, free, window
from tests.api.serving import Api

MORNING = window("2026-11-24T08:00:00+01:00", "2026-11-24T12:00:00+01:00")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "meeting_duration",
            [None, "", "P", "PT", "P1Y", "P1M", "P1Y2M3D", "1H", "PT0S", "P0D", "-PT1H", "PT1X",
             "P1DT", "PT1H30", 3600, "PT1H ", "P999999999W"],
        ),
        (
            "time_windows",
            [None, [], {}, [MORNING] * 101, ["x"], [{}], [{"start": MORNING["start"]}],
             [window(MORNING["end"], MORNING["start"])],
             [window(MORNING["start"], MORNING["start"])],
             [window("2026-11-24T08:00:00", "2026-11-24T12:00:00")],
             [window("2026-11-24", "2026-11-25")], [window(1764000000, 1764003600)],
             [window("2026-02-30T08:00:00Z", "2026-03-01T08:00:00Z")],
             [window("2026-01-01T00:00:00Z", "2026-04-03T00:00:01Z")], "tomorrow"],
        ),
        ("time_slot_increment", [-1, 1.5, "30", True, [], 2**70]),
        ("calendars", ["primary", 7, [7], {"7": "primary"}, {"7": [None]}, [["x"]]]),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(api: Api, field: str, values: Sequence[object]) -> None:
    api.ground.server.add("/work/", primary=True)
    await api.ground.poll()
    for value in values:
        response = await asked(api, PATH, None, **{field: value})
        body = await response.json(content_type=None)
        assert response.status == 400, (value, body)
        assert field in body["message"] or value == 2**70, (value, body)
    missing = await api.send("POST", PATH, json={})
    assert missing.status == 400
    told = (await missing.json(content_type=None))["message"]
    assert "meeting_duration: required" in told
    assert "time_windows: required" in told


@pytest.mark.parametrize(
    ("duration", "minutes"),
    [("PT90M", 90), ("PT1H30M", 90), ("PT1.5H", 90), ("PT1,5H", 90), ("PT5400S", 90),
     ("P1DT1M", 24 * 60 + 1), ("P1W", 7 * 24 * 60), ("PT0H1M", 1)],
)  # fmt: skip
async def test_durations_are_iso_8601(api: Api, duration: str, minutes: int) -> None:
    api.ground.server.add("/work/", primary=True)
    await api.ground.poll()
    start = datetime(2026, 11, 1, tzinfo=UTC)
    exact, short = (
        window(start.isoformat(), (start + timedelta(minutes=one)).isoformat())
        for one in (minutes, minutes - 0.5)
    )
    told = await free(api, time_windows=[short, exact], meeting_duration=duration)
    assert [one[0] for one in told] == ["2026-11-01T00:00:00Z"]
