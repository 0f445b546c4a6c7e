"""The activity stream by pages and by long poll (api.md K35-K40, K42), over the real store."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.model.access import split_token
from syncd.model.ids import Cursor, Position
from tests.api.serving import Api
from tests.engine.ground import event, series


def path(api: Api, query: str = "") -> str:
    return f"/v1/accounts/{api.account}/events{query}"


async def polled(api: Api) -> None:
    """Read a calendar with two events for the first time."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", event("Review"))
    work.put("b.ics", series("Stand-up", 2))
    await api.ground.poll()


async def follow(api: Api, cursor: str | None, *, page_size: int, more: str = "") -> list[Any]:
    """Read until a page is empty, as clients do."""
    found = list[Any]()
    while True:
        after = "" if cursor is None else f"&cursor={cursor}"
        body = await api.json(path(api, f"?page_size={page_size}{after}{more}"))
        if not body["objects"]:
            return found
        found += body["objects"]
        cursor = body["cursor"]


def names(records: list[Any]) -> list[str]:
    return [
        f"{one['action']} {one['metadata'].get('name') or one['metadata']['type']}"
        for one in records
    ]


async def test_a_page_has_exactly_the_documented_members(api: Api) -> None:
    """K35: no remaining, page or next_page."""
    await polled(api)
    body = await api.json(path(api))
    assert body.keys() == {"count", "objects", "cursor", "type", "api"}
    assert (body["type"], body["api"]) == ("object_list", "events")
    assert body["count"] == len(body["objects"]) == 5
    assert isinstance(body["cursor"], str)


async def test_a_record_has_every_member_of_the_documented_one(api: Api) -> None:
    """K42, W7: the seed's members, ours beside them."""
    await polled(api)
    record = (await api.json(path(api)))["objects"][2]
    assert {"id", "account", "action", "ip", "modified", "type", "user_id", "metadata"} <= set(
        record
    )
    assert record["account"] == api.account
    assert (record["ip"], record["user_id"]) == (None, None)
    assert (record["type"], record["action"], record["initial"]) == ("add", "+", True)
    metadata = record["metadata"]
    assert (metadata["type"], metadata["api"], metadata["name"]) == ("event", "calendar", "Review")
    assert not {"href", "raw"} & set(metadata)
    assert record["id"].endswith("-3")


@pytest.mark.parametrize("page_size", [1, 2, 1000])
async def test_following_the_cursor_gives_each_record_once_in_order(
    api: Api, page_size: int
) -> None:
    """K35, I2: whatever the size of a page."""
    await polled(api)
    records = await follow(api, None, page_size=page_size)
    assert names(records) == ["+ account", "+ Work", "+ Review", "+ Stand-up", "~ account"]
    ids = [int(one["id"].rpartition("-")[2]) for one in records]
    assert ids == [1, 2, 3, 4, 5]


async def test_a_records_own_cursor_leads_to_what_follows_it(api: Api) -> None:
    """K42: position right after this record, in pages and alone."""
    await polled(api)
    records = (await api.json(path(api)))["objects"]
    for place, record in enumerate(records):
        after = await api.json(path(api, f"?cursor={record['cursor']}"))
        assert after["objects"] == records[place + 1 :]


async def test_an_empty_page_echoes_its_cursor_and_reading_changes_nothing(api: Api) -> None:
    """K35."""
    await polled(api)
    end = (await api.json(path(api)))["cursor"]
    for _ in range(2):
        body = await api.json(path(api, f"?cursor={end}"))
        assert (body["objects"], body["cursor"], body["count"]) == ([], end, 0)


async def test_after_auth_waits_for_the_first_read_and_skips_it(api: Api) -> None:
    """K36."""
    waiting = await api.json(path(api, "?cursor=after-auth"))
    assert (waiting["objects"], waiting["cursor"]) == ([], "after-auth")
    await polled(api)
    ready = await api.json(path(api, "?cursor=after-auth"))
    assert ready["objects"] == []
    assert ready["cursor"] != "after-auth"
    api.ground.server.calendars[next(iter(api.ground.server.calendars))].put("c.ics", event("New"))
    await api.ground.poll()
    for cursor in ("after-auth", ready["cursor"]):
        news = await api.json(path(api, f"?cursor={cursor}"))
        assert names(news["objects"]) == ["+ New"]


async def test_latest_is_the_end_and_never_waits(api: Api) -> None:
    """K36, K37."""
    await polled(api)
    body = await api.json(path(api, "?cursor=latest&wait=30"))
    assert body["objects"] == []
    latest = await api.json(path(api, "/latest"))
    assert latest == {"cursor": body["cursor"]}
    assert body["cursor"] == (await api.json(path(api)))["cursor"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("types=add", ["+ account", "+ Work", "+ Review", "+ Stand-up"]),
        ("types=update,delete", ["~ account"]),
        ("objects=event", ["+ Review", "+ Stand-up"]),
        ("objects=calendar,account", ["+ account", "+ Work", "~ account"]),
        ("objects=contact", []),
        ("calendar_ids=cal_none", ["+ account", "~ account"]),
        ("calendar_ids=primary", ["+ account", "+ Work", "+ Review", "+ Stand-up", "~ account"]),
        ("objects=event&types=delete", []),
    ],
)
async def test_filters_leave_out_and_the_cursor_moves_past(
    api: Api, query: str, expected: list[str]
) -> None:
    """K38: also one record a page, and an empty page has the end as its cursor."""
    await polled(api)
    assert names(await follow(api, None, page_size=1, more=f"&{query}")) == expected
    end = await api.json(path(api, "/latest"))
    assert (await api.json(path(api, f"?page_size=1000&{query}")))["cursor"] == end["cursor"]


async def test_a_primary_calendar_that_is_not_there_is_not_every_calendar(api: Api) -> None:
    """K38, R9; a filter that names nothing is none."""
    api.ground.server.add("/work/").put("a.ics", event("Review"))
    await api.ground.poll()
    expected = ["+ account", "~ account"]
    assert names(await follow(api, None, page_size=9, more="&calendar_ids=primary")) == expected
    assert len(await follow(api, None, page_size=9, more="&calendar_ids=")) == 4


async def test_an_unknown_word_of_a_filter_is_refused(api: Api) -> None:
    for query in ("types=added", "objects=events", "page_size=0", "page_size=1001", "wait=-1"):
        response = await api.get(path(api, f"?{query}"))
        assert response.status == 400, query
        body = await response.json(content_type=None)
        assert body["error_code"] == "invalid_parameters"
        assert query.partition("=")[0] in body["message"]


async def refused(response: ClientResponse, status: int, code: str, api: Api) -> Any:  # noqa: ANN401 - JSON
    assert response.status == status
    body = await response.json(content_type=None)
    assert (body["status_code"], body["error_code"]) == (status, code)
    assert body["resync"] == f"{api.url}/v1/accounts/{api.account}/cal/calendars"
    return body


@pytest.mark.parametrize("bad", ["121", "after-Auth", "", "AbC1", "%2B%2B", "x" * 400])
async def test_a_malformed_cursor_is_400_and_told_where_to_go_on(api: Api, bad: str) -> None:
    """K39: never an empty page."""
    await polled(api)
    body = await refused(await api.get(path(api, f"?cursor={bad}")), 400, "invalid_cursor", api)
    assert body["latest"] == (await api.json(path(api, "/latest")))["cursor"]
    assert len((await api.json(path(api, f"?cursor={body['cursor']}")))["objects"]) == 5


async def test_a_cursor_behind_retention_is_410_with_the_oldest_one(api: Api) -> None:
    """K39, I4."""
    await polled(api)
    first = (await api.json(path(api, "?page_size=1")))["cursor"]
    await api.ground.store.prune(
        api.ground.profile_id, before=api.clock.now() + timedelta(days=1), keep=2
    )
    body = await refused(await api.get(path(api, f"?cursor={first}")), 410, "cursor_expired", api)
    assert body["reason"] == "retention"
    rest = await api.json(path(api, f"?cursor={body['cursor']}"))
    assert (
        rest["count"]
        == (await api.ground.store.stream(api.ground.profile_id)).head
        - Cursor.parse(body["cursor"]).position
    )
    assert rest["cursor"] == body["latest"]


async def test_cursors_beyond_the_end_and_of_another_epoch_are_410(api: Api) -> None:
    """K39: also on the event stream, before its first byte."""
    await polled(api)
    stream = await api.ground.store.stream(api.ground.profile_id)
    beyond = Cursor(stream.epoch, Position(stream.head + 1))
    foreign = Cursor("aaaaaaaa", stream.head)
    for cursor, reason in ((beyond, "retention"), (foreign, "epoch")):
        for place in ("", "/stream"):
            response = await api.get(path(api, f"{place}?cursor={cursor}"))
            body = await refused(response, 410, "cursor_expired", api)
            assert body["reason"] == reason
            assert body["latest"] == str(stream.latest)


async def test_a_long_poll_answers_as_soon_as_there_is_news(api: Api) -> None:
    """K40."""
    await polled(api)
    end = (await api.json(path(api)))["cursor"]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = group.create_task(api.json(path(api, f"?cursor={end}&wait=60")))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        next(iter(api.ground.server.calendars.values())).put("c.ics", event("New"))
        await api.ground.poll()
    assert names(waiting.result()["objects"]) == ["+ New"]


async def test_a_long_poll_without_news_ends_empty_at_the_end(api: Api) -> None:
    """K40."""
    await polled(api)
    end = (await api.json(path(api)))["cursor"]
    body = await api.json(path(api, f"?cursor={end}&wait=0.2"))
    assert (body["objects"], body["cursor"]) == ([], end)


async def test_a_long_poll_ends_when_its_token_is_revoked(api: Api) -> None:
    """R5: within a second."""
    await polled(api)
    end = (await api.json(path(api)))["cursor"]
    token = await api.token()
    parts = split_token(token)
    assert parts
    async with asyncio.timeout(2), asyncio.TaskGroup() as group:
        waiting = group.create_task(api.get(path(api, f"?cursor={end}&wait=60"), token=token))
        await asyncio.sleep(0.1)
        await api.ground.store.revoke_token(parts[0], api.clock.now())
    assert waiting.result().status == 401


async def test_a_disconnection_is_told_with_the_link_that_mends_it(api: Api) -> None:
    """K42: relink_url is filled in when read, and is null once the person has returned."""
    await polled(api)
    end = (await api.json(path(api)))["cursor"]
    await api.disconnect()
    (record,) = (await api.json(path(api, f"?cursor={end}")))["objects"]
    assert record["metadata"]["type"] == "account"
    assert record["changes"]["state"] == {"old": "connected", "new": "disconnected"}
    assert record["changes"]["active"] == {"old": True, "new": False}
    account = await api.json("/v1/accounts/me")
    assert record["metadata"]["relink_url"] == account["relink_url"]
    assert account["relink_url"].startswith(f"{api.url}/relink/")
    earlier = (await api.json(path(api)))["objects"][0]
    assert earlier["metadata"]["relink_url"] is None


async def test_an_update_tells_what_changed(api: Api) -> None:
    """K42."""
    await polled(api)
    end = (await api.json(path(api)))["cursor"]
    next(iter(api.ground.server.calendars.values())).put(
        "a.ics", event("Review (moved)", 1, uid="Review")
    )
    await api.ground.poll()
    (record,) = (await api.json(path(api, f"?cursor={end}")))["objects"]
    assert (record["type"], record["action"]) == ("update", "~")
    assert record["changes"] == {"name": {"old": "Review", "new": "Review (moved)"}}
    assert "initial" not in record
