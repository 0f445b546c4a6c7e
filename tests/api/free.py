"""Asking for free time in Kloudless' words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.serving import Api

Pairs = list[tuple[str, str]]
PATH = "/v1/accounts/me/cal/availability"
DAY = {"start": "2026-11-24T08:00:00+01:00", "end": "2026-11-24T18:00:00+01:00"}


def hours(day: int, start: float, end: float) -> dict[str, Any]:
    midnight = datetime(2026, 11, day, tzinfo=UTC)
    return {
        "start": midnight + timedelta(hours=start),
        "end": midnight + timedelta(hours=end),
    }


async def asked(api: Api, path: str = PATH, token: str | None = None, **body: Any) -> Any:  # noqa: ANN401 - JSON
    plain = {"meeting_duration": "PT1H", "time_windows": [DAY]}
    return await api.send("POST", path, token=token, json={**plain, **body})


async def free(api: Api, path: str = PATH, token: str | None = None, **body: Any) -> Pairs:  # noqa: ANN401 - JSON
    response = await asked(api, path, token, **body)
    told = await response.json(content_type=None)
    assert response.status == 200, told
    assert response.headers["Content-Type"] == "application/json"
    assert told["type"] == "availability"
    assert told["api"] == "calendar"
    assert told.keys() == {"time_windows", "type", "api"}
    return [(one["start"], one["end"]) for one in told["time_windows"]]


def on(day: str, offset: str, *times: str) -> Pairs:
    """Return ranges written ``09:00-10:30``."""
    return [
        (f"{day}T{start}:00{offset}", f"{day}T{end}:00{offset}")
        for start, _, end in (one.partition("-") for one in times)
    ]


async def refused(response: Any, field: str) -> None:  # noqa: ANN401 - an answer
    body = await response.json(content_type=None)
    assert response.status == 400, body
    assert body["error_code"] == "invalid_parameters"
    assert field in body["message"] or field == "calendars", body


def window(start: object, end: object) -> dict[str, object]:
    return {"start": start, "end": end}
