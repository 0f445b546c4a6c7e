"""``kill -9`` at random moments while records are pushed: each arrives, in order, once by id (I14).

A person edits calendars without pause. One receiver verifies by the reference library, another by
an HMAC of its own; both refuse some messages, hang, break connections and answers, and one's secret
is rotated meanwhile.
"""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.journeys.daemon import Daemon, configured
from tests.journeys.person import Person
from tests.journeys.test_kill import CALENDARS, Follower, beside
from tests.servers.caldav import Radicale
from tests.servers.receiver import (
    Answer,
    Receiver,
    by_hand,
    by_library,
    cut,
    hang,
    reset,
    saying,
    slowly,
)

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
KILLS = 200 if NIGHTLY else 3
FAULTS = 24 if NIGHTLY else 3  # each costs the 5 s until the second attempt
KINDS: list[Answer] = [reset, saying(500), cut, saying(302, headers={"Location": "/there"}), slowly]
if NIGHTLY:
    KINDS.append(hang)  # 20 s


class Faulty(Receiver):
    """Fails some messages at their first attempt, in turn by each kind of fault."""

    def __init__(self, *, chance: random.Random, **more: Any) -> None:  # noqa: ANN401 - of Receiver
        super().__init__(**more)
        self.chance = chance
        self.failed = set[str]()
        self.answer = self.sometimes

    async def sometimes(self, request: web.Request) -> web.StreamResponse:
        identity = request.headers["webhook-id"]
        if len(self.failed) < FAULTS and identity not in self.failed and self.chance.random() < 0.2:
            self.failed.add(identity)
            return await KINDS[len(self.failed) % len(KINDS)](request)
        return web.Response(status=204)


async def delivered(daemon: Daemon, token: str, hook: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{daemon.address}/v1/webhooks/{hook}") as answer,
    ):
        return bool((await answer.json())["behind"] == 0)


@pytest.mark.timeout(2400 if NIGHTLY else 400)
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
        Faulty.listening(chance=chance, checks=(by_library,)) as one,
        Faulty.listening(chance=chance, checks=(by_hand,)) as other,
    ):
        await daemon.start()
        hooks = list[str]()
        for receiver in (one, other):
            hook = await daemon.ask("webhook", "add", receiver.url)
            receiver.secrets = [hook["secret"]]
            hooks.append(hook["id"])
        await daemon.connect(server)
        token = (await daemon.ask("token", "create"))["token"]
        follower = Follower(daemon, token)
        async with beside(follower.hurry(), person.edit()):
            for number in range(KILLS):
                await asyncio.sleep(chance.uniform(0.0, 1.2))
                if number == KILLS // 2:
                    await rotate(daemon, token, hooks[0], one)
                await daemon.kill()
                await daemon.start()
        await daemon.ask("profile", "sync", "1", "--wait")
        async with asyncio.timeout(900 if NIGHTLY else 120):
            for hook in hooks:
                while not await delivered(daemon, token, hook):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.5)
        await follower.drain()
    for receiver in (one, other):
        again = len(receiver.messages) - len(set(receiver.ids))
        print(f"{len(follower.records)} records, {again} sent again")  # noqa: T201 - the figures
        assert receiver.faults == []
        assert len(receiver.failed) == FAULTS
        told = {identity: body["data"] for identity, body in receiver.messages}
        first = [told[identity]["record"]["id"] for identity in dict.fromkeys(receiver.ids)]
        assert first == [record["id"] for record in follower.records]
        assert [one["record"] for one in told.values()] == follower.records


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
