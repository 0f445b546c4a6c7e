"""Deletes, replies and batches in Cronofy's words (api.md C9, C11, C12, C22)."""

from typing import Any

import pytest

from syncd.model.access import Scope
from syncd.model.event import Answer, Person
from tests.api.cronofy import MINE, WORK, body, faults, held, work
from tests.api.serving import Api
from tests.api.test_cronofy_events import NOVEMBER, every
from tests.engine.ground import event, on_store


async def test_an_own_event_is_deleted_by_its_id(api: Api) -> None:
    """C11: one that is gone is a success; no id at all is not."""
    calendar = await work(api)
    calendar.put("a.ics", event("Theirs"))
    await api.ground.poll()
    assert (await api.send("POST", WORK, json=body())).status == 202
    for _ in range(2):
        assert (await api.send("DELETE", WORK, json={"event_id": "one"})).status == 202
    assert [one.name for one in held(calendar)] == ["Theirs"]
    (one,) = await every(api, f"/v1/events?{NOVEMBER}")
    for _ in range(2):
        gone = await api.send("DELETE", WORK, json={"event_uid": one["event_uid"]})
        assert gone.status == 202
    assert held(calendar) == []
    for empty in (b"", b"null", b"{}"):
        found = await faults(api, "DELETE", WORK, data=empty)
        assert found == {"event_id": ["errors.required"]}


@pytest.mark.parametrize("place", ["query", "body"])
async def test_only_managed_events_are_deleted_together(api: Api, place: str) -> None:
    """C12: everywhere, or in some calendars; named in the query or in the body."""
    team = api.ground.server.add("/team/", "Team")
    calendar = await work(api)
    calendar.put("a.ics", event("Theirs"))
    await api.ground.poll()
    listed = (await api.json("/v1/calendars"))["calendars"]
    ids = {one["calendar_name"]: one["calendar_id"] for one in listed}
    for name in ("Work", "Team"):
        for own_id in ("one", "two"):
            path = f"/v1/calendars/{ids[name]}/events"
            assert (await api.send("POST", path, json=body(own_id))).status == 202

    async def delete(query: str, told: dict[str, Any]) -> int:
        if place == "query":
            return (await api.send("DELETE", f"/v1/events?{query}", json={})).status
        return (await api.send("DELETE", "/v1/events", json=told)).status

    some = {"calendar_ids": [ids["Team"]]}
    assert await delete(f"calendar_ids[]={ids['Team']}", some) == 202
    assert (len(held(calendar)), len(held(team))) == (3, 0)
    assert await delete("delete_all=True", {"delete_all": True}) == 202
    assert [one.name for one in held(calendar)] == ["Theirs"]
    assert await delete("delete_all=False", {"delete_all": False}) == 422
    assert await delete("calendar_ids[]=cal_none", {"calendar_ids": ["cal_none"]}) == 404


async def test_a_disconnected_profile_does_not_stop_the_others_deletes(api: Api) -> None:
    """C12: 423 in the end, with where to mend it."""
    await work(api)
    assert (await api.send("POST", WORK, json=body())).status == 202
    second = await on_store(api.ground.store, api.clock)
    home = second.server.add("/home/", "Home")
    await second.poll()
    home.put("x.ics", event("Theirs"))
    await api.disconnect()
    response = await api.send("DELETE", "/v1/events?delete_all=true", json={})
    assert response.status == 423
    told = await response.json(content_type=None)
    assert told["profile_relink_url"].startswith(f"{api.url}/relink/")


async def test_an_invitation_is_answered(api: Api) -> None:
    """C9: only the profile's own answer changes."""
    calendar = await work(api)
    bo = Person(email="bo@example.org", answer=Answer.ACCEPTED)
    me = Person(email="ada@example.org", answer=Answer.PENDING)
    calendar.put("a.ics", event("Party", organizer=bo, attendees=(bo, me)))
    calendar.put("b.ics", event("Alone", 2))
    await api.ground.poll()
    party, alone = await every(api, f"/v1/events?{NOVEMBER}")
    assert party["participation_status"] == "needs_action"
    narrow = await api.token(Scope.CHANGE_PARTICIPATION_STATUS)
    path = f"{WORK}/{party['event_uid']}/participation_status"
    response = await api.send("POST", path, token=narrow, json={"status": "tentative"})
    assert response.status == 202
    answers = {one.email: one.answer for one in held(calendar)[0].attendees}
    assert answers == {"bo@example.org": Answer.ACCEPTED, "ada@example.org": Answer.TENTATIVE}
    assert await faults(api, "POST", path, json={"status": "maybe"}) == {
        "status": ["errors.invalid"]
    }
    other = f"{WORK}/{alone['event_uid']}/participation_status"
    assert "status" in await faults(api, "POST", other, json={"status": "accepted"})
    missing = f"{WORK}/none/participation_status"
    assert (await api.send("POST", missing, json={"status": "accepted"})).status == 404


async def test_a_batch_runs_each_request_by_itself(api: Api) -> None:
    """C22: in order, 202 where clients count nothing else as success, faults in their places."""
    calendar = await work(api)
    entries = [
        {"method": "POST", "relative_url": WORK, "data": body("one")},
        {"method": "POST", "relative_url": WORK, "data": body("two")},
        {"method": "POST", "relative_url": WORK, "data": body("bad", summary=None)},
        {"method": "DELETE", "relative_url": WORK, "data": {"event_id": "one"}},
        {"method": "GET", "relative_url": MINE},
        {"method": "POST", "relative_url": "/v1/batch", "data": {"batch": []}},
        {"method": "GET", "relative_url": "/v1/nothing"},
        {"method": "GET", "relative_url": "/v1/accounts/me"},
        {"method": "GET", "relative_url": "http://elsewhere.example/v1/events"},
        {"method": "PUT", "relative_url": "/v1/calendars"},
    ]
    key = {"Idempotency-Key": "of-the-batch"}
    response = await api.send("POST", "/v1/batch", json={"batch": entries}, headers=key)
    told = await response.json(content_type=None)
    assert response.status == 200, told
    assert [one["status"] for one in told["batch"]] == [
        *(202, 202, 422, 202, 200, 422, 404, 404, 404, 405)
    ]
    assert told["batch"][0] == {"status": 202, "headers": {}, "data": None}
    assert told["batch"][2]["data"]["errors"].keys() == {"summary"}
    assert [one["event_id"] for one in told["batch"][4]["data"]["events"]] == ["two"]
    assert told["batch"][6]["data"]["error"] == "not_found"
    assert len(held(calendar)) == 1


async def test_a_batch_checks_the_scope_of_each_request(api: Api) -> None:
    """C22: none of its own; and 1 to 50 requests."""
    await work(api)
    narrow = await api.token(Scope.LIST_CALENDARS)
    entries = [
        {"method": "get", "relative_url": "/v1/calendars"},
        {"method": "GET", "relative_url": "/v1/events"},
    ]
    response = await api.send("POST", "/v1/batch", token=narrow, json={"batch": entries})
    told = (await response.json(content_type=None))["batch"]
    assert [one["status"] for one in told] == [200, 403]
    assert told[1]["data"]["error"] == "insufficient_scope"
    assert (await api.send("POST", "/v1/batch", token="", json={"batch": entries})).status == 401
    path = "/v1/batch"
    assert await faults(api, "POST", path, json={"batch": []}) == {"batch": ["errors.invalid"]}
    many = {"batch": entries[:1] * 51}
    assert await faults(api, "POST", path, json=many) == {"batch": ["errors.too_long"]}
