"""Everything through NATS JetStream while syncd and the server die again and again (N24, I14).

A person edits calendars on a real server without pause. Two consumers keep durable places in the
stream: one reads all along, one only in the end. Both must find what an application that follows
by cursor has: every record once, in its order.
"""

import asyncio
import json
import os
import random
from pathlib import Path

import pytest

from tests.journeys.daemon import SETTINGS, Daemon, configured
from tests.journeys.person import Person
from tests.journeys.test_kill import CALENDARS, Follower, beside
from tests.servers.caldav import Radicale
from tests.servers.nats import Consumer, NatsServer, identity

KILLS = 100 if os.environ.get("SYNCD_TESTS") == "nightly" else 1


async def all_sent(daemon: Daemon) -> bool:
    (nats,) = await daemon.ask("webhook", "list")
    return bool(nats["behind"] == 0)


@pytest.mark.timeout(1500 if KILLS > 50 else 400)
async def test_two_consumers_get_everything_once_in_order_whoever_dies(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    async with (
        Radicale(tmp_path / "radicale") as calendars,
        NatsServer.running(tmp_path / "nats") as nats,
        configured(tmp_path / "syncd", f'{SETTINGS}[nats]\nurl = "{nats.url}"\n') as daemon,
        Person.editing(calendars, CALENDARS, chance) as person,
    ):
        await daemon.start()
        await daemon.ask(
            *("profile", "add", "caldav", "--url", calendars.url),
            *("--username", calendars.username, "--password-stdin"),
            text=calendars.password,
        )
        token = (await daemon.ask("token", "create"))["token"]
        follower, early = Follower(daemon, token), Consumer(nats, "early")
        await daemon.ask("profile", "sync", "1", "--wait")
        got = await early.read(5)
        async with beside(follower.hurry(), person.edit()):
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.0, 1.0))
                await nats.kill()
                await asyncio.sleep(chance.uniform(0.0, 1.0))
                await daemon.kill()
                await asyncio.gather(nats.start(), daemon.start())
                got += await early.read(20)
        await daemon.ask("profile", "sync", "1", "--wait")
        async with asyncio.timeout(150):
            while not await all_sent(daemon):  # noqa: ASYNC110 - the daemon tells nobody
                await asyncio.sleep(0.5)
        await follower.drain()
        got += await early.read()
        late = await Consumer(nats, "late").read()
    wanted = [f"pro_aaab:{record['id']}" for record in follower.records]
    assert len(wanted) > 10
    assert [identity(one) for one in late] == wanted
    # a server that is killed may have forgotten what was acknowledged last, and hands it out again
    assert list(dict.fromkeys(identity(one) for one in got)) == wanted


async def test_the_settings_keep_the_subscription(tmp_path: Path) -> None:
    """Nobody can take it away while they name a server; without one it waits, with its place."""
    async with (
        NatsServer.running(tmp_path / "nats") as nats,
        configured(tmp_path / "syncd") as daemon,
    ):
        plain = daemon.config.read_text()
        daemon.config.write_text(f'{plain}[nats]\nurl = "{nats.url}"\n')
        await daemon.start()
        (made,) = await daemon.ask("webhook", "list")
        assert (made["id"], made["format"], made["status"]) == ("nats", "nats", "active")
        tested = await daemon.ask("webhook", "test", "nats")
        assert (tested["status"], tested["error"]) == ("delivered", None)
        code, _, err = await daemon.run("webhook", "remove", "nats")
        assert (code, "remove [nats] url" in err) == (1, True)
        _, out, _ = await daemon.run("doctor", "-o", "json")
        looked = {one["what"]: one for one in json.loads(out)}
        assert looked[f"nats ({nats.url})"]["well"]
        assert "1 messages" in looked[f"nats ({nats.url})"]["found"]
        assert (await daemon.ask("status"))["subscriptions"] == {"active": 1}
        await daemon.stop()
        daemon.config.write_text(plain)
        await daemon.start()
        (paused,) = await daemon.ask("webhook", "list")
        assert (paused["status"], paused["status_reason"]) == ("disabled", "operator")
        code, _, err = await daemon.run("webhook", "resume", "nats")
        assert (code, "set [nats] url" in err) == (1, True)
        assert [one.subject for one in await Consumer(nats, "reader").read()] == ["syncd.test"]
