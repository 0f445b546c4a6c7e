"""The mytoken dialect (api.md M1-M15) by the requests that its Go client sends (W6)."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import pytest
from icalendar import Calendar
from yarl import URL

from syncd.model.access import Scope, split_token
from syncd.model.ids import TokenId
from tests.api.serving import Api

ROOT = "/api/v0/notifications/calendars"
TAGS = "/api/v0/settings/tags"
SECOND = timedelta(seconds=1)
NULL = b"null"  # what the Go client sends for no body, without a type


async def calendar_token(api: Api, *scopes: Scope, **fields: Any) -> str:  # noqa: ANN401 - of a Token
    return await api.token(*(scopes or (Scope.NOTIFY,)), **fields)


def identity(text: str) -> TokenId:
    parts = split_token(text)
    assert parts
    return parts[0]


async def lineage(api: Api, text: str) -> str:
    token = await api.ground.store.token(identity(text))
    assert token
    return token.lineage


async def create(api: Api, token: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
    async with await api.send("POST", ROOT, token=token, json=body) as response:
        assert response.status == 201, await response.text()
        return await response.json()


async def refused(api: Api, method: str, path: str, **more: Any) -> tuple[int, Any]:  # noqa: ANN401
    async with await api.send(method, path, **more) as response:
        assert response.headers["Content-Type"] == "application/json"
        return response.status, await response.json()


async def test_the_configuration_leads_to_everything(api: Api) -> None:
    """M1, M14: no token, and the address of the request."""
    told = await api.json("/.well-known/mytoken-configuration", token="")
    assert told["issuer"] == api.url
    assert told["notifications_endpoint"] == f"{api.url}/api/v0/notifications"
    assert told["usersettings_endpoint"] == f"{api.url}/api/v0/settings"
    assert told["providers_supported"] == told["restriction_claims_supported"] == []
    keys = await api.json(urlsplit(told["jwks_uri"]).path, token="")
    assert keys == {"keys": []}
    settings = await api.json("/api/v0/settings", token="")
    assert settings == {"tags_endpoint": f"{api.url}{TAGS}"}
    for endpoint in (told["access_token_endpoint"], told["mytoken_endpoint"]):
        path = urlsplit(endpoint).path
        assert await refused(api, "POST", path) == (
            501,
            {"error": "not_yet_implemented", "error_description": "this is not served here"},
        )


@pytest.mark.parametrize("path", ["", "/notifications", "/settings/grants", "/tokeninfo/x"])
async def test_everything_else_of_mytoken_is_not_implemented_yet(api: Api, path: str) -> None:
    """M15."""
    for method in ("GET", "POST"):
        status, body = await refused(api, method, f"/api/v0{path}", token="")
        assert (status, body["error"]) == (501, "not_yet_implemented")


async def test_the_go_client_creates_lists_and_deletes(api: Api) -> None:
    """W6: settings first, then tags, then a calendar by description and tags, then by id."""
    token = await calendar_token(api)
    assert (await api.json(TAGS, token=token, data=NULL)) == {"tags": []}
    body = {"description": "CI tokens", "tags": None}
    made = await create(api, token, **body)
    assert made["name"] == made["description"] == "CI tokens"
    assert len(made["id"]) == 32
    assert made["tags"] == []
    assert "subscribed_tokens" not in made
    path = urlsplit(made["ics_path"]).path
    assert made["ics_path"] == api.url + path
    assert path.startswith("/calendars/")
    assert len(path.removeprefix("/calendars/")) >= 32
    assert path.removeprefix("/calendars/").isalnum()
    listed = await api.json(ROOT, token=token, data=NULL)
    assert listed == {"calendars": [made]}
    wanted = await calendar_token(api, expires_at=api.clock.now() + timedelta(days=90))
    mom = await lineage(api, wanted)
    added = await api.send(
        "POST", f"{ROOT}/{made['id']}", token=token, json={"mom_id": mom, "comment": "CI"}
    )
    assert added.status == 200
    assert (await added.json()) == made | {"subscribed_tokens": [mom]}
    gone = {"mom_id": mom, "comment": ""}
    ended = await api.send("DELETE", f"{ROOT}/{made['id']}", token=token, json=gone)
    assert (ended.status, await ended.read()) == (204, b"")
    assert await api.json(ROOT, token=token) == {"calendars": [made]}
    removed = await api.send("DELETE", f"{ROOT}/{made['id']}", token=token, data=NULL)
    assert removed.status == 204
    assert await api.json(ROOT, token=token) == {"calendars": []}


async def test_the_token_in_the_body_wins_and_forms_are_read(api: Api) -> None:
    """M2, M4, R2: by its first byte, whatever is declared."""
    token, narrow = await calendar_token(api), await api.token(Scope.READ_EVENTS)
    body = {"name": "CI Mytokens", "mytoken": token}
    odd = {"Content-Type": "application/x-www-form-urlencoded"}
    one = await api.send("POST", ROOT, token=narrow, data=orjson.dumps(body), headers=odd)
    assert one.status == 201
    assert one.headers["Location"] == f"{api.url}{ROOT}/{(await one.json())['id']}"
    api.clock.advance(SECOND)
    form = await api.send("POST", ROOT, token="", data={"name": "Formed", "mytoken": token})
    assert form.status == 201
    json_type = {"Content-Type": "application/json"}
    api.clock.advance(SECOND)
    text = f"name=Third&mytoken={token}"
    assert (await api.send("POST", ROOT, token="", data=text, headers=json_type)).status == 201
    wrong = await refused(api, "POST", ROOT, token=token, json=body | {"mytoken": narrow})
    assert wrong[0] == 403
    in_get = await refused(api, "GET", ROOT, token="", json={"mytoken": token})
    assert in_get[0] == 401  # a GET has no body (R3)
    names = [one["name"] for one in (await api.json(ROOT, token=token))["calendars"]]
    assert names == ["CI Mytokens", "Formed", "Third"]


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ("manage_mytokens:notify", "rw"),
        ("manage_mytokens", "rw"),
        ("read@manage_mytokens:notify", "r"),
        ("read@manage_mytokens", "r"),
        ("all", "rw"),
        ("settings:tags", ""),
        ("read@settings", ""),
        ("read_events", ""),
    ],
)
async def test_capabilities_have_a_hierarchy(api: Api, scope: str, opens: str) -> None:
    """M2: a prefix grants what is below it, reading grants no writing."""
    token = await api.token(Scope(scope))
    told = {
        "error": "insufficient_capabilities",
        "error_description": "The provided token does not have the required capability for "
        "this operation",
    }
    for method, path, allowed in (("GET", ROOT, "r"), ("POST", ROOT, "w")):
        body = {} if method == "GET" else {"json": {"name": "x"}}
        async with await api.send(method, path, token=token, **body) as response:
            if allowed in opens:
                assert response.status in {200, 201}
            else:
                assert (response.status, await response.json()) == (403, told)
                assert "insufficient_scope" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("scope", "opens"),
    [
        ("settings", "rw"),
        ("settings:tags", "rw"),
        ("read@settings", "r"),
        ("read@manage_mytokens:notify", "r"),
        ("manage_mytokens:notify", "rw"),
        ("read_events", ""),
    ],
)
async def test_a_calendar_token_is_enough_for_tags(api: Api, scope: str, opens: str) -> None:
    """M14."""
    token = await api.token(Scope(scope))
    got = await api.get(TAGS, token=token)
    made = await api.send("POST", f"{TAGS}/ci", token=token)
    assert (got.status == 200, made.status == 201) == ("r" in opens, "w" in opens)


async def test_refusals_are_worded_exactly(api: Api) -> None:
    """M13."""
    token = await calendar_token(api)
    revoked = await calendar_token(api)
    await api.ground.store.revoke_token(identity(revoked), api.clock.now())
    expired = await calendar_token(api, expires_at=api.clock.now())
    none = {"error": "invalid_token", "error_description": "no mytoken found in request"}
    invalid = {"error": "invalid_token", "error_description": "token not valid"}
    assert await refused(api, "GET", ROOT, token="") == (401, none)
    for dead in (expired, "syncd_nobody_x", "nonsense", token + "x"):
        assert await refused(api, "GET", ROOT, token=dead) == (401, invalid)
    assert await refused(api, "GET", ROOT, token=revoked) == (401, {"error": "invalid_token"})
    missing = "required parameter 'name' is missing"
    assert await refused(api, "POST", ROOT, token=token, json={}) == (
        400,
        {"error": "invalid_request", "error_description": missing},
    )
    unknown = {"error": "not_found", "error_description": "calendar not found"}
    assert await refused(api, "GET", f"{ROOT}/nope", token=token) == (404, unknown)
    assert await refused(api, "PUT", f"{ROOT}/nope", token=token, json={}) == (404, unknown)
    one = await refused(api, "POST", f"{ROOT}/nope", token=token, json={"mom_id": "x"})
    assert one == (404, unknown)
    ended = await api.send("DELETE", f"{ROOT}/nope", token=token)
    assert ended.status == 204
    for nobody in (await api.token(admin=True), await api.token(Scope.NOTIFY, admin=True)):
        status, body = await refused(api, "GET", ROOT, token=nobody)
        assert (status, body["error"]) == (403, "usage_restricted")


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "a" * 32, "a\0b", "a\r\nb", 7])
async def test_names_that_are_none_are_refused(api: Api, name: object) -> None:
    """M4: 1 to 255 characters, none of them control characters, not shaped like an id."""
    status, body = await refused(api, "POST", ROOT, json={"name": name})
    assert (status, body["error"]) == (400, "invalid_request")


async def test_a_name_is_taken_once_by_each_user(api: Api) -> None:
    """M4; a description that cannot be a name gives way to the id."""
    token = await calendar_token(api)
    await create(api, token, name="CI")
    status, body = await refused(api, "POST", ROOT, token=token, json={"name": "CI"})
    assert (status, body["error"]) == (400, "invalid_request")
    named = await create(api, token, description="CI", tags=None)
    assert named["name"] == f"calendar-{named['id'][:8]}"
    tagged = await create(api, token, tags=["night", "day", "night"])
    assert tagged["name"] == f"calendar-{tagged['id'][:8]}"
    assert [one["tag"] for one in tagged["tags"]] == ["night", "day"]
    eve = await api.another()
    hers = await api.token(Scope.NOTIFY, user_id=None, profile_id=eve.profile_id)
    assert await api.json(ROOT, token=hers) == {"calendars": []}
    await create(api, hers, name="CI")
    foreign = await refused(api, "GET", f"{ROOT}/{named['id']}", token=hers)
    assert foreign[0] == 404


@pytest.mark.parametrize("name", ["a b", "ä/ö", "100%", "a+b", "x?y#z", "slash/"])
async def test_a_calendar_is_found_by_its_name_as_it_is_written(api: Api, name: str) -> None:
    """M5: percent-decoded; 302 and no rotation; the id wins."""
    token = await calendar_token(api, rotates=True)
    made = await create(api, token, name=name)
    update = made["token_update"]["mytoken"]
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    for path in (quoted, made["id"]):
        url = URL(f"{api.url}{ROOT}/{path}", encoded=True)
        async with api.client.session.get(
            url, headers={"Authorization": f"Bearer {update}"}, allow_redirects=False
        ) as response:
            assert response.status == 302, await response.text()
            assert response.headers["Location"] == made["ics_path"]
            assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_subscribing_has_conditions(api: Api) -> None:
    """M6."""
    token = await calendar_token(api)
    made = await create(api, token, name="CI")
    path = f"{ROOT}/CI"
    status, body = await refused(api, "POST", path, token=token, json={})
    assert (status, body["error"]) == (400, "invalid_request")
    eve = await api.another()
    soon = {"expires_at": api.clock.now() + timedelta(days=9)}
    hers = await api.token(user_id=None, profile_id=eve.profile_id, **soon)
    over = await calendar_token(api, expires_at=api.clock.now())
    for mom in ("nobody", await lineage(api, hers), await lineage(api, over)):
        status, body = await refused(api, "POST", path, token=token, json={"mom_id": mom})
        assert (status, body["error"]) == (403, "invalid_grant")
    forever = await refused(
        api, "POST", path, token=token, json={"mom_id": await lineage(api, token)}
    )
    assert forever == (
        400,
        {
            "error": "invalid_request",
            "error_description": "cannot create an expiration event for non-expiring mytokens",
        },
    )
    mine = await api.token(profile_id=api.ground.profile_id, **soon)  # of a profile of the user
    mom = await lineage(api, mine)
    for comment in ("first", "second"):
        form = {"mom_id": mom, "comment": comment, "mytoken": token}
        answer = await api.send("POST", path, token="", data=form)
        assert (await answer.json())["subscribed_tokens"] == [mom]
    ics = await (await api.get(urlsplit(made["ics_path"]).path, token="")).read()
    (event,) = Calendar.from_ical(ics).events
    assert str(event["description"]).startswith("second\n\n")
    await api.ground.store.revoke_token(identity(mine), api.clock.now())
    shown = (await api.json(ROOT, token=token))["calendars"][0]
    assert "subscribed_tokens" not in shown


@pytest.mark.parametrize("tag", ["a b", "ä/ö", "100%", "x?y#z"])
async def test_a_new_tag_is_where_its_location_says(api: Api, tag: str) -> None:
    """M14: in a header, so nothing of a name stands there as it was given."""
    token = await calendar_token(api)
    headers = {"Authorization": f"Bearer {token}"}
    there = URL(f"{api.url}{TAGS}/{quote(tag, safe='')}", encoded=True)
    async with api.client.session.post(there, headers=headers) as made:
        assert (made.status, made.headers["Location"]) == (201, str(there))
    broken = URL(f"{api.url}{TAGS}/a%0D%0AX:%20y", encoded=True)
    async with api.client.session.post(broken, headers=headers) as refusal:
        assert refusal.status == 400


async def test_tags_are_made_renamed_coloured_and_removed(api: Api) -> None:
    """M7, M14: calendars follow."""
    token = await calendar_token(api)
    made = await api.send("POST", f"{TAGS}/ci", token=token)
    assert (made.status, await made.json()) == (201, {"tag": "ci", "color": "#808080"})
    twice = await refused(api, "POST", f"{TAGS}/ci", token=token)
    assert (twice[0], twice[1]["error"]) == (400, "invalid_request")
    await create(api, token, name="CI", tags=["ci"])
    new = {"tag": "night", "color": "#123456"}
    changed = await api.send("PUT", f"{TAGS}/ci", token=token, json=new)
    assert (changed.status, await changed.json()) == (200, new)
    assert (await api.json(ROOT, token=token))["calendars"][0]["tags"] == [new]
    bad = await refused(api, "PUT", f"{TAGS}/night", token=token, json={"color": "red;}"})
    assert bad[0] == 400
    assert (await refused(api, "PUT", f"{TAGS}/ci", token=token, json={}))[0] == 404
    put = await api.send(
        "PUT", f"{ROOT}/CI", token=token, json={"description": "x", "tags": ["a", "night"]}
    )
    assert [one["tag"] for one in (await put.json())["tags"]] == ["a", "night"]
    assert (await api.send("DELETE", f"{TAGS}/night", token=token)).status == 204
    assert (await api.send("DELETE", f"{TAGS}/night", token=token)).status == 204
    shown = (await api.json(ROOT, token=token))["calendars"][0]
    assert (shown["tags"], shown["description"]) == ([{"tag": "a", "color": "#808080"}], "x")
    await api.send("PUT", f"{ROOT}/CI", token=token, json={"description": None})
    shown = (await api.json(ROOT, token=token))["calendars"][0]
    assert "description" not in shown
    assert len(shown["tags"]) == 1


async def test_a_repeated_create_is_answered_as_the_first_time(api: Api) -> None:
    """R17, M12: the new token too, whose text the store holds only sealed."""
    token = await calendar_token(api, rotates=True)
    key = {"Idempotency-Key": "one"}
    first = await api.send("POST", ROOT, token=token, json={"name": "CI"}, headers=key)
    again = await api.send("POST", ROOT, token=token, json={"name": "CI"}, headers=key)
    assert (first.status, again.status) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await first.json() == await again.json()
