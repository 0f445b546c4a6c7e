"""Creating requests that are sent again after the daemon died at the worst moment (R17)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, web

from tests.journeys.daemon import configured
from tests.servers.quirk_proxy import QuirkProxy

MEETING = {
    "name": "Review",
    "start": "2026-11-24T10:00:00+01:00",
    "end": "2026-11-24T11:00:00+01:00",
}


class Deadly(QuirkProxy):
    """Runs ``after`` once the server has done ``method``, and before anybody is told."""

    method = ""
    after: Callable[[], Awaitable[None]] | None = None
    done = 0

    async def _quirky(self, request: web.Request, body: bytes) -> web.Response:
        told = await super()._quirky(request, body)
        if request.method == self.method and told.status < 300:
            self.done += 1
            if self.after is not None:
                after, self.after = self.after, None
                await after()
        return told


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("method", "place", "body"),
    [
        ("PUT", "/v1/accounts/me/cal/calendars/primary/events", MEETING),
        ("MKCALENDAR", "/v1/accounts/me/cal/calendars", {"name": "New"}),
    ],
    ids=["event", "calendar"],
)
async def test_killed_between_provider_and_store_a_repeated_request_creates_nothing_twice(
    tmp_path: Path, method: str, place: str, body: dict[str, str]
) -> None:
    """R17: whoever asks again with the same key gets what the first attempt made."""
    async with (
        Deadly(tmp_path / "server") as server,
        configured(tmp_path / "syncd") as daemon,
        ClientSession() as session,
    ):
        await server.mkcalendar("work", name="Work")
        await daemon.start()
        await daemon.connect(server)
        await daemon.ask("profile", "sync", "1", "--wait")
        token = (await daemon.ask("token", "create"))["token"]
        sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}

        async def post() -> tuple[int, Any, str | None]:
            async with session.post(daemon.address + place, json=body, headers=sent) as answer:
                told = await answer.json()
                return answer.status, told, answer.headers.get("Idempotency-Replayed")

        server.method, server.after = method, daemon.kill
        with pytest.raises(aiohttp.ClientError):
            await post()
        await daemon.start()
        status, first, replayed = await post()
        assert (status, replayed) == (201, None), first
        assert await post() == (201, first, "true")
        assert server.done == 1

        await daemon.ask("profile", "sync", "1", "--wait")
        listed = place.replace("/primary/", f"/{first.get('calendar_id')}/")
        async with session.get(daemon.address + listed, headers=sent) as answer:
            found = [one for one in (await answer.json())["objects"] if one["id"] == first["id"]]
        assert [one["name"] for one in found] == [body["name"]]
        kept = (tmp_path / "server").rglob("*.ics")
        files = [one for one in kept if ".Radicale.cache" not in one.parts]
        assert len(files) == (method == "PUT")
        assert await daemon.stop() == 0
