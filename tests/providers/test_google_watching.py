"""Google's channels through the adapter (G12)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from syncd.model.errors import (
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import CalendarKey
from syncd.ports.pushing import Wish
from syncd.ports.vault import Secret
from tests.providers.google import WORK, GoogleDesk, google_desk
from tests.servers.google import OWNER, Fault, GoogleServer, at

HOST = "https://syncd.example"
WISH = Wish(id="our-id", address=f"{HOST}/v1/push/google", secret=Secret("our-secret"))
DAY = timedelta(days=1)
REMOTE = f"resource-{OWNER}"
Heard = list[dict[str, str]]


@asynccontextmanager
async def listening(server: GoogleServer) -> AsyncIterator[Heard]:
    """Collect the headers of every call; bodies there are none."""
    heard: Heard = []

    async def take(request: web.Request) -> web.Response:
        assert await request.read() == b""
        heard.append({name: one for name, one in request.headers.items() if "Goog" in name})
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/v1/push/google", take)
    door = TestServer(app)
    await door.start_server()
    server.channels.doors[HOST] = f"http://127.0.0.1:{door.port}"
    try:
        yield heard
    finally:
        await door.close()


@pytest.fixture
async def desk() -> AsyncIterator[GoogleDesk]:
    async with GoogleServer().running() as server, google_desk(server) as one:
        server.channels.now = one.clock.now
        yield one
        assert server.complaints == []


async def test_google_calls_before_it_answers_and_with_every_change(desk: GoogleDesk) -> None:
    async with listening(desk.server) as heard:
        granted = await desk.provider.open_channel(WORK, WISH)
        assert [one["X-Goog-Resource-State"] for one in heard] == ["sync"]
        desk.server.work.put("a", summary="One", start=at(24), end=at(24, 10))
        desk.server.work.put("b", summary="Two", start=at(24), end=at(24, 10))
        await desk.server.channels.call()
        assert [one["X-Goog-Resource-State"] for one in heard] == ["sync", "exists", "exists"]
        numbers = [int(one["X-Goog-Message-Number"]) for one in heard]
        assert numbers[0] == 1
        assert numbers != sorted(numbers)
    for one in heard:
        assert one["X-Goog-Channel-ID"] == WISH.id
        assert one["X-Goog-Channel-Token"] == "our-secret"
        assert one["X-Goog-Resource-ID"] == granted.remote == REMOTE


@pytest.mark.parametrize("granted", [7 * DAY, DAY, timedelta(minutes=10)])
async def test_a_channel_is_to_be_replaced_at_four_fifths_of_what_was_granted(
    desk: GoogleDesk, granted: timedelta
) -> None:
    desk.server.channels.longest = granted
    told = await desk.provider.open_channel(WORK, WISH)
    assert told.expires_at - desk.clock.now() == granted
    assert told.renew_at - desk.clock.now() == granted * 0.8
    assert await desk.provider.extend_channel(WISH.id, told.remote) is None


async def test_a_calendar_that_google_makes_up_refuses_for_ever(desk: GoogleDesk) -> None:
    desk.server.channels.unwatchable.add(OWNER)
    with pytest.raises(UnsupportedError):
        await desk.provider.open_channel(WORK, WISH)


async def test_an_address_that_google_does_not_call_is_the_operators_to_mend(
    desk: GoogleDesk,
) -> None:
    """Also where it says so by a 401, which is no sign of a dead grant."""
    plain = Wish(id="x", address="http://syncd.example/v1/push/google", secret=Secret("x"))
    with pytest.raises(MisconfiguredError):
        await desk.provider.open_channel(WORK, plain)
    desk.server.channels.verified = False
    refreshes = desk.server.tokens.refreshes
    with pytest.raises(MisconfiguredError):
        await desk.provider.open_channel(WORK, WISH)
    assert desk.server.tokens.refreshes == refreshes


async def test_a_calendar_that_is_gone_has_no_channel(desk: GoogleDesk) -> None:
    with pytest.raises(NotFoundError):
        await desk.provider.open_channel(CalendarKey("gone"), WISH)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"resourceId": "x"}',
        '{"expiration": "1"}',
        '{"resourceId": "x", "expiration": "soon"}',
        '{"resourceId": "x", "expiration": null}',
        '{"resourceId": "x", "expiration": "99999999999999999999"}',
    ],
)
async def test_an_answer_without_id_or_end_is_no_channel(desk: GoogleDesk, text: str) -> None:
    desk.server.faults.append(Fault(200, part="/watch", text=text))
    with pytest.raises(MalformedReplyError):
        await desk.provider.open_channel(WORK, WISH)


async def test_a_watch_is_asked_for_once(desk: GoogleDesk) -> None:
    """Whether it was opened is unknown then: the next one has another id."""
    desk.server.faults.append(Fault(503, part="/watch", times=9))
    with pytest.raises(TransientError):
        await desk.provider.open_channel(WORK, WISH)
    assert [one.path.endswith("/watch") for one in desk.server.asked].count(True) == 1


async def test_a_channel_is_stopped_and_may_be_stopped_again(desk: GoogleDesk) -> None:
    """P5."""
    granted = await desk.provider.open_channel(WORK, WISH)
    await desk.provider.close_channel(WISH.id, granted.remote)
    assert desk.server.channels.living == []
    await desk.provider.close_channel(WISH.id, granted.remote)


async def test_googles_own_client_opens_and_stops_a_channel_of_the_fake() -> None:
    """10.4: a witness that is not ours."""

    def journey(url: str, token: str) -> dict[str, str]:
        with build(
            "calendar",
            "v3",
            credentials=Credentials(token),  # type: ignore[no-untyped-call]
            static_discovery=True,
            client_options={"api_endpoint": f"{url}/"},
        ) as service:
            body = {"id": "x", "type": "web_hook", "address": WISH.address, "token": "y"}
            body["expiration"] = "1795000000000"
            told: dict[str, str] = service.events().watch(calendarId=OWNER, body=body).execute()
            stopped = {"id": told["id"], "resourceId": told["resourceId"]}
            assert not service.channels().stop(body=stopped).execute()
            return told

    async with GoogleServer().running() as server, google_desk(server):
        told = await asyncio.to_thread(journey, server.url, server.tokens.access_token)
        assert told["resourceId"] == REMOTE
        assert server.channels.living == []
        assert server.complaints == []
