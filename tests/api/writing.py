"""What tests of writing share."""

from typing import Any

from aiohttp import ClientResponse

from tests.api.serving import Api
from tests.engine.ground import event

REVIEW = {"name": "Review", "start": "2026-11-24T10:00:00", "end": "2026-11-24T11:00:00"}
ADA = {"name": "Ada", "email": "ada@example.org"}
BO = {"name": "Bo", "email": "bo@example.org"}


async def polled(api: Api) -> str:
    """Return the path of the primary calendar, whose name is Work."""
    api.ground.server.add("/work/", "Work", primary=True).put("a.ics", event("Lunch", 20))
    await api.ground.poll()
    return f"/v1/accounts/{api.account}/cal/calendars/primary"


async def body(response: ClientResponse, status: int) -> Any:  # noqa: ANN401 - JSON
    told = await response.json(content_type=None)
    assert response.status == status, told
    return told


async def made(api: Api, path: str, **members: Any) -> Any:  # noqa: ANN401 - JSON
    response = await api.send("POST", f"{path}/events", json={**REVIEW, **members})
    return await body(response, 201)
