"""Kloudless's subscriptions and the activity that is read through them (K43, K44)."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.model.access import Scope
from syncd.model.errors import TransientError
from syncd.model.ids import CalendarKey
from tests.api.serving import Api
from tests.api.test_activity import names, refused
from tests.engine.ground import event

SECOND = timedelta(seconds=1)
MEMBERS = {
    *("id", "account_id", "subscription_type", "active", "default", "monitored_resources"),
    *("expiry", "created", "modified", "type", "api", "href"),
}
HOME = ["+ Home", "+ Tea", "+ account", "~ account"]
WORK = ["+ Review", "+ Work", "+ account", "~ account"]
BOTH = sorted({*HOME, *WORK})


def path(api: Api, more: str = "") -> str:
    return f"/v1/accounts/{api.account}/subscriptions{more}"


@pytest.fixture
async def polled(api: Api) -> Api:
    """An account with a primary calendar Work and another one, Home, each with an event."""
    api.ground.server.add("/home/", "Home").put("a.ics", event("Tea"))
    api.ground.server.add("/work/", "Work", primary=True).put("a.ics", event("Review"))
    await api.ground.poll()
    return api


async def calendar(api: Api, name: str) -> str:
    listed = await api.ground.store.calendars(api.ground.profile_id)
    return str(next(one.id for one in listed if one.calendar.name == name))


async def made(api: Api, **body: Any) -> Any:  # noqa: ANN401 - JSON
    response = await api.send("POST", path(api), json=body)
    assert response.status == 201, await response.text()
    return await response.json()


async def change(api: Api, name: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
    response = await api.send("PATCH", path(api, f"/{name}"), json=body)
    assert response.status == 200, await response.text()
    return await response.json()


async def read(api: Api, name: str, query: str = "") -> list[str]:
    """Return what is told through a subscription, sorted: calendars are polled side by side."""
    page = await api.json(path(api, f"/{name}/activity{query}"))
    return sorted(names(page["objects"]))


async def happen(api: Api, place: str, name: str) -> None:
    """Let an event be added to one of the calendars."""
    api.ground.server.calendars[CalendarKey(place)].put(f"{name}.ics", event(name))
    await api.ground.poll(after=SECOND)


async def test_every_account_has_a_default_subscription_of_everything(polled: Api) -> None:
    """K43: by its id and by its alias."""
    (only,) = (await polled.json(path(polled)))["objects"]
    assert only.keys() == MEMBERS
    assert (only["default"], only["active"], only["monitored_resources"]) == (True, True, [])
    assert (only["subscription_type"], only["expiry"]) == ("changes", None)
    assert (only["type"], only["api"]) == ("subscription", "events")
    assert only["account_id"] == str(polled.account)
    assert only["href"] == f"{polled.url}{path(polled)}/{only['id']}"
    for name in ("default", only["id"]):
        assert await polled.json(path(polled, f"/{name}")) == only
    account = await polled.json("/v1/accounts/me")
    assert only["created"] == only["modified"] == account["created"]


async def test_one_is_made_of_nothing_read_changed_and_ended(polled: Api) -> None:
    """K43: an empty body is one of everything; 201 with Location, 204 at the end."""
    response = await polled.send("POST", path(polled))
    new = await response.json()
    assert (response.status, new["default"], new["monitored_resources"]) == (201, False, [])
    assert response.headers["Location"] == new["href"]
    work = await calendar(polled, "Work")
    changed = await change(polled, new["id"], monitored_resources=["primary", work])
    assert changed["monitored_resources"] == [work]
    polled.clock.advance(SECOND)
    paused = await change(polled, new["id"], active=False)
    assert (paused["active"], paused["monitored_resources"]) == (False, [work])
    assert datetime.fromisoformat(paused["modified"]) > datetime.fromisoformat(new["created"])
    assert paused["created"] == new["created"]
    cleared = await change(polled, new["id"], monitored_resources=None)
    assert (cleared["active"], cleared["monitored_resources"]) == (False, [])
    assert (await polled.send("DELETE", path(polled, f"/{new['id']}"))).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        gone = await polled.send(method, path(polled, f"/{new['id']}"), json={})
        assert gone.status == 404, method


async def test_the_default_one_is_changed_and_stays(polled: Api) -> None:
    """K43: not deletable, 400; its id stays when it is stored."""
    before = await polled.json(path(polled, "/default"))
    home = await calendar(polled, "Home")
    after = await change(polled, "default", monitored_resources=[home])
    assert (after["id"], after["default"], after["created"]) == (
        before["id"], True, before["created"],
    )  # fmt: skip
    assert await polled.json(path(polled, f"/{before['id']}")) == after
    for name in ("default", after["id"]):
        response = await polled.send("DELETE", path(polled, f"/{name}"))
        told = await response.json()
        assert (response.status, told["error_code"]) == (400, "invalid_parameters")
        assert "active false" in told["message"]
    assert await polled.json(path(polled, "/default")) == after


async def test_pages_begin_with_the_default_one(polled: Api) -> None:
    """R11: `page` is a string."""
    ids = {(await made(polled))["id"] for _ in range(3)}
    default = (await polled.json(path(polled, "/default")))["id"]
    for size in (1, 2, 3, 100):
        listed = [one["id"] for one in await polled.pages(path(polled), size)]
        assert listed == [default, *sorted(ids)], size
    await change(polled, "default", active=False)  # stored now, and not told twice
    assert len(await polled.pages(path(polled), 2)) == 4
    page = await polled.json(path(polled, "?page_size=1"))
    assert (page["page"], page["type"], page["api"]) == ("1", "object_list", "events")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"monitored_resources": ["cal_none"]}, "monitored_resources"),
        ({"monitored_resources": "primary"}, "monitored_resources"),
        ({"monitored_resources": [7]}, "monitored_resources"),
        ({"monitored_resources": ["primary"] * 1001}, "monitored_resources"),
        ({"active": "yes"}, "active"),
        ({"active": None}, "active"),
        ({"subscription_type": "audit"}, "subscription_type"),
    ],
)
async def test_what_is_wrong_names_its_field(polled: Api, body: Any, field: str) -> None:  # noqa: ANN401
    for method, place in (("POST", ""), ("PATCH", "/default")):
        response = await polled.send(method, path(polled, place), json=body)
        told = await response.json()
        assert (response.status, told["error_code"]) == (400, "invalid_parameters")
        assert told["message"].startswith(field)
    assert (await polled.json(path(polled)))["count"] == 1


async def test_what_is_read_only_is_ignored(polled: Api) -> None:
    """R13."""
    one = await made(polled, id="mine", default=True, expiry="2030-01-01T00:00:00Z")
    assert one["id"] != "mine"
    assert (one["default"], one["expiry"]) == (False, None)


async def test_reading_and_writing_have_scopes_of_their_own(polled: Api) -> None:
    """R7."""
    reads = await polled.token(Scope.READ_EVENTS)
    writes = await polled.token(Scope.MANAGE_WEBHOOKS)
    for place in ("", "/default", "/default/activity", "/default/activity/latest"):
        assert (await polled.get(path(polled, place), token=reads)).status == 200
        assert (await polled.get(path(polled, place), token=writes)).status == 403
    assert (await polled.send("POST", path(polled), token=writes)).status == 201
    for method, place in (("POST", ""), ("PATCH", "/default"), ("DELETE", "/default")):
        response = await polled.send(method, path(polled, place), json={}, token=reads)
        assert response.status == 403
        assert 'scope="manage_webhooks"' in response.headers["WWW-Authenticate"]


async def test_one_account_knows_nothing_of_anothers(polled: Api) -> None:
    """R5: also where both are the same user's."""
    eve = await polled.another()
    other = f"/v1/accounts/{eve.profile_id}/subscriptions"
    hers = await polled.token(user_id="acc_eve")
    theirs = await (await polled.send("POST", other, token=hers)).json()
    assert (await polled.get(path(polled, f"/{theirs['id']}"))).status == 404
    assert (await polled.get(f"{other}/{theirs['id']}", token=hers)).status == 200
    assert (await polled.json(path(polled)))["count"] == 1


async def test_the_same_idempotency_key_makes_one(
    polled: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R17: also where the first attempt broke off between what it stored and its answer."""
    key = {"Idempotency-Key": "once"}
    with monkeypatch.context() as broken:
        broken.setattr(polled.ground.store, "keep_answer", failing)
        lost = await polled.send("POST", path(polled), headers=key)
        assert lost.status == 503
    first, again = [await polled.send("POST", path(polled), headers=key) for _ in range(2)]
    assert (first.status, await first.json()) == (again.status, await again.json())
    assert first.status == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await polled.json(path(polled)))["count"] == 2


async def failing(*_: object) -> None:
    raise TransientError("the disk is full")


async def test_a_version_that_has_changed_is_not_overwritten(polled: Api) -> None:
    """R18."""
    first = await polled.get(path(polled, "/default"))
    tag = first.headers["ETag"]
    held = await polled.get(path(polled, "/default"), headers={"If-None-Match": tag})
    assert held.status == 304
    new = await polled.send(
        "PATCH", path(polled, "/default"), json={"active": False}, headers={"If-Match": tag}
    )
    assert new.status == 200
    assert new.headers["ETag"] != tag
    for method in ("PATCH", "DELETE"):
        stale = await polled.send(
            method, path(polled, "/default"), json={}, headers={"If-Match": tag}
        )
        assert stale.status == 412, method
    assert not (await polled.json(path(polled, "/default")))["active"]


async def test_activity_is_limited_to_what_is_monitored(polled: Api) -> None:
    """K44: accounts' records always pass; K35 never is limited."""
    home, work = [await calendar(polled, name) for name in ("Home", "Work")]
    one = (await made(polled, monitored_resources=[home]))["id"]
    assert await read(polled, one) == HOME
    assert await read(polled, "default") == BOTH
    page = await polled.json(f"/v1/accounts/{polled.account}/events")
    assert sorted(names(page["objects"])) == BOTH
    await change(polled, "default", monitored_resources=[work])
    assert await read(polled, "default") == WORK
    page = await polled.json(f"/v1/accounts/{polled.account}/events")
    assert sorted(names(page["objects"])) == BOTH


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?objects=event", ["+ Tea"]),
        ("?types=update", ["~ account"]),
        ("?calendar_ids=<home>", HOME),
        ("?calendar_ids=primary", ["+ account", "~ account"]),
        ("?calendar_ids=primary&objects=event", []),
        ("?calendar_ids=primary,<home>&objects=event", ["+ Tea"]),
        ("?page_size=2", ["+ Home", "+ account"]),
    ],
)
async def test_filters_leave_out_more_of_it(polled: Api, query: str, expected: list[str]) -> None:
    """K38, K44: what neither wants is not told, and never all because nothing is left."""
    home = await calendar(polled, "Home")
    one = (await made(polled, monitored_resources=[home]))["id"]
    assert await read(polled, one, query.replace("<home>", home)) == expected


async def test_cursors_are_those_of_the_account(polled: Api) -> None:
    """K44, K35-K37: one goes on where another reader stopped."""
    home = await calendar(polled, "Home")
    one = (await made(polled, monitored_resources=[home]))["id"]
    latest = await polled.json(f"/v1/accounts/{polled.account}/events/latest")
    assert await polled.json(path(polled, f"/{one}/activity/latest")) == latest
    page = await polled.json(path(polled, f"/{one}/activity"))
    assert page["cursor"] == latest["cursor"]
    assert page.keys() == {"count", "objects", "cursor", "type", "api"}
    for place in ("/home/", "/work/"):
        await happen(polled, place, "New")
    for cursor in (latest["cursor"], "after-auth"):
        assert await read(polled, one, f"?cursor={cursor}") == ["+ New"]
        assert await read(polled, "default", f"?cursor={cursor}") == ["+ New", "+ New"]
    assert await read(polled, one, "?cursor=latest") == []


async def test_a_cursor_that_is_refused_is_refused_here_too(polled: Api) -> None:
    """K39."""
    for place in ("/activity", "/activity/stream"):
        response = await polled.get(path(polled, f"/default{place}?cursor=121"))
        await refused(response, 400, "invalid_cursor", polled)
        response = await polled.get(path(polled, f"/default{place}?cursor=aaaaaaaa1"))
        await refused(response, 410, "cursor_expired", polled)


async def test_a_long_poll_waits_for_what_is_monitored(polled: Api) -> None:
    """K40."""
    home = await calendar(polled, "Home")
    one = (await made(polled, monitored_resources=[home]))["id"]
    end = (await polled.json(path(polled, f"/{one}/activity/latest")))["cursor"]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        waiting = group.create_task(read(polled, one, f"?cursor={end}&wait=60"))
        for place, name in (("/work/", "Other"), ("/home/", "Mine")):
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await happen(polled, place, name)
    assert waiting.result() == ["+ Mine"]


async def test_an_inactive_one_reads_nothing_and_loses_nothing(polled: Api) -> None:
    """K43, K44: 409 with the remedy, and then on from the same cursor."""
    end = (await polled.json(path(polled, "/default/activity/latest")))["cursor"]
    await change(polled, "default", active=False)
    await happen(polled, "/home/", "New")
    for place in ("", "/latest", "/stream"):
        response = await polled.get(path(polled, f"/default/activity{place}?cursor={end}"))
        told = await response.json()
        assert (response.status, told["error_code"]) == (409, "conflict")
        assert "PATCH it with active true" in told["message"]
    await change(polled, "default", active=True)
    assert await read(polled, "default", f"?cursor={end}") == ["+ New"]


async def test_a_calendar_that_is_gone_stays_monitored(polled: Api) -> None:
    """K43: its delete is told, and what is left is never everything."""
    home = await calendar(polled, "Home")
    one = (await made(polled, monitored_resources=[home]))["id"]
    end = (await polled.json(path(polled, f"/{one}/activity/latest")))["cursor"]
    del polled.ground.server.calendars[CalendarKey("/home/")]
    for _ in range(4):
        await polled.ground.poll()
    assert "- Home" in await read(polled, one, f"?cursor={end}")
    kept = await polled.json(path(polled, f"/{one}"))
    assert kept["monitored_resources"] == [home]
    assert (await change(polled, one, monitored_resources=[home]))["monitored_resources"] == [home]
    response = await polled.send("POST", path(polled), json={"monitored_resources": [home]})
    assert response.status == 400  # to whom it is new, it is not there
    end = (await polled.json(path(polled, f"/{one}/activity/latest")))["cursor"]
    await happen(polled, "/work/", "Elsewhere")
    assert await read(polled, one, f"?cursor={end}") == []


async def test_they_end_with_their_account(polled: Api) -> None:
    await made(polled)
    assert (await polled.send("DELETE", f"/v1/accounts/{polled.account}")).status == 204
    assert (await polled.get(path(polled))).status == 404
    assert await polled.ground.store.selections(polled.ground.profile_id) == []


async def lines(response: ClientResponse, wanted: str) -> str:
    """Read an event stream until a line has these letters."""
    async with asyncio.timeout(10):
        async for line in response.content:
            if wanted in line.decode():
                return line.decode()
    raise AssertionError(wanted)


async def test_a_stream_obeys_its_subscription_while_it_is_open(polled: Api) -> None:
    """K41, K44: a change counts from the next comment on; an end is the stream's end."""
    home, work = [await calendar(polled, name) for name in ("Home", "Work")]
    one = (await made(polled, monitored_resources=[home]))["id"]
    async with await polled.get(path(polled, f"/{one}/activity/stream?cursor=latest")) as stream:
        assert stream.content_type == "text/event-stream"
        for place, name in (("/work/", "Unseen"), ("/home/", "Seen")):
            await happen(polled, place, name)
        assert "Seen" in await lines(stream, "data: ")
        await change(polled, one, monitored_resources=[work])
        await lines(stream, ": \n")
        await lines(stream, ": \n")
        for place, name in (("/home/", "Hidden"), ("/work/", "Shown")):
            await happen(polled, place, name)
        assert "Shown" in await lines(stream, "data: ")
        await polled.send("DELETE", path(polled, f"/{one}"))
        async with asyncio.timeout(10):
            assert b"data" not in await stream.content.read()
    assert (await polled.get(path(polled, f"/{one}/activity/stream"))).status == 404
