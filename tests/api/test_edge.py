"""What holds before any route: bodies, limits, CORS, proxies, faults (R2, R10, R14, R16, R19)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import Mock

import pytest
from aiohttp import ClientSession, StreamReader, UnixConnector, web
from aiohttp.test_utils import make_mocked_request

from syncd.api.answers import answer
from syncd.api.auth import covers
from syncd.api.body import parse_json, read_body
from syncd.api.build import build
from syncd.api.cronofy.problems import shape
from syncd.api.keys import TOKENS
from syncd.api.limits import BODY
from syncd.api.parts import Rates
from syncd.api.problems import STATUSES, ProblemError, problem_of
from syncd.api.route import route
from syncd.model import errors
from syncd.model.access import Scope, Token
from syncd.model.errors import InvalidError, NotFoundError, SyncdError, TransientError
from syncd.model.ids import ApplicationId, ProfileId, TokenId, UserId
from tests.api.serving import Api, serving
from tests.engine.ground import USER
from tests.store.opening import NOON
from tests.store.samples import a_profile, an_application


def test_every_error_of_the_tree_has_a_status_of_its_own_or_its_nearest_ancestors() -> None:
    """R15: and nothing outside the tree has one."""
    tree = {one for one in vars(errors).values() if isinstance(one, type)} - {type}
    tree = {one for one in tree if issubclass(one, SyncdError)}
    assert tree == set(STATUSES)

    class NearbyError(NotFoundError):
        """A later error."""

    assert (problem_of(NearbyError("x")).status, problem_of(NearbyError("x")).code) == (
        404, "not_found",
    )  # fmt: skip


def test_a_fault_of_ours_is_not_described_to_callers() -> None:
    """R14."""
    assert "secret" not in problem_of(errors.MisconfiguredError("the secret key is x")).message


@pytest.mark.parametrize(
    "text",
    [
        b"\xff{}", b"{", b"[]", b"null", b'"x"', b'{"a":NaN}', b'{"a":Infinity}',
        b'{"a":"\\ud800"}', b'{"a":123456789012345678901}', b'{"a":1e999}',
        b'{"a":' * 64 + b"1" + b"}" * 64 + b"x", b'{"a":' * 65 + b"1" + b"}" * 65,
        b'{"a":' * 100_000, b'{"a":' + b"9" * 10_000 + b"}",
    ],
    ids=lambda text: f"{len(text)} {text[:24].decode(errors='replace')}",
)  # fmt: skip
def test_what_is_no_plain_json_object_is_refused(text: bytes) -> None:
    """R2: and costs neither stack nor time."""
    with pytest.raises(ProblemError) as refused:
        parse_json(text)
    assert refused.value.problem.status == 400


def test_what_is_one_is_read_whatever_its_type() -> None:
    """R2: an empty body is {}; 64 levels and 64 bits are allowed."""
    assert parse_json(b"") == parse_json(b" \n") == {}
    assert parse_json(b'{"a":18446744073709551615,"b":-9223372036854775808}')
    assert parse_json(b'{"a":' * 64 + b"1" + b"}" * 64)


async def test_a_form_declared_body_is_read_as_json(api: Api) -> None:
    """R2."""
    response = await api.send(
        "POST",
        f"/v1/profiles/{api.account}/confirm_deletes",
        data=b'{"calendar_id":"cal_none","unknown":1}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status == 404  # read: there is no such calendar
    wrong = await api.send(
        "POST", f"/v1/profiles/{api.account}/confirm_deletes", json={"calendar_id": 7}
    )
    assert wrong.status == 400
    assert "calendar_id" in (await wrong.json(content_type=None))["detail"]


async def test_too_much_of_anything_is_refused_in_the_dialects_words(api: Api) -> None:
    """R23."""
    long = await api.get(f"/v1/accounts?page={'x' * 17_000}")
    assert (long.status, (await long.json(content_type=None))["error_code"]) == (414, "too_large")
    headers = {f"X-{number}": "x" * 4000 for number in range(9)}
    heavy = await api.get("/v1/accounts", headers=headers)
    assert (heavy.status, (await heavy.json(content_type=None))["error_code"]) == (400, "too_large")
    place = f"/v1/profiles/{api.account}/confirm_deletes"
    for body in (BytesIO(b"x" * (1024 * 1024 + 1)), chunks()):
        large = await api.send("POST", place, data=body)
        assert (large.status, (await large.json(content_type=None))["code"]) == (413, "too_large")


async def chunks() -> AsyncIterator[bytes]:
    """Yield a body whose length is not declared."""
    for _ in range(17):
        yield b"x" * 65536


async def test_bodies_that_are_not_looked_at_are_not_limited_either(api: Api) -> None:
    """R3."""
    for method in ("GET", "DELETE"):
        answer = await api.send(method, "/v1/profiles/999", data=BytesIO(b"x" * (1024 * 1024 + 1)))
        assert answer.status == 404


async def test_whoever_opens_our_unix_socket_speaks_for_its_clients(api: Api) -> None:
    """R10: a proxy in front of a socket has no address that could be named."""
    runner = web.AppRunner(build(replace(api.parts, listen="unix:/here")))
    await runner.setup()
    with TemporaryDirectory() as folder:
        await web.UnixSite(runner, f"{folder}/socket").start()
        async with ClientSession(connector=UnixConnector(f"{folder}/socket")) as session:
            headers = {
                "Authorization": f"Bearer {api.everything}",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "syncd.example",
            }
            answer = await session.get("http://x/v1/accounts/me", headers=headers)
            href = (await answer.json())["href"]
        await runner.cleanup()
    assert href == f"https://syncd.example/v1/accounts/{api.account}"


async def test_a_caller_over_its_rate_is_told_when_to_come_again(tmp_path: Path) -> None:
    """R16: per token; the time is whole seconds, at least one."""
    async with serving(tmp_path, rates=Rates(per_second=0.25, burst=3)) as api:
        statuses = [(await api.get("/v1/accounts/me")).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = await api.get("/v1/accounts/me")
        assert refused.headers["Retry-After"] == "4"
        assert (await refused.json(content_type=None))["error_code"] == "too_many_requests"
        api.clock.advance(timedelta(seconds=4))
        assert (await api.get("/v1/accounts/me")).status == 200


async def test_addresses_are_limited_before_anyone_is_asked_who_they_are(tmp_path: Path) -> None:
    """R16: guessing tokens is not for free."""
    async with serving(tmp_path, rates=Rates(per_second=1, burst=2)) as api:
        statuses = [
            (await api.get("/v1/profiles", token=f"syncd_x_{number}")).status for number in range(3)
        ]
    assert statuses == [401, 401, 429]


async def test_requests_at_once_are_limited_per_token_streams_included(tmp_path: Path) -> None:
    """R16: a place is free again when its request has ended."""
    async with serving(tmp_path, rates=Rates(at_once=1)) as api:
        other = await api.token()
        stream = await api.get(f"/v1/accounts/{api.account}/events/stream")
        async with stream:
            full = await api.get("/v1/accounts/me")
            assert (full.status, full.headers["Retry-After"]) == (429, "1")
            assert (await api.get("/v1/accounts/me", token=other)).status == 200
        statuses = list[int]()
        for _ in range(100):
            statuses.append((await api.get("/v1/accounts/me")).status)
            if statuses[-1] == 200:
                break
            await asyncio.sleep(0.05)
        assert statuses[-1] == 200


async def test_registered_origins_may_read_and_others_learn_nothing(api: Api) -> None:
    """R19."""
    await api.ground.store.add_application(an_application())
    good, bad = {"Origin": "https://one.example"}, {"Origin": "https://evil.example"}
    for place in ("/v1/accounts/me", "/v1/accounts/999", "/v1/accounts/me/events/latest"):
        answer = await api.get(place, headers=good)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://one.example"
        assert "Origin" in answer.headers["Vary"]
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        other = await api.get(place, headers=bad)
        assert other.status == answer.status
        assert not [name for name in other.headers if name.startswith("Access-Control")]


async def test_a_preflight_needs_no_token(api: Api) -> None:
    """R19: every X-Kloudless-* header is allowed."""
    await api.ground.store.add_application(an_application())
    asked = {
        "Origin": "https://one.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization, x-kloudless-source, x-evil",
    }
    answer = await api.send("OPTIONS", "/v1/accounts/me/", token="", headers=asked)
    assert (answer.status, answer.headers["Access-Control-Max-Age"]) == (204, "600")
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "x-kloudless-source" in allowed
    assert "authorization" in allowed
    assert "x-evil" not in allowed
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    plain = await api.send("OPTIONS", "/v1/accounts/me", token="")
    allow = set(plain.headers["Allow"].split(","))
    assert (plain.status, allow) == (204, {"GET", "HEAD", "DELETE"})
    assert (await api.send("OPTIONS", "/v1/nothing", token="")).status == 404


async def test_forwarded_headers_count_from_named_proxies_only(tmp_path: Path) -> None:
    """R10, reliability §8."""
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "syncd.example:8443"}
    plain, trusted = tmp_path / "plain", tmp_path / "trusted"
    plain.mkdir()
    trusted.mkdir()
    async with serving(plain) as api:
        me = await api.json("/v1/accounts/me", headers=told)
        assert me["href"].startswith(f"{api.url}/")
    async with serving(trusted, proxies=(ip_network("127.0.0.0/8"),)) as api:
        me = await api.json("/v1/accounts/me", headers=told)
        assert me["href"].startswith("https://syncd.example:8443/")


async def test_a_proxy_does_not_make_its_clients_share_one_limit(tmp_path: Path) -> None:
    """R16: the address is the last one that no proxy of ours has."""
    async with serving(
        tmp_path, proxies=(ip_network("127.0.0.0/8"),), rates=Rates(per_second=1, burst=1)
    ) as api:
        seen = list[int]()
        for client in ("203.0.113.1", "203.0.113.2", "6.6.6.6, 203.0.113.1"):
            response = await api.get("/livez", token="", headers={"X-Forwarded-For": client})
            seen.append(response.status)
    assert seen == [200, 200, 429]


async def test_a_fault_of_ours_is_500_without_a_word_of_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R14: no stack, and the request's id to find it by."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.ground.store, "stream", broken)
    response = await api.get("/v1/accounts/me/events/latest")
    text = await response.text()
    assert response.status == 500
    assert response.headers["X-Request-Id"] in text
    assert "secret" not in text
    assert "Traceback" not in text


async def test_a_store_that_is_away_is_503_with_a_time_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15."""

    async def away(*_: object, **__: object) -> None:
        raise TransientError("the store does not answer")

    monkeypatch.setattr(api.ground.store, "stream", away)
    response = await api.get("/v1/accounts/me/events/latest")
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert (await response.json(content_type=None))["error_code"] == "unavailable"


def test_cronofy_words_faults_field_by_field_and_hides_nothing_else_behind_errors() -> None:
    """R14b."""
    wrong = replace(problem_of(InvalidError("not a name", field="name")), status=422)
    assert shape(wrong, "id") == {
        "errors": {"name": [{"key": "errors.invalid", "description": "not a name"}]}
    }
    assert "errors" not in shape(problem_of(NotFoundError("gone")), "id")


def test_a_token_covers_what_it_was_made_for() -> None:
    """R6."""
    mine = a_profile(1)
    hers = a_profile(2, user_id=UserId("acc_two"))
    theirs = a_profile(3, application_id=ApplicationId("app_one"))

    def token(**reach: object) -> Token:
        plain = Token(id=TokenId("t"), digest=b"", scopes=frozenset(), created=NOON)
        return replace(plain, **reach)  # type: ignore[arg-type]  # names are checked at run time

    reaches: list[tuple[Token, list[int]]] = [
        (token(profile_id=ProfileId(2)), [2]),
        (token(user_id=mine.user_id), [1, 3]),
        (token(admin=True), [1, 2, 3]),
        (token(application_id=ApplicationId("app_one")), [1, 2, 3]),
        (token(application_id=ApplicationId("app_two")), [1, 2]),
        (token(), []),
    ]
    for one, expected in reaches:
        assert [int(each.id) for each in (mine, hers, theirs) if covers(one, each)] == expected


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b"", {}),
        (b" \r\n {}", {}),
        (b'\n {"a": 1}', {"a": 1}),
        (b"a=1&b=%C3%A9+x&c=&a=2\n", {"a": "2", "b": "é x", "c": ""}),
        (b"null", {"null": ""}),
    ],
)
async def test_json_or_a_form_is_told_by_its_first_brace(text: bytes, read: object) -> None:
    """R2: whatever type is declared."""
    for kind in ("application/form-urlencoded", "application/json", "text/plain"):
        request = make_mocked_request(
            "POST", "/", {"Content-Type": kind}, payload=fed(text), client_max_size=BODY
        )
        assert await read_body(request, form=True) == read


@pytest.mark.parametrize("text", [b"a=%ff", b"\xff=1", b"{a=1", b"&".join([b"a=1"] * 1001)])
async def test_what_is_neither_json_nor_a_form_is_refused(text: bytes) -> None:
    """R2: with 400."""
    request = make_mocked_request("POST", "/", payload=fed(text), client_max_size=BODY)
    with pytest.raises(ProblemError) as refused:
        await read_body(request, form=True)
    assert refused.value.problem.status == 400


async def test_a_body_that_a_delete_takes_may_be_missing_in_three_ways() -> None:
    """R3: C11, C12 and M8."""
    for text in (b"", b"{}", b" null "):
        request = make_mocked_request("DELETE", "/", payload=fed(text), client_max_size=BODY)
        assert await read_body(request) == {}
    given = b'{"mom_id":"x"}'
    request = make_mocked_request("DELETE", "/", payload=fed(given), client_max_size=BODY)
    assert await read_body(request) == {"mom_id": "x"}


def fed(text: bytes) -> StreamReader:
    """Return a body that has arrived."""
    stream = StreamReader(Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
    stream.feed_data(text)
    stream.feed_eof()
    return stream


async def test_a_client_secret_is_a_bearer_only_where_the_route_says_so(tmp_path: Path) -> None:
    """R5: on C16, alone."""

    async def find_slots(request: web.Request) -> web.Response:
        """Find slots."""
        return answer({"application": request[TOKENS][0].application_id})

    open_to = route("GET", "/v1/slots", scope=Scope.READ_EVENTS, client_secret=True)(find_slots)
    async with serving(tmp_path, extra=[open_to]) as api:
        await api.ground.store.add_application(an_application())
        secret = await api.token(application_id=ApplicationId("app_one"))
        for scheme in ("Bearer", "APIKey"):
            told = await api.json("/v1/slots", headers={"Authorization": f"{scheme} {secret}"})
            assert told == {"application": "app_one"}
        assert (await api.json("/v1/slots"))["application"] is None
        assert (await api.get("/v1/slots", token=f"{secret},{api.everything}")).status == 401
        assert (await api.get("/v1/accounts", token=secret)).status == 401
        as_key = {"Authorization": f"APIKey {api.everything}"}
        assert (await api.get("/v1/slots", headers=as_key)).status == 401


async def test_a_token_given_through_an_application_is_no_secret_of_it(api: Api) -> None:
    """R5, R6: it is its person's."""
    await api.ground.store.add_application(an_application())
    given = await api.token(application_id=ApplicationId("app_one"), user_id=USER)
    assert (await api.get("/v1/accounts/me", token=given)).status == 200
    as_key = {"Authorization": f"APIKey {given}"}
    assert (await api.get("/v1/accounts", headers=as_key, token="")).status == 401
