"""Rooms (K33, K34), pass-through (K29), and the headers of R20."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse, web
from jsonschema import Draft202012Validator
from structlog.testing import capture_logs

from syncd.api.answers import answer
from syncd.api.heard import OURS
from syncd.api.route import route
from syncd.model.abilities import Abilities
from syncd.model.access import Scope
from syncd.model.errors import InvalidError, MalformedReplyError, TransientError
from syncd.model.ids import CalendarKey
from syncd.model.room import Room
from syncd.ports.passing import Passed, PassedAnswer, sent_along
from tests.api.serving import Api, serving

METHOD, URI = "X-Kloudless-Raw-Method", "X-Kloudless-Raw-URI"
RAW = "X-Kloudless-Raw-Headers"


def rooms(count: int) -> Sequence[Room]:
    return [Room(id=f"r{number}", email=f"r{number}@example.org") for number in range(count)]


async def test_a_provider_without_rooms_has_an_empty_list(api: Api) -> None:
    """K30, K33: without asking it, so also while it is disconnected."""
    await api.disconnect()
    assert await api.json("/v1/accounts/me/cal/resources") == {
        "count": 0,
        "page": "1",
        "next_page": None,
        "objects": [],
        "type": "object_list",
        "api": "calendar",
    }
    assert (await api.get("/v1/accounts/me/cal/resources/r1")).status == 404


async def test_rooms_are_listed_in_pages_and_found_by_id(api: Api) -> None:
    """K33, K34."""
    api.ground.server.can = Abilities(rooms=True)
    atrium = CalendarKey("z@example.org")
    named = Room(id="z", email=atrium, name="Atrium", description="Light", calendar=atrium)
    elsewhere = Room(id="y", email="y@example.org", calendar=CalendarKey("y@example.org"))
    api.ground.server.rooms = [*rooms(5), elsewhere, named]
    api.ground.server.add(atrium, "Atrium")
    await api.ground.poll(listing=True)
    place = f"/v1/accounts/{api.account}/cal/resources"
    listed = await api.pages(place, 2)
    assert [one["id"] for one in listed] == ["r0", "r1", "r2", "r3", "r4", "y", "z"]
    assert listed[-2]["calendar"] is None, "of a calendar that is not among the account's"
    (calendar,) = (await api.json(f"/v1/accounts/{api.account}/cal/calendars"))["objects"]
    assert listed[-1] == {
        "id": "z",
        "name": "Atrium",
        "description": "Light",
        "email": "z@example.org",
        "calendar": calendar["id"],
        "category": "room",
        "type": "resource",
        "api": "calendar",
    }
    assert await api.json(f"{place}/z") == listed[-1]
    assert (await api.get(f"{place}/x")).status == 404
    await api.disconnect()
    assert (await api.get(place)).status == 423


async def test_a_room_has_its_raw_object_where_that_is_asked_for_k11(api: Api) -> None:
    api.ground.server.can = Abilities(rooms=True)
    api.ground.server.rooms = [Room(id="r", email="r@example.org", raw=b'{"resourceId":"r"}')]
    place = f"/v1/accounts/{api.account}/cal/resources"
    asked = {"X-Kloudless-Raw-Data": "true"}
    (listed,) = (await api.json(place, headers=asked))["objects"]
    assert listed["raw"] == {"id": "r", "object": {"resourceId": "r"}}
    assert await api.json(f"{place}/r", headers=asked) == listed
    assert "raw" not in await api.json(f"{place}/r")


async def passed(api: Api, headers: dict[str, str], **more: Any) -> ClientResponse:  # noqa: ANN401 - of a request
    given = {METHOD: "REPORT", URI: "/dav/"} | headers
    return await api.send("POST", "/v1/accounts/me/raw", headers=given, **more)


async def test_a_request_goes_to_the_provider_and_its_answer_comes_back(api: Api) -> None:
    """K29: status, type and body, refusals too."""
    response = await passed(api, {"Content-Type": "text/xml", RAW: '{"Depth":"1"}'}, data=b"<q/>\0")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/xml"
    assert await response.read() == b"<x/>"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    asked = Passed(method="REPORT", uri="/dav/", body=b"<q/>\0", content_type="text/xml")
    assert api.ground.server.passed == [(asked, {"Depth": "1"})]
    api.ground.server.answer = PassedAnswer(status=401, body=b"no", content_type="text/plain")
    refused = await passed(api, {})
    assert (refused.status, await refused.text()) == (401, "no")
    assert "WWW-Authenticate" not in refused.headers


@pytest.mark.parametrize(
    "headers",
    [
        {METHOD: ""}, {METHOD: "connect"}, {METHOD: "CONNECT"}, {METHOD: "TRACE"}, {METHOD: "A B"},
        {URI: ""}, {URI: "dav"}, {URI: "//evil.example/"}, {URI: "ftp://a.example/"},
        {URI: "/a b"}, {URI: "/\\evil.example"}, {URI: "/é"},
    ],
    ids=str,
)  # fmt: skip
async def test_a_request_without_a_method_or_a_place_is_refused(
    api: Api, headers: dict[str, str]
) -> None:
    """K29: 400, the provider is not asked, and the document had said so."""
    response = await passed(api, headers)
    assert response.status == 400
    assert api.ground.server.passed == []
    operation = (await api.json("/openapi.json"))["paths"]["/v1/accounts/{account_id}/raw"]["post"]
    described = {one["name"]: one["schema"] for one in operation["parameters"]}
    ((name, value),) = headers.items()
    assert not Draft202012Validator(described[name]).is_valid(value)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidError("not an address of this profile's server"), 400, "invalid_parameters"),
        (MalformedReplyError("more than 16 MiB"), 502, "upstream_error"),
        (TransientError("no connection"), 502, "upstream_error"),
    ],
    ids=["foreign", "large", "away"],
)
async def test_what_does_not_come_back_is_told(
    api: Api, error: Exception, status: int, code: str
) -> None:
    api.ground.server.answer = error
    response = await passed(api, {})
    body = await response.json(content_type=None)
    assert (response.status, body["error_code"]) == (status, code)


async def test_passing_through_has_a_scope_of_its_own_and_needs_a_login(api: Api) -> None:
    """R7, R15."""
    narrow = await api.token(*[one for one in Scope if one not in {Scope.ALL, Scope.RAW}])
    assert (await passed(api, {}, token=narrow)).status == 403
    await api.disconnect()
    assert (await passed(api, {})).status == 423


@pytest.mark.parametrize(
    "text",
    [
        "x", "[]", '"x"', '{"a":1}', '{"a":null}', '{"a b":"x"}', '{"":"x"}', '{"a":"x\\r\\nB: y"}',
        '{"a":"\\u00e9"}', *(orjson.dumps({name.title(): "x"}).decode() for name in sorted(OURS)),
    ],
)  # fmt: skip
async def test_headers_for_the_provider_are_checked_before_anything_is_done(
    api: Api, text: str
) -> None:
    """R20: credentials, host, lengths and what belongs to one connection are ours to send."""
    response = await passed(api, {RAW: text})
    assert (response.status, api.ground.server.passed) == (400, [])
    assert (await api.get("/v1/accounts/me", headers={RAW: text})).status == 400


async def test_headers_go_along_with_writes_and_not_with_reads(tmp_path: Any) -> None:  # noqa: ANN401 - a path
    """R20: and only of the request that brought them."""

    async def look(request: web.Request) -> web.Response:
        """Look."""
        assert request
        return answer({"along": dict(sent_along())})

    path = "/v1/accounts/{account_id}/along"
    extra = [
        route(method, path, scope=Scope.READ_ACCOUNT)(look)
        for method in ("GET", "POST", "PATCH", "DELETE")
    ]
    headers = {RAW: '{"Prefer":"x"}'}
    async with serving(tmp_path, extra=extra) as api:
        for one in extra:
            told = await api.send(one.method, "/v1/accounts/me/along", headers=headers)
            assert await told.json() == {"along": {} if one.method == "GET" else {"Prefer": "x"}}
            plain = await api.send(one.method, "/v1/accounts/me/along")
            assert await plain.json() == {"along": {}}


async def test_acting_for_others_is_refused_where_no_admin_profile_can(api: Api) -> None:
    """R20: after asking who one is."""
    headers = {"X-Kloudless-As-User": "eve@example.org"}
    response = await api.get("/v1/accounts/me", headers=headers)
    body = await response.json(content_type=None)
    assert (response.status, body["error_code"]) == (400, "not_supported")
    assert (await api.get("/v1/accounts/me", headers=headers, token="")).status == 401
    assert (await api.get("/v1/profiles", headers=headers)).status == 200  # not of its dialect


async def test_a_client_may_name_itself_in_100_characters_of_the_log(api: Api) -> None:
    """R20."""
    with capture_logs() as lines:
        await api.get("/v1/accounts/me", headers={"X-Kloudless-Source": "explorer\t" + "x" * 200})
    (line,) = [one for one in lines if one["event"] == "request.source"]
    assert line["source"] == "explorer" + "x" * 92
