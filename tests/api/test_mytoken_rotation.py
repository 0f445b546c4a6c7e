"""Tokens that rotate (api.md M12)."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncd.model.access import Scope, split_token
from tests.api.serving import Api
from tests.api.test_mytoken import ROOT, TAGS, identity, lineage

MOMENT = timedelta(seconds=61)


async def call(api: Api, token: str, method: str = "GET", path: str = ROOT, **more: Any) -> Any:  # noqa: ANN401 - JSON
    async with await api.send(method, path, token=token, **more) as response:
        return response.status, await response.json()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("syncd.db*"))


async def test_each_successful_call_gives_the_next_token(api: Api) -> None:
    token = await api.token(
        Scope.NOTIFY, rotates=True, expires_at=api.clock.now() + timedelta(days=1)
    )
    mom = await lineage(api, token)
    seen = [token]
    calls = [
        ("GET", ROOT, {}),
        ("POST", ROOT, {"json": {"name": "CI"}}),
        ("PUT", f"{ROOT}/CI", {"json": {"description": "x"}}),
        ("POST", f"{ROOT}/CI", {"json": {"mom_id": mom}}),
        ("GET", TAGS, {}),
        ("POST", f"{TAGS}/a", {}),
        ("PUT", f"{TAGS}/a", {"json": {"tag": "b"}}),
        ("DELETE", f"{TAGS}/b", {}),
        ("DELETE", f"{ROOT}/CI", {"json": {"mom_id": mom}}),
        ("DELETE", f"{ROOT}/CI", {}),
    ]
    for method, path, more in calls:
        status, body = await call(api, seen[-1], method, path, **more)
        assert status == (201 if method == "POST" and path in {ROOT, f"{TAGS}/a"} else 200), body
        update = body.pop("token_update")
        assert method != "DELETE" or body == {}
        assert update["mytoken_type"] == "token"
        assert update["mom_id"] == mom
        assert update["expires_in"] == 86400
        assert update["capabilities"] == ["manage_mytokens:notify"]
        assert update["rotation"] == {"on_other": True}
        seen.append(update["mytoken"])
    assert len(set(seen)) == len(seen)
    api.clock.advance(MOMENT)
    for old in seen[:-1]:
        assert await call(api, old) == (
            401,
            {"error": "invalid_token", "error_description": "token not valid"},
        )
    assert (await call(api, seen[-1]))[0] == 200


async def test_a_repeat_within_a_minute_gets_the_same_successor(api: Api) -> None:
    token = await api.token(Scope.NOTIFY, rotates=True)
    first = (await call(api, token))[1]["token_update"]
    second = (await call(api, first["mytoken"]))[1]["token_update"]
    api.clock.advance(timedelta(seconds=60))
    assert (await call(api, token))[1]["token_update"] == first
    assert (await call(api, first["mytoken"]))[1]["token_update"] == second
    api.clock.advance(timedelta(seconds=1))
    assert (await call(api, token))[0] == 401
    assert (await call(api, second["mytoken"]))[0] == 200


async def test_calls_at_once_get_one_successor(api: Api) -> None:
    token = await api.token(Scope.NOTIFY, rotates=True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call(api, token)) for _ in range(8)]
    following = {task.result()[1]["token_update"]["mytoken"] for task in tasks}
    assert len(following) == 1
    assert (await call(api, following.pop()))[0] == 200


async def test_what_fails_leaves_the_token_as_it_is(api: Api) -> None:
    token = await api.token(Scope.NOTIFY, rotates=True)
    assert (await call(api, token, "POST", ROOT, json={}))[0] == 400
    assert (await call(api, token, "GET", f"{ROOT}/none"))[0] == 404
    narrow = await api.token(Scope.READ_NOTIFY, rotates=True)
    assert (await call(api, narrow, "POST", ROOT, json={"name": "x"}))[0] == 403
    for unspent in (token, narrow):
        api.clock.advance(MOMENT)
        assert (await call(api, unspent))[0] == 200


async def test_a_spent_token_opens_nothing_else(api: Api) -> None:
    """R6: the grace is the mytoken dialect's alone."""
    token = await api.token(Scope.ALL, rotates=True)
    assert (await api.get("/v1/accounts/me", token=token)).status == 200
    update = (await call(api, token))[1]["token_update"]
    assert (await api.get("/v1/accounts/me", token=token)).status == 401
    assert (await api.get("/v1/accounts/me", token=update["mytoken"])).status == 200


async def test_revoking_ends_the_whole_lineage(api: Api) -> None:
    token = await api.token(Scope.NOTIFY, rotates=True)
    update = (await call(api, token))[1]["token_update"]
    await api.ground.store.revoke_token(identity(token), api.clock.now())
    for one in (token, update["mytoken"]):
        assert await call(api, one) == (401, {"error": "invalid_token"})


async def test_the_store_holds_no_token_and_nothing_to_make_one_of(
    api: Api, tmp_path: Path
) -> None:
    """The successor is made of what was sent and of what is kept: either alone is worthless."""
    token = await api.token(Scope.NOTIFY, rotates=True)
    update = (await call(api, token))[1]["token_update"]
    held = everything(tmp_path)
    for text in (token, update["mytoken"]):
        parts = split_token(text)
        assert parts
        assert parts[1].encode() not in held
