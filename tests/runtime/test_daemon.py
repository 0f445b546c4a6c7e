"""The daemon as a process: what it answers, what signals do, who may ask it (decision 9)."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from syncd.runtime.vault import new_ring
from tests.journeys.daemon import Daemon, configured, free_port
from tests.servers.caldav import Radicale


def login(server: Radicale) -> tuple[str, ...]:
    words = ("profile", "add", "caldav", "--password-stdin")
    return (*words, "--url", server.url, "--username", server.username)


def log_of(syncd: Daemon) -> str:
    return (syncd.folder / "log").read_text()


async def until(syncd: Daemon, word: str, count: int = 1) -> None:
    async with asyncio.timeout(10):
        while log_of(syncd).count(word) < count:  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.02)


async def test_a_profile_is_connected_read_and_told_of(syncd: Daemon, tmp_path: Path) -> None:
    async with Radicale(tmp_path / "radicale") as server:
        await server.mkcalendar("work", name="Work")
        await syncd.start()
        added = await syncd.ask(*login(server), text=f"{server.password}\n")
        assert (added["profile_id"], added["account_id"]) == ("pro_aaab", "1")
        done = await syncd.ask("profile", "sync", "1", "--wait")
        assert type(done["activities"]) is int  # it waited; the schedule may have been quicker
        records = await syncd.ask("activity", "tail", "1")
        assert [record["metadata"]["type"] for record in records[:2]] == ["account", "calendar"]
        later = await syncd.ask("activity", "tail", "pro_aaab", "--cursor", records[0]["cursor"])
        assert later == records[1:]
        shown = await syncd.ask("profile", "show", "1")
        assert [calendar["name"] for calendar in shown["calendars"]] == ["Work"]
        assert (shown["state"], shown["cursor"]) == ("connected", records[-1]["cursor"])
        again = await syncd.ask(*login(server), text=server.password)
        assert again["profile_id"] == added["profile_id"]
        assert len(await syncd.ask("profile", "list")) == 1
        code, out, _ = await syncd.run("activity", "tail", "1")
        assert code == 0
        assert "calendar" in out
        assert "Work" in out
        looked = await syncd.ask("db", "check")
        assert looked == {"well": True, "faults": []}
    for path in syncd.folder.rglob("*"):
        if path.is_file():
            assert server.password.encode() not in path.read_bytes(), path


async def test_pausing_resuming_and_removing_are_told(syncd: Daemon, tmp_path: Path) -> None:
    await syncd.start()
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.ask(*login(server), text=server.password)
    assert (await syncd.ask("profile", "pause", "1"))["state"] == "paused"
    code, _, err = await syncd.run("profile", "sync", "1")
    assert (code, err) == (1, "syncd: the profile is paused\n")
    assert (await syncd.ask("profile", "resume", "1"))["state"] != "paused"
    link = (await syncd.ask("profile", "relink", "1"))["relink_url"]
    assert link.startswith(f"{syncd.address}/relink/")
    assert (await syncd.ask("profile", "confirm-deletes", "1"))["account_id"] == "1"
    assert (await syncd.ask("profile", "remove", "1"))["removed"]
    assert await syncd.ask("profile", "list") == []


async def test_it_tells_how_it_is_doing(syncd: Daemon) -> None:
    await syncd.start()
    told = await syncd.ask("status")
    assert told["ready"]
    assert set(told["checks"].values()) == {"ok"}
    assert told["listen"] == f"127.0.0.1:{syncd.port}"
    code, out, _ = await syncd.run("doctor", "-o", "json")
    assert '"what": "address", "found": "127.0.0.1' in out
    assert "answers" in out
    assert code in {0, 1}  # the clock of a test machine may be nobody's care
    async with aiohttp.ClientSession() as session:
        for path in ("livez", "readyz", "metrics"):
            async with session.get(f"{syncd.address}/{path}") as answer:
                assert answer.status == 200, path
        async with session.get(f"{syncd.address}/metrics") as answer:
            assert "syncd_loop_lag_seconds_bucket" in await answer.text()


async def test_only_its_owner_may_ask(syncd: Daemon) -> None:
    await syncd.start()
    assert (syncd.folder / "admin.sock").stat().st_mode & 0o777 == 0o600
    assert (syncd.folder / "syncd.db").stat().st_mode & 0o077 == 0


async def test_a_second_one_does_not_start(syncd: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3."""
    await syncd.start()
    monkeypatch.setenv("SYNCD_SERVER__LISTEN", f"127.0.0.1:{free_port()}")
    code, _, err = await syncd.run("run")
    assert code == 75
    assert "another syncd" in err
    assert (await syncd.ask("status"))["ready"]


async def test_an_address_in_use_is_said_to_be_in_use(syncd: Daemon) -> None:
    with socket.create_server(("127.0.0.1", syncd.port)):
        code, _, err = await syncd.run("run")
    assert code == 78
    assert "server.listen" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_and_leaves_no_socket(number: signal.Signals, syncd: Daemon) -> None:
    await syncd.start()
    await syncd._end(number)
    assert syncd.process is not None
    assert syncd.process.returncode == 0
    assert not (syncd.folder / "admin.sock").exists()
    assert "daemon.draining" in log_of(syncd)
    assert "daemon.stopped" in log_of(syncd)


async def test_it_stops_soon_though_readers_wait(syncd: Daemon, tmp_path: Path) -> None:
    """SIGTERM ends long polls and streams; nobody waits their minute out."""
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.start()
        await syncd.ask(*login(server), text=server.password)
        token = (await syncd.ask("token", "create"))["token"]
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{syncd.address}/v1/accounts/me/events"

        async def read(path: str) -> None:
            async with aiohttp.ClientSession(headers=headers) as session:
                try:
                    async with session.get(f"{url}{path}") as answer:
                        await answer.read()
                except aiohttp.ClientError:
                    return

        readers = [
            asyncio.create_task(read(path)) for path in ("?cursor=latest&wait=60", "/stream")
        ]
        await asyncio.sleep(0.3)
        begun = asyncio.get_running_loop().time()
        assert await syncd.stop() == 0
        assert asyncio.get_running_loop().time() - begun < 10
        await asyncio.wait(readers, timeout=5)
        assert all(reader.done() for reader in readers)


async def test_a_hangup_reads_the_settings_again(syncd: Daemon) -> None:
    await syncd.start()
    assert syncd.process is not None
    os.kill(syncd.process.pid, signal.SIGHUP)
    await until(syncd, "daemon.ready", 2)
    syncd.port = free_port()
    syncd.configure()
    os.kill(syncd.process.pid, signal.SIGHUP)
    await until(syncd, "daemon.ready", 3)
    assert (await syncd.ask("status"))["listen"] == f"127.0.0.1:{syncd.port}"
    async with aiohttp.ClientSession() as session, session.get(f"{syncd.address}/livez") as answer:
        assert answer.status == 200


async def test_systemd_hears_ready_watchdog_reload_and_stop(
    syncd: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = list[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")

        async def hear() -> None:
            while not heard or not heard[-1].startswith("STOPPING=1"):
                heard.append((await asyncio.get_running_loop().sock_recv(systemd, 500)).decode())

        async with asyncio.timeout(50), asyncio.TaskGroup() as group:
            group.create_task(hear())
            await syncd.start()
            assert syncd.process is not None
            await asyncio.sleep(0.6)
            os.kill(syncd.process.pid, signal.SIGHUP)
            await until(syncd, "daemon.ready", 2)
            syncd.config.write_text("[zebra]\n")
            os.kill(syncd.process.pid, signal.SIGHUP)
            await until(syncd, "settings.refused")
            assert await syncd.stop() == 0
    assert heard[0].startswith("READY=1\nSTATUS=answering at 127.0.0.1:")
    assert heard.count("WATCHDOG=1") >= 2
    assert [one.split("\n")[0] for one in heard if one != "WATCHDOG=1"] == [
        *("READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1")
    ]


async def test_a_backup_restored_gives_new_epochs(syncd: Daemon, tmp_path: Path) -> None:
    """S8: cursors from before the restore are told so, and where to go on."""
    copy = tmp_path / "copy.db"
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.start()
        await syncd.ask(*login(server), text=server.password)
    before = (await syncd.ask("profile", "show", "1"))["cursor"]
    made = await syncd.ask("db", "backup", str(copy))
    assert (made["file"], made["bytes"]) == (str(copy), copy.stat().st_size)
    assert copy.stat().st_mode & 0o777 == 0o600
    code, _, err = await syncd.run("db", "restore", str(copy))
    assert code == 75
    assert "another syncd" in err
    assert await syncd.stop() == 0
    assert (await syncd.ask("db", "restore", str(copy)))["from"] == str(copy)
    await syncd.start()
    code, _, err = await syncd.run("activity", "tail", "1", "--cursor", before)
    assert code == 1
    assert "go on at --cursor" in err
    assert (await syncd.ask("db", "upgrade"))["database"].startswith("SQLite")


async def test_what_is_no_backup_replaces_nothing(syncd: Daemon, tmp_path: Path) -> None:
    await syncd.ask("user", "add", "ada")
    other = tmp_path / "other.db"
    other.write_text("not a database")
    code, _, err = await syncd.run("db", "restore", str(other))
    assert code == 2
    assert "no backup of syncd" in err
    assert [user["name"] for user in await syncd.ask("user", "list")] == ["ada"]


async def test_following_prints_each_activity_as_it_comes(syncd: Daemon, tmp_path: Path) -> None:
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.start()
        await syncd.ask(*login(server), text=server.password)
        follower = await asyncio.create_subprocess_exec(
            *syncd.command("activity", "tail", "1", "--cursor", "latest", "-f"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert follower.stdout is not None
        out = follower.stdout

        async def told() -> None:
            while b"paused" not in (line := await out.readline()):
                assert line

        async with asyncio.TaskGroup() as group:
            seen = group.create_task(told())
            while not seen.done():  # it follows from the end, and when that is only it knows
                for word in ("pause", "resume"):
                    await syncd.ask("profile", word, "1")
                    await asyncio.wait({seen}, timeout=0.5)
        follower.send_signal(signal.SIGINT)
        await follower.communicate()
        assert follower.returncode == 0


async def test_another_key_ring_than_the_one_in_use_stops_the_start(
    syncd: Daemon, tmp_path: Path
) -> None:
    """Sealed rows whose key is missing: exit 78 (reliability.md, section 5)."""
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.ask(*login(server), text=server.password)
    ring = syncd.folder / "syncd.keys"
    used = ring.read_text()
    ring.write_text(new_ring())
    code, _, err = await syncd.run("run")
    assert code == 78
    assert used.split()[0] in err
    assert "restore the ring" in err
    ring.write_text(used)
    await syncd.start()


async def test_a_state_directory_may_have_a_long_name(tmp_path: Path) -> None:
    """An address of a Unix socket has 108 bytes, a path may have more."""
    async with configured(tmp_path / ("long" * 20) / ("longer" * 10)) as syncd:
        await syncd.start()
        assert (await syncd.ask("status"))["ready"]
        assert await syncd.stop() == 0
