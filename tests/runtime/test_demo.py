"""``syncd demo --once``: the story to its end, and nothing left behind."""

import asyncio
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from string import Template

import pytest
from aiohttp import ClientSession

from syncd.model.errors import MisconfiguredError
from syncd.runtime.demo_server import calendar_server
from syncd.runtime.demo_story import Story
from tests.fakes.clock import FakeClock


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def demo(*options: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syncd", "demo", *options),
        env={**os.environ, "TMPDIR": str(folder), "SYNCD_POLL__INTERVAL_SECONDS": "3600"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def create_as_printed(told: str) -> None:
    """Run the last of the commands that the demo prints."""
    given = dict(re.findall(r"(ADDRESS|TOKEN)=(\S+)", told))
    (command,) = re.findall(r"curl .* -d .*", told)
    curl, *words = shlex.split(Template(command).safe_substitute(given))
    assert (curl, words[0], words[-2]) == ("curl", "-H", "-d")
    name, _, value = words[1].partition(": ")
    async with (
        ClientSession(headers={name: value}) as session,
        session.post(words[2], data=words[-1]) as answer,
    ):
        assert answer.status == 201


@pytest.mark.timeout(90)
async def test_once_tells_the_story_and_leaves_nothing(tmp_path: Path) -> None:
    running = await demo("--once", folder=tmp_path)
    out, err = await running.communicate()
    assert (running.returncode, err.decode()) == (0, "")
    told = out.decode()
    for words in ("+ add", "~ update", "- delete", "Design review", "Room Babbage → Room Lovelace"):
        assert words in told
    for step in Story(FakeClock().now()).steps():
        assert step.says in told
    assert "/v1/accounts/me/events?cursor=$CURSOR&wait=60" in told
    assert "TOKEN=syncd_" in told
    assert re.search(r"http://127\.0\.0\.1:\d+/  log in with  syncd_\S+", told)
    assert left_in(tmp_path) == []


@pytest.mark.timeout(90)
async def test_without_once_it_stays_until_told_to_stop(tmp_path: Path) -> None:
    running = await demo(folder=tmp_path)
    assert running.stdout is not None
    async with asyncio.timeout(60):
        told = b""
        while b"Ctrl-C ends it" not in told:
            line = await running.stdout.readline()
            assert line, told.decode()
            told += line
        await create_as_printed(told.decode())
        while b"Tea with Mary" not in (line := await running.stdout.readline()):
            assert line
        assert b"+ add" in line
    running.send_signal(signal.SIGTERM)
    _, err = await running.communicate()
    assert (running.returncode, err.decode()) == (0, "")
    assert left_in(tmp_path) == []


async def test_without_radicale_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MisconfiguredError, match=r"pip install 'syncd\[demo\]'"):
        async with calendar_server(tmp_path / "radicale"):
            pass
