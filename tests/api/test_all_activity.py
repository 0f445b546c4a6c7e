"""The stream of all profiles: pages, long poll, server-sent events (api.md N11)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from syncd.model.access import split_token
from tests.api.serving import Api
from tests.api.test_follow import Told, blocks, records
from tests.engine.ground import Ground, event, on_store
from tests.store.samples import an_application

ALL = "/v1/activity"


async def two(api: Api) -> Ground:
    """Let the user have another profile, both read once; return it."""
    other = await on_store(api.ground.store, api.clock)
    for ground, name in ((api.ground, "Mine"), (other, "Other")):
        ground.server.add("/work/").put("a.ics", event(name))
        await ground.poll()
    return other


def told(page: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    return [
        (one["profile_id"], one["metadata"].get("name") or one["metadata"]["type"])
        for one in page["objects"]
    ]


@asynccontextmanager
async def following(api: Api, query: str = "", **more: Any) -> AsyncIterator[AsyncIterator[Told]]:  # noqa: ANN401
    async with asyncio.timeout(10):
        response = await api.get(f"{ALL}/stream{query}", **more)
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "text/event-stream"
        async with response:
            yield blocks(response)


async def test_one_cursor_follows_every_profile_of_a_user(api: Api) -> None:
    """N11: each record as in its own stream, but for the cursor, and with its profile."""
    other = await two(api)
    eve = await api.another()
    await eve.poll()
    page = await api.json(ALL)
    assert page.keys() == {"count", "objects", "cursor", "type", "api"}
    assert len(page["objects"]) == page["count"] == 8
    for ground in (api.ground, other):
        name = (await ground.profile()).public_name
        single = await api.json(f"/v1/accounts/{ground.profile_id}/events")
        mine = [one for one in page["objects"] if one["profile_id"] == name]
        for ours, theirs in zip(mine, single["objects"], strict=True):
            assert ours | {"cursor": ""} == theirs | {"profile_id": name, "cursor": ""}
    assert (await api.json(f"{ALL}?cursor={page['cursor']}"))["objects"] == []
    assert f"-{eve.profile_id}-" not in page["cursor"]
    for place, record in enumerate(page["objects"]):
        after = await api.json(f"{ALL}?cursor={record['cursor']}")
        assert after["objects"] == page["objects"][place + 1 :]


async def test_pages_and_filters_move_on(api: Api) -> None:
    """K35, K38."""
    await two(api)
    cursor, found = "", list[str]()
    while True:
        page = await api.json(f"{ALL}?objects=event&page_size=1{cursor}")
        if not page["objects"]:
            break
        found += [name for _, name in told(page)]
        cursor = f"&cursor={page['cursor']}"
    assert found == ["Mine", "Other"]
    deletes = await api.json(f"{ALL}?types=delete")
    assert deletes["objects"] == []
    assert deletes["cursor"] == (await api.json(f"{ALL}/latest"))["cursor"]


async def test_applications_profile_tokens_and_several_tokens_see_what_they_cover(
    api: Api,
) -> None:
    """R5, R6."""
    other = await two(api)
    eve = await api.another()
    one = await api.token(profile_id=api.ground.profile_id)
    two_of_them = f"{one},{await api.token(profile_id=other.profile_id)}"
    ways = {
        one: {api.ground.profile_id},
        two_of_them: {api.ground.profile_id, other.profile_id},
        await api.token(admin=True): {
            api.ground.profile_id,
            other.profile_id,
            eve.profile_id,
        },
    }
    for token, covered in ways.items():
        page = await api.json(ALL, token=token)
        assert {record["account"] for record in page["objects"]} == covered
    application = an_application()
    await api.ground.store.add_application(application)
    key = await api.token(application_id=application.id)
    response = await api.send("GET", ALL, token="", headers={"Authorization": f"APIKey {key}"})
    assert response.status == 200
    assert {one["account"] for one in (await response.json())["objects"]} == covered


async def test_cursors_of_another_kind_are_400_with_where_to_go_on(api: Api) -> None:
    """N11, K39: both ways."""
    await two(api)
    latest = (await api.json(f"{ALL}/latest"))["cursor"]
    single = (await api.json(f"/v1/accounts/{api.account}/events/latest"))["cursor"]
    for path, cursor in (
        (ALL, single),
        (f"{ALL}/stream", "nonsense"),
        (f"/v1/accounts/{api.account}/events", latest),
    ):
        response = await api.get(f"{path}?cursor={cursor}")
        problem = await response.json(content_type=None)
        assert (response.status, problem.get("code") or problem["error_code"]) == (
            400,
            "invalid_cursor",
        )
        assert {"cursor", "latest", "resync"} <= problem.keys()
    assert (await api.get(f"{ALL}?cursor={'a' * 4097}")).status == 400
    restart = (await (await api.get(f"{ALL}?cursor=x")).json())["cursor"]
    assert (await api.json(f"{ALL}?cursor={restart}"))["count"] == 8


async def test_a_cursor_below_the_floor_is_410(api: Api) -> None:
    """K39."""
    other = await two(api)
    first = (await api.json(f"{ALL}?page_size=1"))["cursor"]
    await api.ground.store.prune(other.profile_id, before=api.clock.now(), keep=1)
    for path in (ALL, f"{ALL}/stream"):
        response = await api.get(f"{path}?cursor={first}")
        problem = await response.json()
        assert (response.status, problem["code"], problem["reason"]) == (
            410,
            "cursor_expired",
            "retention",
        )
        assert (await api.json(f"{ALL}?cursor={problem['cursor']}"))["count"] == 1
        assert problem["resync"].endswith("/v1/accounts")


async def test_a_long_poll_is_answered_by_news_of_any_profile(api: Api) -> None:
    """K40."""
    other = await two(api)
    end = (await api.json(f"{ALL}/latest"))["cursor"]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(api.json(f"{ALL}?cursor={end}&wait=20"))
        await asyncio.sleep(0.1)
        next(iter(other.server.calendars.values())).put("b.ics", event("New"))
        await other.poll()
        api.ground.hub.wake(other.profile_id)
    assert [name for _, name in told(waiting.result())] == ["New"]
    page = await api.json(f"{ALL}?cursor={waiting.result()['cursor']}&wait=0.05")
    assert (page["objects"], page["cursor"]) == ([], waiting.result()["cursor"])


async def test_revoking_the_token_ends_a_long_poll_and_a_stream(api: Api) -> None:
    """R5: any of several tokens."""
    kept, token = await api.token(), await api.token()
    parts = split_token(token)
    assert parts
    async with (
        following(api, "?cursor=latest", token=f"{kept},{token}") as stream,
        asyncio.TaskGroup() as group,
    ):
        await anext(stream)
        waiting = group.create_task(api.get(f"{ALL}?cursor=latest", token=token))
        waiting = group.create_task(api.get(f"{ALL}?types=delete&wait=20", token=token))
        await asyncio.sleep(0.1)
        await api.ground.store.revoke_token(parts[0], api.clock.now())
        async with asyncio.timeout(1.5):
            async for _ in stream:
                pass
            response = await waiting
    assert response.status == 401


async def test_the_stream_tells_news_and_its_ids_are_cursors(api: Api) -> None:
    """K41: by Last-Event-ID, in pages too."""
    other = await two(api)
    page = await api.json(ALL)
    async with following(api) as stream:
        assert (await anext(stream)).fields == {"retry": "3000"}
        found = await records(stream, len(page["objects"]))
        assert [one.record for one in found] == page["objects"]
        assert all(one.fields["id"] == one.record["cursor"] for one in found)
        next(iter(other.server.calendars.values())).put("b.ics", event("New"))
        await other.poll()
        api.ground.hub.wake(other.profile_id)
        (new,) = await records(stream, 1)
    assert new.name == "New"
    last = {"Last-Event-ID": found[-2].fields["id"]}
    async with following(api, "?cursor=latest", headers=last) as stream:
        again = await records(stream, 2)
    assert [one.record for one in again] == [found[-1].record, new.record]


async def test_a_disconnection_is_told_with_its_link_as_long_as_it_lasts(api: Api) -> None:
    """N11, K42: one reader learns every disconnection; a removed profile has no link."""
    await two(api)
    end = (await api.json(f"{ALL}/latest"))["cursor"]
    await api.disconnect()
    (record,) = (await api.json(f"{ALL}?cursor={end}"))["objects"]
    assert record["metadata"]["state"] == "disconnected"
    assert "/relink/" in record["metadata"]["relink_url"]
    await api.parts.control.remove(api.ground.profile_id)
    page = await api.json(f"{ALL}?cursor={end}")
    assert [one["type"] for one in page["objects"]] == ["update", "delete"]
    assert [one["metadata"]["relink_url"] for one in page["objects"]] == [None, None]
