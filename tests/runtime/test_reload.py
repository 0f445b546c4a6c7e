"""SIGHUP: new settings are tried beside the daemon that runs, and refused as a whole or taken."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from syncd.runtime.vault import new_ring
from tests.journeys.daemon import Daemon
from tests.runtime.test_daemon import log_of, until
from tests.servers.caldav import Radicale

Wrong = Callable[[Daemon, int], str]  # from a port that is taken to the settings


def hang_up(syncd: Daemon) -> None:
    assert syncd.process is not None
    os.kill(syncd.process.pid, signal.SIGHUP)


def section(syncd: Daemon, text: str) -> str:
    return f"{syncd.config.read_text()}{text}\n"


def listening(syncd: Daemon, where: str) -> str:
    return syncd.config.read_text().replace(
        f'listen = "127.0.0.1:{syncd.port}"', f'listen = "{where}"'
    )


def another_ring(syncd: Daemon, _: int) -> str:
    ring = syncd.folder / "other.keys"
    ring.write_text(new_ring())
    ring.chmod(0o600)
    return section(syncd, f'[vault]\nkey_file = "{ring}"')


WRONG: dict[str, tuple[Wrong, str]] = {
    "unknown": (lambda syncd, _: section(syncd, "[zebra]"), "zebra: there is no such setting"),
    "taken": (
        lambda syncd, port: listening(syncd, f"127.0.0.1:{port}"),
        "server.listen: cannot listen at",
    ),
    "no host": (
        lambda syncd, _: listening(syncd, "nowhere.invalid:80"),
        "server.listen: cannot listen at nowhere.invalid:80",
    ),
    "no folder": (
        lambda syncd, _: listening(syncd, f"unix:{syncd.folder}/none/syncd.sock"),
        "server.listen: cannot listen at",
    ),
    "no file": (
        lambda syncd, _: section(syncd, '[store]\nurl = "sqlite:////none/at/all.db"'),
        "store.url: /none/at: there is no such directory",
    ),
    "no server": (
        lambda syncd, _: section(syncd, '[store]\nurl = "postgresql://ada@127.0.0.1:1/none"'),
        "store.url: the database does not answer",
    ),
    "no token": (
        lambda syncd, _: section(
            syncd, '[nats]\nurl = "nats://127.0.0.1:1"\ntoken_file = "/none/token"'
        ),
        "nats.token_file: /none/token: No such file",
    ),
    "other ring": (another_ring, "which this key ring lacks; restore the ring"),
    "elsewhere": (
        lambda syncd, _: syncd.config.read_text().replace(str(syncd.folder), f"{syncd.folder}/2"),
        "state_dir: it cannot change while syncd runs",
    ),
}


@asynccontextmanager
async def reading_live(syncd: Daemon) -> AsyncIterator[aiohttp.ClientResponse]:
    """Hold a stream of the daemon open; every reload that is taken ends it."""
    token = (await syncd.ask("token", "create"))["token"]
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.get(f"{syncd.address}/v1/accounts/me/events/stream") as stream,
    ):
        assert stream.status == 200
        yield stream


@pytest.mark.parametrize(("wrong", "told"), WRONG.values(), ids=WRONG)
async def test_wrong_settings_change_nothing_but_the_log(
    syncd: Daemon, wrong: Wrong, told: str, tmp_path: Path
) -> None:
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.start()
        await syncd.connect(server)
    sound = syncd.config.read_text()
    with socket.create_server(("127.0.0.1", 0)) as other:
        async with reading_live(syncd) as stream:
            syncd.config.write_text(wrong(syncd, other.getsockname()[1]))
            hang_up(syncd)
            await until(syncd, "settings.refused")
            assert told in log_of(syncd)
            assert "syncd.toml: " in log_of(syncd) or "ring" in told
            syncd.config.write_text(sound)
            assert (await syncd.ask("status"))["ready"]
            assert log_of(syncd).count("daemon.ready") == 1
            assert not stream.content.at_eof()
            hang_up(syncd)
            await until(syncd, "daemon.ready", 2)
            async with asyncio.timeout(10):
                while await stream.content.readany():
                    pass
    assert (await syncd.ask("status"))["listen"] == f"127.0.0.1:{syncd.port}"
    assert await syncd.stop() == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("127.0.0.1", "0.0.0.0"),  # noqa: S104 - it is what this is about
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ("127.0.0.1", "localhost"),
    ],
)
async def test_another_address_may_have_the_same_port(
    before: str, after: str, syncd: Daemon
) -> None:
    syncd.config.write_text(listening(syncd, f"{before}:{syncd.port}"))
    await syncd.start()
    syncd.configure()
    syncd.config.write_text(listening(syncd, f"{after}:{syncd.port}"))
    hang_up(syncd)
    await until(syncd, "daemon.ready", 2)
    assert (await syncd.ask("status"))["listen"] == f"{after}:{syncd.port}"
    async with aiohttp.ClientSession() as session, session.get(f"{syncd.address}/livez") as answer:
        assert answer.status == 200
    with pytest.raises(OSError, match="in use"):
        socket.create_server(("127.0.0.1", syncd.port))
    assert await syncd.stop() == 0


async def test_another_store_is_taken_as_it_is(syncd: Daemon) -> None:
    await syncd.start()
    await syncd.ask("user", "add", "ada")
    sound = syncd.config.read_text()
    syncd.config.write_text(section(syncd, f'[store]\nurl = "sqlite:///{syncd.folder}/other.db"'))
    hang_up(syncd)
    await until(syncd, "daemon.ready", 2)
    assert await syncd.ask("user", "list") == []
    syncd.config.write_text(sound)
    hang_up(syncd)
    await until(syncd, "daemon.ready", 3)
    assert [user["name"] for user in await syncd.ask("user", "list")] == ["ada"]


async def test_the_same_file_by_another_spelling_keeps_its_cursors(
    connected: Daemon,
) -> None:
    before = (await connected.ask("profile", "show", "1"))["cursor"]
    folder = connected.folder
    connected.config.write_text(
        section(connected, f'[store]\nurl = "sqlite:///{folder}/../{folder.name}/syncd.db"')
    )
    hang_up(connected)
    await until(connected, "daemon.ready", 2)
    assert (await connected.ask("profile", "show", "1"))["cursor"] == before
