"""Writing events in Cronofy's words (api.md C10)."""

from datetime import timedelta

import pytest

from syncd.model.abilities import Abilities
from syncd.model.event import Geo, Visibility
from syncd.model.ids import CalendarKey
from tests.api.cronofy import MINE, WORK, body, faults, held, work
from tests.api.serving import Api
from tests.api.test_cronofy_events import NOVEMBER, every, names
from tests.engine.ground import event, exception, series


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
        location={"description": "Room 2", "lat": "52.5", "long": 13.4},
        transparency="transparent",
        event_private=True,
        color="#49BED8",
        reminders=[{"minutes": 30}, {"minutes": 5}],
        attendees={"invite": [{"email": "bo@example.org", "display_name": "Bo"}]},
    )
    response = await api.send("POST", WORK, json=given)
    assert response.status == 202
    assert "X-Syncd-Ignored" not in response.headers
    (made,) = held(calendar)
    assert made.start_zone == made.end_zone == "Europe/Berlin"
    assert made.end - made.start == timedelta(hours=1, minutes=30)
    assert (made.location, made.geo) == ("Room 2", Geo(lat=52.5, long=13.4))
    assert made.transparent
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
    needed = ("event_id", "summary", "start", "end")
    for nothing in ({}, dict.fromkeys(needed), dict.fromkeys(needed, "")):
        found = await faults(api, "POST", WORK, json=nothing)
        assert found == dict.fromkeys(needed, required)
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


async def test_a_place_comes_back_if_it_is_asked_for_and_stays_until_it_is_removed(
    api: Api,
) -> None:
    """C6, C7, C10: each member of a location by itself; Kloudless readers see it where it is."""
    await work(api)
    for given, told in (
        ({"description": "Room 2", "lat": "52.5", "long": 13.4},
         {"description": "Room 2", "lat": "52.500000", "long": "13.400000"}),
        ({"description": "Room 3"},
         {"description": "Room 3", "lat": "52.500000", "long": "13.400000"}),
        ({"lat": -0.0000001, "long": "-180"},
         {"description": "Room 3", "lat": "0.000000", "long": "-180.000000"}),
        ({"lat": None, "long": None}, {"description": "Room 3"}),
        ({"description": None, "lat": 1, "long": 2}, {"lat": "1.000000", "long": "2.000000"}),
    ):  # fmt: skip
        response = await api.send("POST", WORK, json=body(location=given))
        assert response.status == 202
        (one,) = await every(api, f"{MINE}&include_geo=true")
        assert one["location"] == told
    (bare,) = await every(api, MINE)
    assert "location" not in bare
    listed = await api.json("/v1/accounts/me/cal/calendars/primary/events")
    assert listed["objects"][0]["geo"] == {"lat": 1.0, "long": 2.0}


@pytest.mark.parametrize(
    "location",
    [
        {"lat": 1}, {"long": 1}, {"lat": None, "long": 1}, {"lat": 90.1, "long": 1},
        {"lat": 1, "long": "181"}, {"lat": "north", "long": 1}, {"lat": "nan", "long": 1},
        {"lat": "1", "long": "-inf"}, {"lat": "", "long": ""}, {"lat": [1], "long": 1},
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_place_on_the_globe_is_refused(
    api: Api, location: dict[str, object]
) -> None:
    calendar = await work(api)
    refused = await faults(api, "POST", WORK, json=body(location=location))
    assert refused.keys() == {"location"}
    assert held(calendar) == []


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
