"""The live view's events, without a browser."""

import asyncio
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson

from syncd.model.access import split_token
from tests.engine.ground import event
from tests.web.desk import Operator

PATH = "/dashboard/activity/stream"


async def told(operator: Operator, query: str, count: int) -> list[dict[str, Any]]:
    """Follow until so many activities came; what was there before is not among them."""
    operator.api.clock.advance(timedelta(minutes=1))
    found = list[dict[str, Any]]()
    async with asyncio.timeout(20):
        answer = await operator.get(PATH + query)
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        async for line in answer.content:
            if line.startswith(b"event: ready"):
                await operator.api.ground.poll()
            elif line.startswith(b"data: {") and len(line) > 10:
                found.append(orjson.loads(line.removeprefix(b"data: ")))
            if line == b"\n" and len(found) >= count:
                answer.close()
                break
    return found


async def test_activities_arrive_with_what_a_line_shows(operator: Operator) -> None:
    work = operator.api.ground.server.add("/work/", name="Work", primary=True)
    work.put("a.ics", event("<b>Review</b>", location="Room Lovelace"))
    calendar, review, profile = await told(operator, "", 3)
    assert (calendar["kind"], calendar["verb"], calendar["name"]) == ("Calendar", "added", "Work")
    assert review["name"] == "<b>Review</b>"
    assert "Room Lovelace" in review["details"]
    assert review["href"] == f"/dashboard/profiles/{operator.api.account}"
    assert (profile["kind"], profile["verb"]) == ("Profile", "changed")


async def test_a_filter_leaves_out_the_rest(operator: Operator) -> None:
    work = operator.api.ground.server.add("/work/", name="Work", primary=True)
    work.put("a.ics", event("Review"))
    (one,) = await told(operator, f"?kind=event&type=add&profile={operator.api.account}", 1)
    assert one["name"] == "Review"


async def test_what_happened_since_the_page_was_made_is_not_lost(operator: Operator) -> None:
    """Nor what happened while a connection was broken."""
    page = await operator.text("/dashboard/activity")
    (query,) = re.findall(r'data-live="/dashboard/activity/stream(\?after=[\w-]+)"', page)
    work = operator.api.ground.server.add("/work/", name="Work", primary=True)
    work.put("a.ics", event("Review"))
    await operator.api.ground.poll()
    assert {"Work", "Review"} <= {one["name"] for one in await told(operator, query, 3)}


async def test_a_place_that_is_no_longer_kept_is_the_end(operator: Operator) -> None:
    """A page that is old goes on with what comes next."""
    work = operator.api.ground.server.add("/work/", name="Work", primary=True)
    answer = await operator.get(f"{PATH}?after=nonsense")
    assert await answer.content.readuntil(b"event: ready\n")
    for number in range(50):
        work.put(f"{number}.ics", event(f"Review {number}"))
        await operator.api.ground.poll()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                assert await answer.content.readuntil(b"event: activity\n")
                return
    raise AssertionError


async def test_it_ends_when_the_token_does(operator: Operator) -> None:
    answer = await operator.get(PATH)
    assert await answer.content.readuntil(b"event: ready\n")
    parts = split_token(operator.token)
    assert parts
    await operator.api.ground.store.revoke_token(parts[0], operator.api.clock.now())
    async with asyncio.timeout(5):
        await answer.content.read()
    assert answer.content.at_eof()


async def test_it_ends_when_somebody_logs_out(operator: Operator) -> None:
    answer = await operator.get(PATH)
    assert await answer.content.readuntil(b"event: ready\n")
    await operator.post("/dashboard/logout")
    async with asyncio.timeout(5):
        await answer.content.read()
    assert answer.content.at_eof()


async def test_a_head_asks_for_nothing(operator: Operator) -> None:
    answer = await operator.api.send("HEAD", PATH, token="")
    assert answer.status == 200
