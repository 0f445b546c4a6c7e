"""Rules that hold for every route, those of later days too (api.md section 0)."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.api.build import DIALECTS, routes
from syncd.api.dialect import Dialect
from syncd.api.heard import RAW_HEADERS
from syncd.api.limits import BODY, TARGET
from syncd.api.params import Paged, parse_query
from syncd.api.parts import Rates
from syncd.api.problems import ProblemError
from syncd.api.route import PAGE, NoQuery, Route
from syncd.model.access import Scope
from syncd.model.brands import Brand, brand_of
from tests.api.serving import Api, serving
from tests.api.test_webhooks import made
from tests.engine.ground import event
from tests.store.samples import an_application

TESTS = Path(__file__).parents[1]
WITH_BODY = [one for one in routes() if one.body is not None]
IGNORING = [
    one for one in routes() if one.method == "GET" or (one.method == "DELETE" and not one.body)
]
LISTS = [one for one in routes() if issubclass(one.query, Paged)]
NOT_JSON = (b"{", b'{"a":NaN}', b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"\xff":1}')


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def dialect_of(route: Route) -> Dialect:
    return next(one for one in DIALECTS if one.owns(route.path))


def path(route: Route, api: Api) -> str:
    """Fill a path's braces: the account, its primary calendar, and else what is not there."""
    known = {
        "account_id": str(api.account),
        "account_ids": str(api.account),
        "profile_id": str(api.account),
        "calendar_id": "primary",
    }
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "none"), route.path)


async def ask(api: Api, route: Route, **more: Any) -> ClientResponse:  # noqa: ANN401 - of a request
    return await api.send(route.method, path(route, api), allow_redirects=False, **more)


@pytest.fixture
async def filled(api: Api) -> Api:
    """An account with a primary calendar."""
    api.ground.server.add("/work/", primary=True).put("a.ics", event("Review"))
    await api.ground.poll()
    return api


@pytest.mark.parametrize("number", range(1, 24))
def test_every_rule_of_section_0_is_named_by_a_test(number: int) -> None:
    named = re.compile(rf'^ +"""[^"]*\bR{number}\b', re.MULTILINE)
    assert any(named.search(file.read_text()) for file in TESTS.rglob("test_*.py")), number


async def test_an_answer_without_a_body_says_so(filled: Api) -> None:
    """R1: never an empty chunked one; 204 has neither type nor length."""
    for route in routes():
        for token in (filled.everything, ""):
            async with await ask(filled, route, token=token) as response:
                if "text/event-stream" in response.headers.get("Content-Type", ""):
                    continue
                body = await response.read()
                length = response.headers.get("Content-Length")
                if response.status == 204:
                    assert (body, length, "Content-Type" in response.headers) == (b"", None, False)
                elif not body and response.status != 304:
                    assert length == "0", name(route)
                if response.status >= 400:
                    kind = response.headers["Content-Type"]
                    page = route.content_type == PAGE and kind.startswith(PAGE)
                    assert page or kind == dialect_of(route).problem_type, name(route)


async def test_a_body_that_is_no_json_object_is_refused_wherever_one_is_read(filled: Api) -> None:
    """R2: whatever type is declared, and in the words of the dialect."""
    for route in WITH_BODY:
        for body in NOT_JSON:
            for kind in ("application/json", "text/plain"):
                response = await ask(filled, route, data=body, headers={"Content-Type": kind})
                invalid = 400 if route.oauth else dialect_of(route).invalid  # RFC 6749 §5.2
                assert response.status == invalid, (name(route), body)
                await response.json(content_type=None)


async def test_unknown_members_and_parameters_are_ignored(filled: Api) -> None:
    """R2: the answer is the one without them."""
    for route in routes():
        if route.method != "GET" or route.content_type == "text/event-stream":
            continue
        plain = await ask(filled, route)
        place = f"{path(route, filled)}?nobody=1&nothing"
        more = await filled.get(place, allow_redirects=False)
        assert more.status == plain.status, name(route)


async def test_bodies_of_reads_and_of_most_deletes_are_ignored(filled: Api) -> None:
    """R3: clients send {} and null with all of them."""
    for route in IGNORING:
        if route.content_type == "text/event-stream" or route.method == "DELETE":
            continue
        plain = await ask(filled, route)
        for body in (b"{}", b"null", b"{", b"\xff"):
            given = await ask(filled, route, data=body)
            assert given.status == plain.status, (name(route), body)


async def test_a_token_stands_in_the_header_and_nowhere_else(filled: Api) -> None:
    """R5: not in the query, not in a cookie."""
    for route in routes():
        if not route.guarded:
            continue
        text = filled.everything
        place = f"{path(route, filled)}?access_token={text}&token={text}&Authorization={text}"
        headers = {"Cookie": f"token={text}; Authorization=Bearer {text}"}
        response = await filled.send(route.method, place, token="", headers=headers)
        assert response.status == 401, name(route)


async def test_a_scope_stands_in_the_table_or_none_is_needed() -> None:
    """R7: health, documents, discovery, secret paths, and where providers call (P16)."""
    free = {one.path for one in routes() if not one.guarded}
    for one in routes():
        assert one.scope in {None, *Scope}
        assert one.scope is not Scope.ALL
    health = ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs")
    secret = ("/calendars/{secret}", "/feeds/{secret}", "/actions")
    before = ("/.well-known/", "/api/v0/jwks", "/api/v0/settings", "/oauth/", "/v1/oauth")
    known = (*health, *secret, *before, "/static/", "/v1/push/")
    assert [place for place in free if not place.startswith(known)] == []


async def test_every_list_takes_a_page_size_and_refuses_a_foreign_page(filled: Api) -> None:
    """R11."""
    hook = (await made(filled))["id"]
    for route in LISTS:
        place = path(route, filled).replace("/webhooks/none/", f"/webhooks/{hook}/")
        for size in ("0", "1001", "-1", "x", "1.5"):
            response = await filled.send(route.method, f"{place}?page_size={size}")
            assert response.status == dialect_of(route).invalid, (name(route), size)
        for size in ("1", "1000"):
            assert (await filled.send(route.method, f"{place}?page_size={size}&page=1")).ok
        foreign = await filled.send(route.method, f"{place}?page=WyJ4Iiwx")
        assert foreign.status == 400, name(route)
        assert "invalid_page" in await foreign.text()
        body = await filled.json(place)
        assert "next_page" in body
        assert "cursor" not in body


def flags() -> list[tuple[Route, str]]:
    """Return the parameters that are booleans."""
    found = list[tuple[Route, str]]()
    for one in routes():
        if one.query is not NoQuery:
            told = one.query.model_json_schema()["properties"]
            for field, schema in told.items():
                kinds = [schema, *schema.get("anyOf", [])]
                if any(kind.get("type") == "boolean" for kind in kinds):
                    found.append((one, field))
    return found


def test_booleans_are_written_in_any_of_the_known_ways() -> None:
    """R12: pycronofy sends True and False."""
    assert flags()
    for route, field in flags():
        for text, meant in (("True", True), ("1", True), ("FALSE", False), ("0", False)):
            read = parse_query(route.query, {field: text})
            assert meant in {getattr(read, one) for one in type(read).model_fields}, name(route)
        with pytest.raises(ProblemError):
            parse_query(route.query, {field: "yes"})


async def test_every_answer_has_a_request_id_and_is_private(filled: Api) -> None:
    """R14, R18."""
    for route in routes():
        async with await ask(filled, route, headers={"X-Request-Id": "mine-1"}) as response:
            assert response.headers["X-Request-Id"] == "mine-1", name(route)
            assert response.headers["Cache-Control"], name(route)
            if route.guarded and response.content_type != "text/event-stream":
                assert response.headers["Cache-Control"] in {
                    "private, no-cache", "no-store",
                }, name(route)  # fmt: skip


async def test_whoever_asks_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    """R16: on every route, in the words of its dialect."""
    async with serving(tmp_path, rates=Rates(per_second=0.1, burst=1)) as api:
        await api.get("/livez", token="")
        for route in routes():
            response = await ask(api, route)
            assert response.status == 429, name(route)
            assert int(response.headers["Retry-After"]) >= 1
            assert response.headers["Content-Type"] == dialect_of(route).problem_type


async def test_registered_origins_may_use_every_route_and_others_none(filled: Api) -> None:
    """R19: the preflight needs no token."""
    await filled.ground.store.add_application(an_application())
    good, bad = "https://one.example", "https://evil.example"
    for route in routes():
        place = path(route, filled)
        for origin, allowed in ((good, good), (bad, None), ("null", None)):
            asked = {"Origin": origin, "Access-Control-Request-Method": route.method}
            preflight = await filled.send("OPTIONS", place, token="", headers=asked)
            assert preflight.status == 204, name(route)
            assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Access-Control-Allow-Credentials" not in preflight.headers
            if allowed:
                assert route.method in preflight.headers["Access-Control-Allow-Methods"]
        refused = await ask(filled, route, token="none", headers={"Origin": good})  # noqa: S106 - none
        assert refused.headers["Access-Control-Allow-Origin"] == good, name(route)


async def test_what_is_ours_to_send_may_not_be_sent_along_on_any_route(filled: Api) -> None:
    """R20: every route that looks at these headers refuses the same."""
    headers = {RAW_HEADERS: '{"Authorization":"Basic x"}'}
    looked_at = [one for one in routes() if one.guarded and dialect_of(one).hears]
    assert len(looked_at) > 15
    for route in looked_at:
        assert (await ask(filled, route, headers=headers)).status == 400, name(route)


@pytest.mark.parametrize(
    ("provider", "names"),
    [
        ("google", ("google_calendar", "Google Calendar", "google", "google")),
        ("graph", ("outlook_calendar", "Outlook Calendar", "office365", "office365")),
        ("ews", ("exchange", "Exchange Server 2013+", "exchange", "exchange")),
        ("caldav", ("caldav", "CalDAV", "caldav", "caldav")),
        ("icloud", ("icloud_calendar", "iCloud Calendar", "apple", "icloud")),
    ],
)
def test_providers_are_called_what_the_table_says(
    provider: str, names: tuple[str, str, str, str]
) -> None:
    """R22."""
    service, service_name, provider_name, provider_service = names
    assert brand_of(provider) == Brand(
        service=service,
        service_name=service_name,
        provider_name=provider_name,
        provider_service=provider_service,
    )


async def test_both_dialects_call_a_provider_by_the_table(api: Api) -> None:
    """R22."""
    account = await api.json("/v1/accounts/me")
    (profile,) = (await api.json("/v1/profiles"))["profiles"]
    brand = brand_of("caldav")
    assert (account["service"], account["service_name"]) == (brand.service, brand.service_name)
    assert (profile["provider_name"], profile["provider_service"]) == ("caldav", "caldav")


async def test_no_route_reads_more_than_it_may(filled: Api) -> None:
    """R23: 1 MiB of body, 16 KiB of target line."""
    for route in WITH_BODY:
        large = await ask(filled, route, data=BytesIO(b'{"a":"' + b"x" * BODY + b'"}'))
        assert large.status == 413, name(route)
    for route in routes():
        place = f"{path(route, filled)}?x={'x' * TARGET}"
        assert (await filled.send(route.method, place)).status == 414, name(route)
