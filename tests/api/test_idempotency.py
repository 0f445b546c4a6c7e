"""``Idempotency-Key`` as creating routes obey it (api.md R17)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from syncd.api.answers import answer
from syncd.api.build import routes
from syncd.api.idempotency import KEY, REPLAYED, object_name
from syncd.api.parts import Json
from syncd.api.problems import ProblemError, invalid
from syncd.api.route import Shape, route
from syncd.engine.prune import Pruner
from syncd.model.access import Scope
from syncd.model.errors import ConflictError, RelinkRequiredError, SyncdError, TransientError
from tests.api.serving import Api, serving

K1 = {KEY: "k1"}


class Thing(Shape):
    """What is created."""

    name: str = ""


class Things:
    """Creates things, and counts how often."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.refusals: list[SyncdError | ProblemError | Exception] = []
        self.hold: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def create(self, request: web.Request, body: Thing) -> web.Response:
        self.names.append(object_name(request))
        self.begun.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        told = {"name": body.name, "number": len(self.names), "text": "é\u2028"}
        return answer(told, status=201, headers={"Location": "/there", "ETag": '"1"'})


Served = tuple[Api, Things]
PATHS = {"kloudless": "/v1/accounts/{account_id}/things", "cronofy": "/v1/calendars/things"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    things = Things()

    async def create_thing(request: web.Request, body: Thing) -> web.Response:
        """Create a thing."""
        return await things.create(request, body)

    declared = [
        route("POST", path, scope=Scope.CREATE_EVENT, body=Thing, status=201, idempotent=True)(
            create_thing
        )
        for path in PATHS.values()
    ]
    async with serving(tmp_path, extra=declared) as api:
        yield api, things


def path(api: Api, dialect: str = "kloudless") -> str:
    return PATHS[dialect].format(account_id=api.account)


async def post(api: Api, headers: dict[str, str], **more: Any) -> tuple[int, Json, Any]:  # noqa: ANN401 - of a request
    response = await api.send("POST", path(api), headers=headers, **({"json": {}} | more))
    return response.status, await response.json(content_type=None), response.headers


async def test_the_same_key_and_body_get_the_first_answer_again(served: Served) -> None:
    """R17: status, body and headers, and nothing is created twice."""
    api, things = served
    status, body, headers = await post(api, K1, json={"name": "a"})
    assert (status, REPLAYED in headers) == (201, False)
    again, same, repeated = await post(api, K1, json={"name": "a"})
    assert (again, same, repeated[REPLAYED]) == (201, body, "true")
    for name in ("Location", "ETag", "Content-Type"):
        assert repeated[name] == headers[name]
    assert repeated["X-Request-Id"] != headers["X-Request-Id"]
    assert len(things.names) == 1


async def test_another_body_under_the_same_key_is_refused(served: Served) -> None:
    """R17: in the words of the dialect."""
    api, things = served
    await post(api, K1, json={"name": "a"})
    status, body, _ = await post(api, K1, json={"name": "b"})
    assert (status, body["error_code"]) == (422, "idempotency_mismatch")
    cronofy = path(api, "cronofy")
    await api.send("POST", cronofy, headers=K1, json={"name": "a"})
    response = await api.send("POST", cronofy, headers=K1, json={"name": "b"})
    told = await response.json(content_type=None)
    assert response.status == 422
    assert told["errors"]["base"][0]["description"].startswith("idempotency_mismatch")
    assert len(things.names) == 2


async def test_keys_are_told_apart_by_token_and_by_route_and_need_not_be_sent(
    served: Served,
) -> None:
    """R17."""
    api, things = served
    other = await api.token()
    for headers, token in ((K1, None), (K1, other), ({KEY: "k2"}, None), ({}, None), ({}, None)):
        status, _, told = await post(api, headers, token=token)
        assert (status, REPLAYED in told) == (201, False)
    assert len(things.names) == 5


async def test_of_two_at_once_one_runs_and_the_other_is_told_to_come_again(served: Served) -> None:
    """R17: 409 with Retry-After, then the answer."""
    api, things = served
    things.hold = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(post(api, K1))
        await things.begun.wait()
        status, body, headers = await post(api, K1)
        assert (status, body["error_code"], headers["Retry-After"]) == (409, "conflict", "2")
        things.hold.set()
    assert first.result()[0] == 201
    status, _, headers = await post(api, K1)
    assert (status, headers[REPLAYED]) == (201, "true")
    assert len(things.names) == 1


async def test_a_hundred_at_once_create_one(served: Served) -> None:
    api, things = served
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(post(api, K1)) for _ in range(60)]
    assert {task.result()[0] for task in tasks} <= {201, 409}
    assert sum(task.result()[0] == 201 for task in tasks) >= 1
    assert len(things.names) == 1


async def test_a_crash_between_provider_and_store_blocks_for_a_while_and_keeps_the_name(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R17: whatever was created bears the name that the second attempt is given."""
    api, things = served

    async def dead(*_: object, **__: object) -> None:
        raise RuntimeError("the process has died")

    with monkeypatch.context() as crash:
        crash.setattr(api.ground.store, "keep_answer", dead)
        crash.setattr(api.ground.store, "end_request", dead)
        assert (await post(api, K1))[0] == 500
    assert (await post(api, K1))[0] == 409
    api.clock.advance(timedelta(seconds=90))
    status, _, headers = await post(api, K1)
    assert (status, REPLAYED in headers) == (201, False)
    assert len(things.names) == 2
    assert len(set(things.names)) == 1
    assert len(things.names[0]) >= 22


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("a bug"), 500),
        (TransientError("the provider is away"), 503),
        (RelinkRequiredError("the login is lost"), 423),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
async def test_what_may_go_better_the_next_time_is_not_kept(
    served: Served, error: Exception, status: int
) -> None:
    """R17: the next attempt runs at once, under the same name."""
    api, things = served
    things.refusals = [error]
    assert (await post(api, K1))[0] == status
    assert (await post(api, K1, json={"name": "b"}))[0] == 422
    again, _, headers = await post(api, K1)
    assert (again, REPLAYED in headers) == (201, False)
    assert len(set(things.names)) == 1


@pytest.mark.parametrize(
    "error",
    [ConflictError("the name is taken"), invalid("not so", field="name")],
    ids=["tree", "problem"],
)
async def test_a_refusal_is_an_answer_and_is_kept(served: Served, error: Exception) -> None:
    """R17: with the id of the first request in its body, as it was."""
    api, things = served
    things.refusals = [error]
    status, body, _ = await post(api, K1)
    again, same, headers = await post(api, K1)
    assert status in {400, 409}
    assert (again, same, headers[REPLAYED]) == (status, body, "true")
    assert len(things.names) == 1


async def test_what_was_never_begun_leaves_the_key_free(served: Served) -> None:
    """A body without the right shape, or a token without the scope, is refused before."""
    api, _ = served
    assert (await post(api, K1, json={"name": 7}))[0] == 400
    narrow = await api.token(Scope.READ_EVENTS)
    assert (await post(api, K1, token=narrow))[0] == 403
    assert (await post(api, K1))[0] == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "a\tb"], ids=repr)
async def test_a_malformed_key_is_400(served: Served, key: str) -> None:
    """R17: 1 to 255 visible ASCII characters."""
    api, things = served
    for dialect in PATHS:
        response = await api.send("POST", path(api, dialect), headers={KEY: key}, json={})
        assert response.status == 400
    assert (await post(api, {KEY: "!~" * 127 + "x"}))[0] == 201
    assert len(things.names) == 1


async def test_after_a_day_a_key_is_new_and_its_answer_is_removed(served: Served) -> None:
    """R17: kept for 24 h."""
    api, things = served
    await post(api, K1)
    api.clock.advance(timedelta(hours=24))
    assert (await post(api, K1))[2][REPLAYED] == "true"
    api.clock.advance(timedelta(seconds=1))
    pruner = Pruner(api.ground.store, api.clock, api.ground.meter, days=30)
    await pruner.prune()
    kept = await api.ground.store.forget_requests(before=api.clock.now() + timedelta(days=9))
    assert kept == 0
    assert (await post(api, K1, json={"name": "b"}))[0] == 201
    assert len(set(things.names)) == 2


async def test_reading_takes_no_notice_of_a_key(api: Api) -> None:
    """R17: HEAD and GET are not affected."""
    for method in ("GET", "HEAD"):
        for _ in range(2):
            response = await api.send(method, "/v1/accounts/me", headers={KEY: "a b"})
            assert response.status == 200
            assert REPLAYED not in response.headers


def test_creating_routes_and_no_others_take_a_key() -> None:
    """R17: K13 K19 K43 C5 C10 C13 M4 N14 N21, as far as they are served."""
    creating = {
        "/v1/accounts/{account_id}/cal/calendars",
        "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events",
        "/v1/accounts/{account_id}/subscriptions",
        "/v1/calendars",
        "/v1/calendars/{calendar_id}/events",
        "/v1/channels",
        "/api/v0/notifications/calendars",
        "/v1/webhooks",
        "/v1/feeds",
    }
    for one in routes():
        wanted = one.method == "POST" and one.path in creating
        assert one.idempotent == wanted, f"{one.method} {one.path}"
