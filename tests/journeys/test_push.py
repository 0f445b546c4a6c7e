"""``kill -9`` at random moments while records are pushed: each arrives, in order, once by id (I14).

A person edits calendars without pause; the receiver verifies every message twice, refuses some at
their first attempt, breaks connections, and the secret is rotated meanwhile.
"""

import asyncio
import os
import random
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.journeys.daemon import Daemon, configured
from tests.journeys.person import Person
from tests.journeys.test_kill import CALENDARS, Follower, beside
from tests.servers.caldav import Radicale
from tests.servers.receiver import Receiver, reset, saying

KILLS = 200 if os.environ.get("SYNCD_TESTS") == "nightly" else 3
FAULTS = 3  # each costs the 5 s until the second attempt


class Faulty(Receiver):
    """Fails some messages at their first attempt, in turn by each kind of fault."""

    def __init__(self, *, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.failed = set[str]()
        self.kinds = [reset, saying(500), saying(302, headers={"Location": "/there"})]
        self.answer = self.sometimes

    async def sometimes(self, request: web.Request) -> web.StreamResponse:
        identity = request.headers["webhook-id"]
        if len(self.failed) < FAULTS and identity not in self.failed and self.chance.random() < 0.2:
            self.failed.add(identity)
            return await self.kinds[len(self.failed) % len(self.kinds)](request)
        return web.Response(status=204)


async def delivered(daemon: Daemon, token: str, hook: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{daemon.address}/v1/webhooks/{hook}") as answer,
    ):
        return bool((await answer.json())["behind"] == 0)


@pytest.mark.timeout(1500 if KILLS > 100 else 400)
async def test_killed_at_random_moments_every_record_is_pushed_once_by_id_and_in_order(
    tmp_path: Path,
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    async with (
        Radicale(tmp_path / "radicale") as server,
        configured(tmp_path / "syncd") as daemon,
        Person.editing(server, CALENDARS, chance) as person,
        Faulty.listening(chance=chance) as receiver,
    ):
        await daemon.start()
        hook = await daemon.ask("webhook", "add", receiver.url)
        receiver.secrets = [hook["secret"]]
        await daemon.ask(
            *("profile", "add", "caldav", "--url", server.url, "--username", server.username),
            "--password-stdin",
            text=server.password,
        )
        token = (await daemon.ask("token", "create"))["token"]
        follower = Follower(daemon, token)
        async with beside(follower.hurry(), person.edit()):
            for number in range(KILLS):
                await asyncio.sleep(chance.uniform(0.0, 1.2))
                if number == KILLS // 2:
                    await rotate(daemon, token, hook["id"], receiver)
                await daemon.kill()
                await daemon.start()
        await daemon.ask("profile", "sync", "1", "--wait")
        async with asyncio.timeout(120):
            while not await delivered(daemon, token, hook["id"]):  # noqa: ASYNC110 - the daemon tells nobody
                await asyncio.sleep(0.5)
        await follower.drain()
    assert receiver.faults == []
    assert len(receiver.failed) == FAULTS
    told = {identity: body["data"] for identity, body in receiver.messages}
    first = [told[identity]["record"]["id"] for identity in dict.fromkeys(receiver.ids)]
    assert first == [record["id"] for record in follower.records]
    records = [one["record"] for one in told.values()]
    assert records == follower.records


async def rotate(daemon: Daemon, token: str, hook: str, receiver: Receiver) -> None:
    """Let both secrets be checked from now on."""
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{daemon.address}/v1/webhooks/{hook}/rotate_secret"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json={}) as answer,
    ):
        assert answer.status == 200
        new = (await answer.json())["secret"]
    await asyncio.sleep(0.2)  # what was being sent when it was rotated
    receiver.secrets.append(new)
