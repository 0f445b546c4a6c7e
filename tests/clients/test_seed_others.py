"""W7: every example request of the Cronofy and mytoken documents, as it is written there."""

from typing import Any

import pytest

from tests.clients.alike import differences
from tests.clients.world import Person, World

JSON = {"Content-Type": "application/json; charset=utf-8"}
CALENDAR = {
    "provider_name": "google",
    "profile_id": "pro_n23kjnwrw2",
    "profile_name": "example@cronofy.com",
    "calendar_id": "cal_n23kjnwrw2_sakdnawerd3",
    "calendar_name": "New Calendar",
    "calendar_readonly": False,
    "calendar_deleted": False,
}
MORE = frozenset({  # C1, C2
    *("calendar_primary", "calendar_integrated_conferencing_available", "permission_level"),
    *("calendar_attachments_available", "provider_service", "profile_initial_sync_required"),
})  # fmt: skip
TOKEN_CALENDAR = {"name": "foobar", "ics_path": "https://mytoken.example.com/calendars/59ck"}
MORE_OF_TOKENS = frozenset({"id", "description", "tags"})  # M3
CALENDARS = "/api/v0/notifications/calendars"


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person("work")


def cronofy(response: Any, status: int) -> Any:  # noqa: ANN401 - JSON
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    return response.json()


def test_cronofy_creates_a_calendar(ada: Person) -> None:
    body = {"profile_id": ada.profile_id, "name": "New Calendar", "color": "#49BED8"}
    told = cronofy(ada.send("POST", "/v1/calendars", json=body, headers=JSON), 200)
    assert differences(told, {"calendar": CALENDAR}, more=MORE) == []
    assert told["calendar"]["calendar_name"] == "New Calendar"
    assert told["calendar"]["profile_id"] == ada.profile_id


def test_cronofy_refuses_a_calendar_in_the_documented_words(ada: Person) -> None:
    body = {"profile_id": ada.profile_id}
    told = cronofy(ada.send("POST", "/v1/calendars", json=body, headers=JSON), 422)
    assert told == {"errors": {"name": [{"key": "errors.required", "description": "required"}]}}
    assert ada.send("POST", "/v1/calendars", "dead", json=body).status_code == 401
    narrow = ada.narrow("read_account", "list_calendars")
    assert ada.send("POST", "/v1/calendars", narrow, json=body).status_code == 403


def test_cronofy_lists_profiles_connected_and_not(world: World) -> None:
    eve = world.person("work")
    lost = world.another_login(eve, "club")
    world.lock_out(lost)
    told = cronofy(eve.send("GET", "/v1/profiles"), 200)
    connected = {
        "provider_name": "google",
        "profile_id": "pro_n23kjnwrw2",
        "profile_name": "",
        "profile_connected": True,
    }
    first, second = told["profiles"]
    assert differences(first, connected, more=MORE) == []
    assert differences(second, {**connected, "profile_relink_url": ""}, more=MORE) == []
    assert (first["profile_connected"], second["profile_connected"]) == (True, False)
    assert world.address in second["profile_relink_url"]


def mytoken(person: Person) -> dict[str, Any]:
    """Make a token that expires, as the command line does for a user."""
    scope = "manage_mytokens:notify"
    told = person.world.ask(
        *("token", "create", "--user", person.name, "--scope", scope, "--expires-in", "90d")
    )
    assert isinstance(told, dict)
    return told


def test_mytoken_keeps_calendars_of_tokens(ada: Person) -> None:
    """The walk through the document: create, list, read, add a token, delete."""
    made = mytoken(ada)
    body = {"name": "CI Mytokens", "mytoken": made["token"]}
    response = ada.send("POST", CALENDARS, "none", json=body)
    assert response.status_code == 201, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert differences(response.json(), TOKEN_CALENDAR, more=MORE_OF_TOKENS) == []
    assert response.json()["name"] == "CI Mytokens"
    form = ada.send("POST", CALENDARS, "none", data={"name": "foobar", "mytoken": made["token"]})
    assert form.status_code == 201

    added = {"mytoken": made["token"], "mom_id": made["mom_id"]}
    response = ada.send("POST", f"{CALENDARS}/foobar", "none", json=added)
    assert response.status_code == 200, response.text
    subscribed = {**TOKEN_CALENDAR, "subscribed_tokens": ["rB8g"]}
    assert differences(response.json(), subscribed, more=MORE_OF_TOKENS) == []
    assert response.json()["subscribed_tokens"] == [made["mom_id"]]

    listed = ada.send("GET", CALENDARS, made["token"])
    assert listed.status_code == 200
    first, second = listed.json()["calendars"]
    assert listed.json().keys() == {"calendars"}
    assert differences(first, TOKEN_CALENDAR, more=MORE_OF_TOKENS) == []
    assert differences(second, subscribed, more=MORE_OF_TOKENS) == []

    redirect = ada.send("GET", f"{CALENDARS}/foobar", made["token"])
    assert (redirect.status_code, redirect.headers["Location"]) == (302, second["ics_path"])
    ics = ada.send("GET", redirect.headers["Location"])
    assert ics.status_code == 200
    assert ics.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert f"UID:{made['mom_id'][:20]}" in ics.text

    gone = ada.send("DELETE", f"{CALENDARS}/foobar", made["token"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert ada.send("GET", second["ics_path"]).status_code == 404
