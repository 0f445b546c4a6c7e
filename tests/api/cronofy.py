"""What tests of writing in Cronofy's words share."""

from typing import Any

from tests.api.serving import Api
from tests.api.test_cronofy_events import NOVEMBER

WORK = "/v1/calendars/primary/events"
MINE = f"/v1/events?{NOVEMBER}&only_managed=true"


def body(own_id: str = "one", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    plain = {
        "event_id": own_id,
        "summary": "Review",
        "start": "2026-11-05T09:00:00Z",
        "end": "2026-11-05T10:00:00Z",
    }
    return plain | fields


async def work(api: Api) -> Any:  # noqa: ANN401 - a FakeCalendar
    calendar = api.ground.server.add("/work/", "Work", primary=True)
    await api.ground.poll()
    return calendar


async def faults(api: Api, method: str, path: str, **more: Any) -> dict[str, list[str]]:  # noqa: ANN401 - of a request
    """Return the keys of a 422 by field."""
    response = await api.send(method, path, **more)
    told = await response.json(content_type=None)
    assert response.status == 422, told
    assert told.keys() == {"errors"}
    return {field: [one["key"] for one in some] for field, some in told["errors"].items()}


def held(calendar: Any) -> list[Any]:  # noqa: ANN401 - a FakeCalendar
    return [one.events[0] for one in calendar.resources.values()]
