"""Calendars as they were (api.md K18, K39)."""

from typing import Any

from syncd.model.ids import Cursor, Position
from tests.api.serving import Api
from tests.api.test_objects import polled
from tests.engine.ground import event


def undated(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "modified": None} for one in body["objects"]]


async def test_a_calendar_is_listed_as_it_was(api: Api) -> None:
    """K18: by a cursor of the stream, which is what the answer reflects."""
    primary = await polled(api)
    before = await api.get(f"{primary}/events")
    cursor, then = before.headers["X-Syncd-Cursor"], undated(await before.json(content_type=None))
    calendar = next(iter(api.ground.server.calendars.values()))
    calendar.put("new.ics", event("New", 3))
    await api.ground.poll()
    assert undated(await api.json(f"{primary}/events")) != then
    past = await api.get(f"{primary}/events", params={"as_of": cursor})
    assert undated(await past.json(content_type=None)) == then
    assert past.headers["X-Syncd-Cursor"] == cursor


async def test_a_past_that_is_not_there_is_refused(api: Api) -> None:
    """K18, K39."""
    primary = await polled(api)
    latest = (await api.ground.store.stream(api.ground.profile_id)).latest
    beyond = Cursor(latest.epoch, Position(latest.position + 1))
    for cursor, status, code in (
        ("x", 400, "invalid_cursor"),
        (str(beyond), 410, "cursor_expired"),
    ):
        response = await api.get(f"{primary}/events", params={"as_of": cursor})
        told = await response.json(content_type=None)
        assert (response.status, told["error_code"]) == (status, code)
        assert {"cursor", "latest", "resync"} <= told.keys()
    raw = {"X-Kloudless-Raw-Data": "true"}
    response = await api.get(f"{primary}/events", params={"as_of": str(latest)}, headers=raw)
    assert response.status == 400
    assert "as_of" in (await response.json(content_type=None))["message"]


async def test_a_calendar_that_is_gone_is_listed_by_its_id_as_it_was(api: Api) -> None:
    """K18: so is one that was gone for good since; without as_of it is 404."""
    primary = await polled(api)
    listed = await api.get(f"{primary}/events")
    cursor, then = listed.headers["X-Syncd-Cursor"], undated(await listed.json(content_type=None))
    assert then
    known = (await api.ground.store.calendars(api.ground.profile_id))[0]  # the primary one
    api.ground.server.calendars.clear()
    for _ in range(3):
        await api.ground.poll(listing=True)
    path = f"/v1/accounts/{api.ground.profile_id}/cal/calendars/{known.id}/events"
    assert (await api.get(path)).status == 404
    past = await api.get(path, params={"as_of": cursor})
    assert past.status == 200
    assert undated(await past.json(content_type=None)) == then
    gone = {"as_of": str((await api.ground.store.stream(api.ground.profile_id)).latest)}
    assert (await api.get(path, params=gone)).status == 404
