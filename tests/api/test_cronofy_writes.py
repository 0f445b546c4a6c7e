"""Writing in Cronofy's words: calendars, events, batches (api.md C5, C9-C12, C22)."""

from datetime import timedelta
from typing import Any

import pytest

from syncd.model.abilities import Abilities
from syncd.model.access import Scope
from syncd.model.errors import ConflictError
from syncd.model.event import Answer, Person, Visibility
from syncd.model.ids import CalendarKey
from tests.api.serving import Api
from tests.api.test_cronofy_events import NOVEMBER, every, names
from tests.engine.ground import event, exception, on_store, series

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


async def test_a_calendar_is_made_and_answered_with_200(api: Api) -> None:
    """C5: the color is the provider's to keep."""
    profile = await api.ground.profile()
    given = {"profile_id": profile.public_name, "name": "New", "color": "#49bed8"}
    response = await api.send("POST", "/v1/calendars", json=given)
    told = await response.json(content_type=None)
    assert response.status == 200, told
    (made,) = api.ground.server.calendars.values()
    assert (made.calendar.name, made.calendar.color) == ("New", "#49bed8")
    assert told == {
        "calendar": {
            "provider_name": "caldav",
            "profile_id": profile.public_name,
            "profile_name": "ada@example.org",
            "calendar_id": told["calendar"]["calendar_id"],
            "calendar_name": "New",
            "calendar_readonly": False,
            "calendar_deleted": False,
        }
    }
    listed = (await api.json("/v1/calendars"))["calendars"]
    assert [one["calendar_id"] for one in listed] == [told["calendar"]["calendar_id"]]


async def test_what_a_provider_has_no_room_for_is_dropped_and_named(api: Api) -> None:
    """C5, R13."""
    api.ground.server.can = Abilities(calendar=frozenset({"name"}))
    given = {"profile_id": str(api.account), "name": "New", "color": "#49BED8"}
    response = await api.send("POST", "/v1/calendars", json=given)
    assert response.status == 200
    assert response.headers["X-Syncd-Ignored"] == "color"


async def test_faults_of_a_new_calendar_are_told_by_field(api: Api) -> None:
    """C5, R14b: all at once."""
    path = "/v1/calendars"
    both = {"profile_id": ["errors.required"], "name": ["errors.required"]}
    assert await faults(api, "POST", path, json={}) == both
    assert await faults(api, "POST", path, json={"profile_id": " ", "name": None}) == both
    odd = {"profile_id": 7, "name": "x" * 1025, "color": "blue"}
    assert await faults(api, "POST", path, json=odd) == {
        "profile_id": ["errors.invalid"],
        "name": ["errors.too_long"],
        "color": ["errors.invalid"],
    }
    eve = await api.another()
    hers = (await eve.profile()).public_name
    for unknown in ("pro_zzzz", "me", hers):
        told = await faults(api, "POST", path, json={"profile_id": unknown, "name": "New"})
        assert told == {"profile_id": ["errors.unknown"]}
    assert await faults(api, "POST", path, data=b"[1]") == {"base": ["errors.invalid"]}


async def test_a_name_that_the_provider_refuses_twice_is_a_fault_of_the_name(api: Api) -> None:
    """C5: the words that clients compare."""
    api.ground.server.faults.writing = ConflictError("taken")
    given = {"profile_id": str(api.account), "name": "Work"}
    response = await api.send("POST", "/v1/calendars", json=given)
    assert response.status == 422
    (fault,) = (await response.json(content_type=None))["errors"]["name"]
    assert fault == {
        "key": "errors.duplicate_calendar_name",
        "description": (
            "A calendar with this name already exists and the provider does not allow duplicates"
        ),
    }


async def test_the_checks_of_a_new_calendar_have_an_order(api: Api) -> None:
    """C5: 401, 403, 422, 423; the last tells where a person mends it."""
    await api.ground.poll()
    await api.disconnect()
    narrow = await api.token(Scope.READ_EVENTS)
    path, good = "/v1/calendars", {"profile_id": str(api.account), "name": "New"}
    assert (await api.send("POST", path, token="", json={})).status == 401
    assert (await api.send("POST", path, token=narrow, json={})).status == 403
    assert (await api.send("POST", path, json={"name": "New"})).status == 422
    response = await api.send("POST", path, json=good)
    assert response.status == 423
    told = await response.json(content_type=None)
    assert told.keys() == {"error", "error_description", "profile_relink_url"}
    assert told["profile_relink_url"].startswith(f"{api.url}/relink/")


async def test_an_upsert_makes_an_event_and_then_changes_it(api: Api) -> None:
    """C10: by the application's own id; it is in the stream when the answer comes."""
    calendar = await work(api)
    response = await api.send("POST", WORK, json=body(description="Notes"))
    assert response.status == 202
    assert await response.read() == b""
    assert response.headers["Content-Length"] == "0"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    (one,) = await every(api, MINE)
    assert (one["event_id"], one["summary"], one["description"]) == ("one", "Review", "Notes")
    again = body(summary="Review 2", start="2026-11-06T09:00:00Z", end="2026-11-06T10:00:00Z")
    assert (await api.send("POST", WORK, json=again)).status == 202
    (two,) = await every(api, MINE)
    assert two["event_uid"] == one["event_uid"]
    assert (two["summary"], two["start"]) == ("Review 2", "2026-11-06T09:00:00Z")
    assert two["description"] == "Notes"
    assert len(held(calendar)) == 1
    assert (await api.send("POST", WORK, json=body("two"))).status == 202
    assert len(held(calendar)) == 2
    assert await every(api, f"/v1/events?{NOVEMBER}") == []


async def test_every_member_of_an_event_reaches_the_provider(api: Api) -> None:
    """C10."""
    calendar = await work(api)
    given = body(
        start={"time": "2026-11-05T09:00:00+01:00", "tzid": "Europe/Berlin"},
        end={"time": "2026-11-05T10:30:00", "tzid": "Europe/Berlin"},
        location={"description": "Room 2"},
        transparency="transparent",
        event_private=True,
        color="#49BED8",
        reminders=[{"minutes": 30}, {"minutes": 5}],
        attendees={"invite": [{"email": "bo@example.org", "display_name": "Bo"}]},
    )
    assert (await api.send("POST", WORK, json=given)).status == 202
    (made,) = held(calendar)
    assert made.start_zone == made.end_zone == "Europe/Berlin"
    assert made.end - made.start == timedelta(hours=1, minutes=30)
    assert (made.location, made.transparent) == ("Room 2", True)
    assert (made.visibility, made.color) == (Visibility.PRIVATE, "#49BED8")
    assert [one.minutes for one in made.reminders] == [30, 5]
    assert [one.email for one in made.attendees] == ["bo@example.org"]
    change = body(
        attendees={
            "invite": [{"email": "cy@example.org"}],
            "remove": [{"email": "BO@example.org"}],
        }
    )
    assert (await api.send("POST", WORK, json=change)).status == 202
    (changed,) = held(calendar)
    assert [one.email for one in changed.attendees] == ["cy@example.org"]
    assert changed.start_zone == "Etc/UTC"
    assert changed.location == "Room 2"


async def test_reminders_that_do_not_fit_are_dropped_the_last_first(api: Api) -> None:
    """C10: most important first."""
    calendar = await work(api)
    api.ground.server.can = Abilities(reminders=1)
    given = body(reminders=[{"minutes": 30}, {"minutes": 5}])
    assert (await api.send("POST", WORK, json=given)).status == 202
    assert [one.minutes for one in held(calendar)[0].reminders] == [30]


async def test_dates_make_all_day_events(api: Api) -> None:
    """C10: and a timed one becomes one."""
    calendar = await work(api)
    day = {"start": "2026-11-05", "end": "2026-11-07"}
    for given in (body(), body(**day)):
        assert (await api.send("POST", WORK, json=given)).status == 202
    (made,) = held(calendar)
    assert made.all_day
    (one,) = await every(api, MINE)
    assert (one["start"], one["end"]) == ("2026-11-05", "2026-11-07")
    assert (await api.send("POST", WORK, json=body())).status == 202
    assert not held(calendar)[0].all_day


async def test_an_event_of_the_users_own_is_changed_by_its_uid(api: Api) -> None:
    """C10: its zone stays unless one is named; one that is not there is a fault."""
    calendar = await work(api)
    calendar.put("a.ics", event("Theirs", start_zone="Europe/Berlin", end_zone="Europe/Berlin"))
    await api.ground.poll()
    (one,) = await every(api, f"/v1/events?{NOVEMBER}")
    given = body(summary="Ours", event_uid=one["event_uid"])
    del given["event_id"]
    assert (await api.send("POST", WORK, json=given)).status == 202
    (changed,) = held(calendar)
    assert (changed.name, changed.start_zone) == ("Ours", "Europe/Berlin")
    assert names(await every(api, f"/v1/events?{NOVEMBER}")) == ["Ours"]
    missing = given | {"event_uid": "none"}
    assert await faults(api, "POST", WORK, json=missing) == {"event_uid": ["errors.unknown"]}


async def test_faults_of_an_event_are_told_by_field(api: Api) -> None:
    """C10, R14b: all at once, in this dialect's names."""
    await work(api)
    required = ["errors.required"]
    assert await faults(api, "POST", WORK, json={}) == {
        "event_id": required,
        "summary": required,
        "start": required,
        "end": required,
    }
    odd = body(
        summary="x" * 1025,
        start="soon",
        end={"time": "2026-11-05", "tzid": "Mars/Base"},
        tzid="Mars/Base",
        transparency="glass",
        color="blue",
        reminders=[{"minutes": -1}],
        attendees={"invite": [{"email": f"{n}@example.org"} for n in range(501)]},
    )
    found = await faults(api, "POST", WORK, json=odd)
    assert found.pop("summary") == found.pop("attendees") == ["errors.too_long"]
    fields = {"start", "end", "tzid", "transparency", "color", "reminders"}
    assert found == {field: ["errors.invalid"] for field in fields}
    mixed = body(end="2026-11-06")
    assert await faults(api, "POST", WORK, json=mixed) == {"end": ["errors.invalid"]}
    backwards = body(end="2026-11-05T08:00:00Z")
    assert await faults(api, "POST", WORK, json=backwards) == {"end": ["errors.invalid"]}
    nobody = body(attendees={"invite": [{"email": "nobody"}]})
    assert await faults(api, "POST", WORK, json=nobody) == {"attendees": ["errors.invalid"]}


async def test_read_only_and_deleted_calendars_refuse_writes(api: Api) -> None:
    """C5: 422 on `calendar_id`; an unknown one is 404."""
    server = api.ground.server
    server.add("/fixed/", "Fixed", read_only=True)
    server.add("/team/", "Team")
    await api.ground.poll()
    del server.calendars[CalendarKey("/team/")]
    for _ in range(3):
        await api.ground.poll(after=timedelta(minutes=10))
    listed = (await api.json("/v1/calendars"))["calendars"]
    ids = {one["calendar_name"]: one["calendar_id"] for one in listed}
    fixed, team = (f"/v1/calendars/{ids[name]}/events" for name in ("Fixed", "Team"))
    for method, path, given in (
        ("POST", "", body()),
        ("DELETE", "", {"event_id": "one"}),
        ("POST", "/none/participation_status", {"status": "declined"}),
    ):
        readonly = await faults(api, method, f"{fixed}{path}", json=given)
        assert readonly == {"calendar_id": ["errors.calendar_readonly"]}
        deleted = await faults(api, method, f"{team}{path}", json=given)
        assert deleted == {"calendar_id": ["errors.calendar_deleted"]}
        unknown = await api.send(method, f"/v1/calendars/cal_aaab_none/events{path}", json=given)
        assert unknown.status == 404
    assert server.writes == 0


async def test_an_event_deleted_by_a_person_is_made_anew(api: Api) -> None:
    """C10: the name is gone with the event, here and at the provider."""
    calendar = await work(api)
    assert (await api.send("POST", WORK, json=body())).status == 202
    (former,) = calendar.resources
    calendar.remove(former)
    await api.ground.poll()
    assert await every(api, MINE) == []
    assert (await api.send("POST", WORK, json=body(summary="Again"))).status == 202
    (key,) = calendar.resources
    assert key != former
    calendar.remove(key)  # and nobody has polled since
    assert (await api.send("POST", WORK, json=body(summary="Third"))).status == 202
    assert [one.name for one in held(calendar)] == ["Third"]
    assert names(await every(api, MINE)) == ["Third"]


async def test_a_crash_behind_the_provider_makes_no_second_event(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C10, R17: the name was claimed before; the next upsert finds what was made."""
    calendar = await work(api)

    async def die(*_: object) -> None:
        raise RuntimeError("power failed")

    with monkeypatch.context() as patched:
        patched.setattr(api.ground.store, "bind", die)
        assert (await api.send("POST", WORK, json=body())).status == 500
    assert len(held(calendar)) == 1
    await api.ground.poll()
    assert (await api.send("POST", WORK, json=body(summary="Later"))).status == 202
    assert [one.name for one in held(calendar)] == ["Later"]
    assert [one["event_id"] for one in await every(api, MINE)] == ["one"]


async def test_applications_do_not_see_each_others_names(api: Api) -> None:
    """C10: an own id is the application's own, in one calendar."""
    api.ground.server.add("/team/", "Team")
    calendar = await work(api)
    listed = (await api.json("/v1/calendars"))["calendars"]
    team = next(one["calendar_id"] for one in listed if one["calendar_name"] == "Team")
    assert (await api.send("POST", WORK, json=body())).status == 202
    assert (await api.send("POST", f"/v1/calendars/{team}/events", json=body())).status == 202
    assert len(held(calendar)) == 1
    assert len(await every(api, MINE)) == 2


async def test_a_series_made_of_a_managed_event_stays_managed(api: Api) -> None:
    """C6, C10: its exceptions too."""
    calendar = await work(api)
    assert (await api.send("POST", WORK, json=body())).status == 202
    (key,) = calendar.resources
    uid = held(calendar)[0].uid
    calendar.put(
        key,
        series(uid, 5, rule="RRULE:FREQ=DAILY;COUNT=2"),
        exception("Late", 6, uid=uid),
    )
    await api.ground.poll()
    found = await every(api, MINE)
    assert [one["event_id"] for one in found] == ["one", "one"]
    assert await every(api, f"/v1/events?{NOVEMBER}") == []


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


async def test_an_upsert_that_is_repeated_is_answered_as_before(api: Api) -> None:
    """R17."""
    calendar = await work(api)
    key = {"Idempotency-Key": "k1"}
    for _ in range(2):
        assert (await api.send("POST", WORK, json=body(), headers=key)).status == 202
    assert len(held(calendar)) == 1
    other = await api.send("POST", WORK, json=body("two"), headers=key)
    assert other.status == 422


async def test_a_profile_that_lost_its_login_refuses_writes_with_423(api: Api) -> None:
    """R15: in this dialect's word for the URL."""
    await work(api)
    await api.disconnect()
    response = await api.send("POST", WORK, json=body())
    assert response.status == 423
    assert "profile_relink_url" in await response.json(content_type=None)
