"""Two daemons on one PostgreSQL: one polls and pushes, both answer, one takes over (ADR 50)."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.journeys.daemon import SETTINGS, Daemon, configured
from tests.journeys.person import Person
from tests.journeys.test_push import delivered
from tests.servers.caldav import Radicale
from tests.servers.receiver import Receiver
from tests.store.opening import postgres

PATIENCE = 60.0
QUIET = 2.0  # seconds: a message that is sent arrives sooner


@asynccontextmanager
async def two_daemons(folder: Path) -> AsyncIterator[tuple[Daemon, Daemon]]:
    """Yield two that are configured for one database and one key ring."""
    async with postgres() as url:
        shared = f'[store]\nurl = "{url}"\n[vault]\nkey_file = "{folder}/keys"\n'
        settings = SETTINGS + shared
        async with (
            configured(folder / "one", settings) as one,
            configured(folder / "two", settings) as two,
        ):
            yield one, two


async def metric(daemon: Daemon, name: str) -> float:
    """Return the sum over its labels."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{daemon.address}/metrics") as answer,
    ):
        lines = (await answer.text()).splitlines()
    return sum(float(one.rsplit(" ", 1)[1]) for one in lines if re.match(rf"{name}[ {{]", one))


async def does_the_rounds(daemon: Daemon) -> bool:
    return await metric(daemon, "syncd_rounds_here") == 1


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.2)


@pytest.mark.timeout(240)
async def test_of_two_daemons_one_polls_and_pushes_and_the_other_takes_over(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)  # noqa: S311 - nothing is decided by it
    async with (
        two_daemons(tmp_path) as (one, two),
        Radicale(tmp_path / "radicale") as server,
        Person.editing(server, ["work"], chance) as person,
        Receiver.listening() as receiver,
    ):
        code, _, err = await one.run("init")
        assert code == 0, err
        await one.start()
        await two.start()
        assert [await does_the_rounds(each) for each in (one, two)] == [True, False]
        told = [(await each.ask("status"))["polls_and_pushes"] for each in (one, two)]
        assert told == [True, False]
        hook = await two.ask("webhook", "add", receiver.url)  # at the one that does not push
        receiver.secrets = [hook["secret"]]
        await two.connect(server)
        token = (await two.ask("token", "create"))["token"]
        await until(lambda: _has(receiver, 31))
        await until(lambda: delivered(two, token, hook["id"]))

        await two.ask("webhook", "pause", hook["id"])
        before = len(receiver.messages)
        await person.add()
        await two.ask("profile", "sync", "1", "--wait")
        await asyncio.sleep(QUIET)
        assert len(receiver.messages) == before
        assert await metric(two, "syncd_polls_total") == 1, "the one that was asked for"
        assert await metric(one, "syncd_polls_total") >= 1
        assert await metric(two, "syncd_deliveries_total") == 0
        assert await metric(one, "syncd_deliveries_total") == before
        await two.ask("webhook", "resume", hook["id"])
        await until(lambda: _has(receiver, before + 1))

        await one.kill()
        await until(lambda: does_the_rounds(two))
        await person.add()
        await until(lambda: _has(receiver, before + 2))
        await until(lambda: delivered(two, token, hook["id"]))
        await one.start()
        assert [await does_the_rounds(each) for each in (one, two)] == [False, True]
    assert receiver.faults == []
    assert len(receiver.ids) == len(set(receiver.ids)), "each message once"


async def _has(receiver: Receiver, count: int) -> bool:
    return len(set(receiver.ids)) >= count


@pytest.mark.timeout(240)
async def test_a_form_of_one_daemon_is_taken_by_the_other(tmp_path: Path) -> None:
    """What stands before them may send each request to another one (ADR 54)."""
    async with two_daemons(tmp_path) as (one, two):
        made = await one.ask("init")
        await one.start()
        await two.start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.get(f"{one.address}/") as page:
                form = re.search(r'name="form" value="([\w-]+)"', await page.text())
            assert form
            fields = {"form": form[1], "token": made["token"], "to": "/"}
            login = f"{two.address}/dashboard/login"
            async with browser.post(login, data=fields, allow_redirects=False) as entered:
                assert (entered.status, entered.headers.get("Location")) == (303, "/")
            async with browser.get(f"{one.address}/") as page:
                assert "Log out" in await page.text()
