"""Making calendars in Cronofy's words (api.md C5)."""

from syncd.model.abilities import Abilities
from syncd.model.access import Scope
from syncd.model.errors import ConflictError
from tests.api.cronofy import faults
from tests.api.serving import Api


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
