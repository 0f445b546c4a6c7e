"""What holds for every route: who is let in, and how one is refused (R1, R4, R5, R14)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.api.build import DIALECTS, routes
from syncd.api.route import Route
from syncd.model.access import Scope, grants, split_token
from syncd.ports.store.snapshots import Window
from tests.api.serving import Api
from tests.engine.ground import event

GUARDED = [route for route in routes() if route.guarded]
SCOPED = [route for route in GUARDED if route.scope is not None]
GETS = [route for route in routes() if route.method == "GET"]
BY_HEADER = [route for route in GUARDED if route.admit is None]  # the rest: test_mytoken.py
OF_ONE_PROFILE = [route for route in BY_HEADER if "{" in route.path]


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def example(route: Route) -> Any:  # noqa: ANN401 - JSON
    """Return a body that the route takes: the first example of its shape."""
    schema = {} if route.body is None else route.body.model_json_schema()
    return next(iter(schema.get("examples", [])), {})


@dataclass
class Places:
    """What stands in a path's braces."""

    account: int
    calendar: str = "cal_none"
    event: str = "none"
    contact: str = "none"

    def fill(self, route: Route) -> str:
        return route.path.format(
            account_id=self.account,
            account_ids=self.account,
            profile_id=self.account,
            calendar_id=self.calendar,
            event_id=self.event,
            event_uid=self.event,
            page_id="none",
            feed_id="none",
            webhook_id="none",
            subscription_id="none",
            channel_id="none",
            delivery_id="none",
            name="none",
            tag="none",
            secret="none",  # noqa: S106 - of a path, and nothing is there
            resource_id="none",
            contact_id=self.contact,
        )


async def refusal(response: ClientResponse, route: Route) -> Any:  # noqa: ANN401 - JSON
    """Return the body of an error, proven to be in the words of the route's dialect."""
    dialect = next(one for one in DIALECTS if one.owns(route.path))
    assert response.headers["Content-Type"] == dialect.problem_type
    body = await response.json(content_type=None)
    members = {
        "kloudless": {"status_code", "error_code", "message", "id"},
        "cronofy": {"error", "error_description"},
        "mytoken": {"error"},
        "native": {"type", "title", "status", "detail", "code", "request_id"},
    }[dialect.name]
    assert members <= body.keys()
    return body


async def test_nothing_opens_without_a_token(api: Api) -> None:
    """R5: 401 with a challenge, with no error word as nothing was sent."""
    for route in GUARDED:
        response = await api.send(route.method, Places(api.account).fill(route), token="")
        assert response.status == 401, name(route)
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="syncd"'
        await refusal(response, route)


async def test_dead_tokens_open_nothing(api: Api) -> None:
    """R5: unknown, expired, revoked, and what is no token: nobody can tell which."""
    challenge = 'Bearer realm="syncd", error="invalid_token"'
    expired = await api.token(expires_at=api.clock.now() - timedelta(seconds=1))
    revoked, live = await api.token(), api.everything
    parts = split_token(revoked)
    assert parts
    await api.ground.store.revoke_token(parts[0], api.clock.now())
    for route in GUARDED:
        path = Places(api.account).fill(route)
        for dead in ("syncd_none_x", "nonsense", expired, revoked, live + "x", f"{live},{revoked}"):
            response = await api.send(route.method, path, token=dead)
            assert response.status == 401, (name(route), dead)
            assert response.headers["WWW-Authenticate"] == challenge
            told = await refusal(response, route)
            assert route not in BY_HEADER or "revoked" in str(told)


async def test_a_narrow_token_is_told_which_scope_it_lacks(api: Api) -> None:
    """R5, R7: every scope but the one needed opens nothing."""
    for route in SCOPED:
        assert route.scope
        others = [one for one in Scope if not grants(frozenset({one}), route.scope)]
        narrow = await api.token(*others)
        response = await api.send(route.method, Places(api.account).fill(route), token=narrow)
        assert response.status == 403, name(route)
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.endswith(f'error="insufficient_scope", scope="{route.scope}"')
        await refusal(response, route)


async def test_what_belongs_to_another_user_is_not_there(api: Api) -> None:
    """R5: the answer is the one for a profile that does not exist."""
    eve = await api.another()
    eve.server.add("/hers/", primary=True).put("a.ics", event("Hers"))
    await eve.poll()
    hers = Places(int(eve.profile_id), calendar="primary")
    for route in OF_ONE_PROFILE:
        foreign = await api.send(route.method, hers.fill(route))
        missing = await api.send(route.method, Places(999).fill(route))
        assert (foreign.status, missing.status) == (404, 404), name(route)
        told, expected = await refusal(foreign, route), await refusal(missing, route)
        for body in (told, expected):
            for member in ("id", "request_id"):
                body.pop(member, None)
        assert told == expected


async def test_no_place_in_a_path_leads_from_ones_own_profile_into_anothers(api: Api) -> None:
    eve = await api.another()
    eve.server.add("/hers/").put("a.ics", event("Hers"))
    await eve.poll()
    (hers,) = await eve.store.calendars(eve.profile_id)
    (her_event,) = await eve.store.events(Window(calendars=(hers.id,)))
    within = [route for route in GUARDED if "{calendar_id}" in route.path]
    assert len(within) >= 8
    for route in within:
        mixed = Places(api.account, calendar=hers.id, event=her_event.id).fill(route)
        response = await api.send(route.method, mixed, json=example(route))
        assert response.status == 404, name(route)
    assert eve.server.writes == api.ground.server.writes == 0


async def test_a_slash_at_the_end_names_the_same_route(api: Api) -> None:
    """R4: no redirect, no other answer."""
    for route in routes():
        path = Places(api.account).fill(route)
        plain = await api.send(route.method, path, token="", allow_redirects=False)
        slashed = await api.send(route.method, f"{path}/", token="", allow_redirects=False)
        assert slashed.status == plain.status, name(route)
        assert slashed.headers["Content-Type"] == plain.headers["Content-Type"]


async def test_another_method_is_405_and_told_what_is_allowed(api: Api) -> None:
    """R1: in the words of the dialect."""
    for route in routes():
        path = Places(api.account).fill(route)
        allowed = {one.method for one in routes() if one.path == route.path}
        other = next(one for one in ("PUT", "PATCH") if one not in allowed)
        response = await api.send(other, path)
        assert response.status == 405, name(route)
        allowed |= {"HEAD"} if "GET" in allowed else set()
        assert set(response.headers["Allow"].split(",")) == allowed
        await refusal(response, route)


async def test_head_works_wherever_get_does(api: Api) -> None:
    """R1: the same status and type, and no body."""
    api.ground.server.add("/work/", primary=True)
    await api.ground.poll()
    for route in GETS:
        path = Places(api.account, calendar="primary").fill(route)
        head = await api.send("HEAD", path)
        async with await api.get(path) as get:
            assert head.status == get.status, name(route)
            assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert await head.read() == b""


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/accounts/7/nothing", "kloudless"),
        ("/v1/accounts/7/cal/nothing", "kloudless"),
        ("/v1/oauth/nothing", "kloudless"),
        ("/v1/calendars/nothing", "cronofy"),
        ("/v1/channels/chn_1/nothing", "cronofy"),
        ("/oauth/token/nothing", "cronofy"),
        ("/v1/profiles/pro_aaab/nothing", "native"),
        ("/v1/webhooks/none/nothing", "native"),
        ("/nothing", "native"),
        ("/v1", "native"),
        ("/calendars/none/nothing", "mytoken"),
    ],
)
async def test_an_unknown_path_is_answered_in_the_words_of_its_prefix(
    api: Api, path: str, dialect: str
) -> None:
    """R1, R14: 404, also without a token."""
    response = await api.get(path, token="")
    assert response.status == 404
    shape = next(one for one in DIALECTS if one.name == dialect)
    assert response.headers["Content-Type"] == shape.problem_type
    body = await response.json(content_type=None)
    word = {"kloudless": "error_code", "native": "code"}.get(dialect, "error")
    assert body[word] == "not_found"


async def test_the_callers_request_id_is_kept_if_it_is_harmless(api: Api) -> None:
    """R14: on every response; in the body where the dialect has a place for it."""
    given = {"X-Request-Id": "abc-DEF_1"}
    response = await api.get("/v1/accounts/999", headers=given)
    assert response.headers["X-Request-Id"] == "abc-DEF_1"
    assert (await response.json(content_type=None))["id"] == "abc-DEF_1"
    for bad in ("a b", "x" * 65, "<script>"):
        response = await api.get("/v1/accounts/me", headers={"X-Request-Id": bad})
        assert response.status == 200
        assert response.headers["X-Request-Id"] not in {bad, ""}


async def test_kloudless_answers_are_exactly_json_and_cronofys_name_the_charset(api: Api) -> None:
    """R1: kloudless-js takes JSON only under exactly this name."""
    kloudless = await api.get("/v1/accounts/me")
    assert kloudless.headers["Content-Type"] == "application/json"
    cronofy = await api.get("/v1/profiles")
    assert cronofy.headers["Content-Type"] == "application/json; charset=utf-8"
    native = await api.get(f"/v1/profiles/{api.account}")
    assert native.headers["Content-Type"] == "application/json"


async def test_a_204_has_no_type_and_no_length(api: Api) -> None:
    """R1."""
    response = await api.send("DELETE", f"/v1/profiles/{api.account}")
    assert response.status == 204
    assert "Content-Type" not in response.headers
    assert "Content-Length" not in response.headers


async def test_answers_are_private(api: Api) -> None:
    """R18."""
    response = await api.get("/v1/accounts/me")
    assert response.headers["Cache-Control"] == "private, no-cache"
