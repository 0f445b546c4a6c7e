"""Microsoft Graph's subscriptions through the adapter (MG16)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import CalendarKey
from syncd.ports.pushing import Granted, Wish
from syncd.ports.vault import Secret
from tests.providers.graph import GraphDesk, graph_desk
from tests.servers.graph import Fault, GraphServer, at

HOST = "https://syncd.example"
WISH = Wish(id="our-id", address=f"{HOST}/v1/push/graph", secret=Secret("our-secret"))
MINUTE = timedelta(minutes=1)
Heard = list[dict[str, Any]]


@asynccontextmanager
async def listening(server: GraphServer, *, echo: bool = True) -> AsyncIterator[Heard]:
    """Answer the handshake, and collect every notice."""
    heard: Heard = []

    async def take(request: web.Request) -> web.Response:
        if "validationToken" in request.query:
            return web.Response(text=request.query["validationToken"] if echo else "what?")
        heard.extend((await request.json())["value"])
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/v1/push/graph", take)
    door = TestServer(app)
    await door.start_server()
    server.subscriptions.doors[HOST] = f"http://127.0.0.1:{door.port}"
    try:
        yield heard
    finally:
        await door.close()


@pytest.fixture
async def desk() -> AsyncIterator[GraphDesk]:
    async with GraphServer().running() as server, graph_desk(server) as one:
        server.subscriptions.now = one.clock.now
        yield one
        assert server.complaints == []


async def subscribed(desk: GraphDesk) -> Granted:
    return await desk.provider.open_channel(desk.key, WISH)


async def test_graph_notices_carry_our_id_and_secret(desk: GraphDesk) -> None:
    async with listening(desk.server) as heard:
        granted = await subscribed(desk)
        desk.work.put("a", subject="One", start=at(24), end=at(24, 10))
        desk.work.put("b", subject="Two", start=at(24), end=at(24, 10))
        await desk.server.subscriptions.call()
    assert len(heard) == 2
    for one in heard:
        assert one["clientState"] == "our-id.our-secret"
        assert one["subscriptionId"] == granted.remote


@pytest.mark.parametrize("granted", [4200 * MINUTE, 1440 * MINUTE, 45 * MINUTE])
async def test_a_subscription_is_to_be_renewed_at_half_of_what_was_granted(
    desk: GraphDesk, granted: timedelta
) -> None:
    desk.server.subscriptions.longest = granted
    async with listening(desk.server):
        told = await subscribed(desk)
        assert abs(told.expires_at - desk.clock.now() - granted) < timedelta(seconds=1)
        desk.clock.advance(granted / 2)
        assert abs(told.renew_at - desk.clock.now()) < timedelta(seconds=1)
        longer = await desk.provider.extend_channel(WISH.id, told.remote)
        assert longer is not None
        assert longer.remote == told.remote
        assert abs(longer.expires_at - desk.clock.now() - granted) < timedelta(seconds=1)


async def test_a_renewal_answers_that_graph_wants_to_be_authorized_anew(desk: GraphDesk) -> None:
    """Until then it withholds notices."""
    async with listening(desk.server) as heard:
        granted = await subscribed(desk)
        await desk.server.subscriptions.say("reauthorizationRequired")
        desk.work.put("a", subject="One", start=at(24), end=at(24, 10))
        await desk.server.subscriptions.call()
        assert [one.get("lifecycleEvent") for one in heard] == ["reauthorizationRequired"]
        await desk.provider.extend_channel(WISH.id, granted.remote)
        await desk.server.subscriptions.call()
    assert len(heard) == 2


async def test_what_was_removed_cannot_be_renewed(desk: GraphDesk) -> None:
    async with listening(desk.server):
        granted = await subscribed(desk)
        await desk.server.subscriptions.say("subscriptionRemoved")
        with pytest.raises(NotFoundError):
            await desk.provider.extend_channel(WISH.id, granted.remote)


async def test_an_address_that_does_not_echo_is_the_operators_to_mend(desk: GraphDesk) -> None:
    with pytest.raises(MisconfiguredError, match="is not reached"):
        await subscribed(desk)
    async with listening(desk.server, echo=False):
        with pytest.raises(MisconfiguredError):
            await subscribed(desk)
    assert desk.server.subscriptions.living == {}


async def test_a_mailbox_that_refuses_is_told_from_one_that_is_down(desk: GraphDesk) -> None:
    desk.server.subscriptions.unwatchable.add(desk.key)
    with pytest.raises(ForbiddenError):
        await subscribed(desk)
    with pytest.raises(UnsupportedError):
        await desk.provider.open_channel(CalendarKey("gone"), WISH)
    desk.server.faults.append(Fault(503, part="/subscriptions"))
    with pytest.raises(TransientError):
        await subscribed(desk)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"id": "x"}',
        '{"id": 7, "expirationDateTime": "2026-11-21T00:00:00Z"}',
        '{"id": "", "expirationDateTime": "2026-11-21T00:00:00Z"}',
        '{"id": "x", "expirationDateTime": "2026-11-21T00:00:00"}',
        '{"id": "x", "expirationDateTime": "soon"}',
        '{"id": "x", "expirationDateTime": null}',
    ],
)
async def test_an_answer_without_id_or_end_is_no_subscription(desk: GraphDesk, text: str) -> None:
    desk.server.faults.append(Fault(201, part="/subscriptions", text=text))
    with pytest.raises(MalformedReplyError):
        await subscribed(desk)


async def test_a_subscription_is_deleted_and_may_be_deleted_again(desk: GraphDesk) -> None:
    """P5."""
    async with listening(desk.server):
        granted = await subscribed(desk)
    await desk.provider.close_channel(WISH.id, granted.remote)
    assert desk.server.subscriptions.living == {}
    await desk.provider.close_channel(WISH.id, granted.remote)
