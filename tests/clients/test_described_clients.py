"""W4 to W6: clients that no registry has, by the requests that api.md describes of them."""

import os
from typing import Any

import pytest
import requests

from tests.clients.test_seed_others import CALENDARS, mytoken
from tests.clients.world import Person, World

ORIGIN = "http://app.example"
SOURCE = {"X-Kloudless-Source": "authenticator"}


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person("work", "home", "club")


@pytest.fixture(scope="module")
def registered(world: World) -> Any:  # noqa: ANN401 - JSON
    return world.application("browser", "--origin", ORIGIN)


def test_w4_a_browser_asks_before_it_sends(ada: Person, registered: Any) -> None:  # noqa: ANN401
    """CORS for registered origins alone: the preflight needs no token."""
    assert registered
    url = f"{ada.world.address}/v1/accounts/{ada.account_id}/?retrieve_full=False"
    asked = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,x-kloudless-source",
    }
    told = requests.options(url, headers={"Origin": ORIGIN, **asked}, timeout=20)
    assert told.headers["Access-Control-Allow-Origin"] == ORIGIN
    allowed = told.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "x-kloudless-source"} <= set(allowed.replace(" ", "").split(","))
    foreign = requests.options(url, headers={"Origin": "http://evil.example", **asked}, timeout=20)
    assert "Access-Control-Allow-Origin" not in foreign.headers


def test_w4_the_authenticator_verifies_its_token(ada: Person, registered: Any) -> None:  # noqa: ANN401
    assert registered
    headers = {"Origin": ORIGIN, **SOURCE}
    verified = ada.send("GET", "/v1/oauth/token/", headers=headers)
    assert verified.status_code == 200
    assert verified.headers["Access-Control-Allow-Origin"] == ORIGIN
    account = verified.json()["account_id"]
    told = ada.send("GET", f"/v1/accounts/{account}/?retrieve_full=False", headers=headers)
    assert told.status_code == 200
    body = told.json()
    assert body["id"] == account
    assert body["account"] == ada.name
    assert body["service_name"] == "CalDAV"
    assert "calendar" in body["apis"]


def test_w5_every_path_may_end_with_a_slash(ada: Person) -> None:
    """kloudless-js appends one, and takes JSON only under exactly this type."""
    for path in ("me/", "me/cal/calendars/", "me/cal/calendars/primary/events/", "me/events/"):
        told = ada.send("GET", f"/v1/accounts/{path}", headers=SOURCE)
        assert told.status_code == 200, path
        assert told.headers["Content-Type"] == "application/json"
    missing = ada.send("GET", "/v1/accounts/me/cal/calendars/cal_none/")
    assert missing.headers["Content-Type"] == "application/json"
    assert missing.json()["status_code"] == 404
    assert missing.json()["error_code"] == "not_found"
    assert missing.json()["message"]


def test_w5_links_begin_with_the_address_that_was_used(ada: Person) -> None:
    for address in (ada.world.address, ada.world.address.replace("127.0.0.1", "localhost")):
        listed = ada.send("GET", f"{address}/v1/accounts/me/cal/calendars/").json()["objects"]
        assert all(one["href"].startswith(f"{address}/v1/") for one in listed)


def test_w5_pages_are_followed_to_their_ends(ada: Person) -> None:
    """By ``next_page``, else by ``cursor`` until ``objects`` is empty, with ``page_size``."""
    found, page = list[str](), "1"
    while page:
        told = ada.send("GET", f"/v1/accounts/me/cal/calendars/?page_size=2&page={page}").json()
        found += [one["name"] for one in told["objects"]]
        page = told["next_page"]
        assert "cursor" not in told
    assert sorted(found) == ["Club", "Home", "Work"]
    records, query = list[str](), "page_size=2"
    while True:
        told = ada.send("GET", f"/v1/accounts/me/events/?{query}").json()
        assert "next_page" not in told
        if not told["objects"]:
            break
        records += [one["id"] for one in told["objects"]]
        query = f"page_size=2&cursor={told['cursor']}"
    assert len(records) == len(set(records)) >= 4


def test_w5_an_invalid_token_is_a_400(ada: Person) -> None:
    assert ada.send("GET", "/v1/oauth/token/", "dead").status_code == 400


def test_w6_the_mytoken_client_finds_its_endpoints(ada: Person) -> None:
    """First the configuration, then the settings, without a token."""
    address = ada.world.address
    told = requests.get(f"{address}/.well-known/mytoken-configuration", timeout=20)
    assert told.status_code == 200
    endpoints = told.json()
    assert endpoints["issuer"] == address
    assert endpoints["notifications_endpoint"] == f"{address}/api/v0/notifications"
    settings = requests.get(endpoints["usersettings_endpoint"], timeout=20)
    assert settings.status_code == 200
    assert settings.json()["tags_endpoint"] == f"{address}/api/v0/settings/tags"


def test_w6_calendars_are_made_and_left_as_the_command_line_client_does(ada: Person) -> None:
    """``null`` as body of GET, ``description`` and ``tags`` for a name, DELETE with ``mom_id``."""
    made = mytoken(ada)
    token = made["token"]
    tags = ada.send("GET", "/api/v0/settings/tags", token, data=b"null")
    assert (tags.status_code, tags.json()) == (200, {"tags": []})
    created = ada.send("POST", CALENDARS, token, json={"description": "Expiring", "tags": None})
    assert created.status_code == 201, created.text
    calendar = created.json()["id"]
    added = ada.send("POST", f"{CALENDARS}/{calendar}", token, json={"mom_id": made["mom_id"]})
    assert added.json()["subscribed_tokens"] == [made["mom_id"]]
    left = {"mom_id": made["mom_id"], "comment": ""}
    gone = ada.send("DELETE", f"{CALENDARS}/{calendar}", token, json=left)
    assert gone.status_code == 204
    listed = ada.send("GET", CALENDARS, token, data=b"null").json()["calendars"]
    (kept,) = (one for one in listed if one["id"] == calendar)
    assert "subscribed_tokens" not in kept


def test_w6_a_rotating_token_is_replaced_in_the_answer(ada: Person) -> None:
    """The client stores ``token_update.mytoken``; a 204 becomes a 200 with it."""
    told = ada.world.ask(
        *("token", "create", "--user", ada.name, "--scope", "manage_mytokens:notify"),
        *("--expires-in", "90d", "--rotate"),
    )
    tokens = [told["token"]]
    listed = ada.send("GET", CALENDARS, tokens[-1]).json()
    tokens.append(listed["token_update"]["mytoken"])
    assert listed["token_update"]["mom_id"] == told["mom_id"]
    gone = ada.send("DELETE", f"{CALENDARS}/{os.urandom(4).hex()}", tokens[-1])
    assert gone.status_code == 200
    tokens.append(gone.json()["token_update"]["mytoken"])
    assert len(set(tokens)) == 3
    assert ada.send("GET", CALENDARS, tokens[-1]).status_code == 200


def test_w6_every_error_is_json_with_an_error_word(ada: Person) -> None:
    for path, token in ((CALENDARS, "dead"), ("/api/v0/nothing", ada.token)):
        refused = ada.send("GET", path, token)
        assert refused.status_code >= 400
        assert refused.headers["Content-Type"] == "application/json"
        assert refused.json()["error"]
