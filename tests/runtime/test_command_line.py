"""The command line without a daemon: it does the work itself, under the lock (decision 9)."""

import asyncio
import json
import re
import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from syncd.runtime.cli import front
from syncd.runtime.lock import only_writer
from tests.journeys.daemon import SETTINGS, Daemon, free_port
from tests.servers.caldav import Radicale

ADD = ("profile", "add", "caldav", "--password-stdin")


def login(server: Radicale) -> tuple[str, ...]:
    return (*ADD, "--url", server.url, "--username", server.username)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["user", "list", "-o", "json"], ["-o", "json", "user", "list"]),
        (["run", "--config", "x"], ["--config", "x", "run"]),
        (["-c", "x", "check", "--output=json"], ["-c", "x", "--output=json", "check"]),
        (["user", "add", "--", "-c"], ["user", "add", "--", "-c"]),
        (["check", "-o"], ["-o", "check"]),
    ],
)
def test_options_of_syncd_itself_stand_anywhere(given: list[str], meant: list[str]) -> None:
    assert front(given) == meant


def test_help_takes_less_than_300_ms() -> None:
    """Of CPU: the limit is about what is imported, not about who else is busy here.

    On a slower machine it is twice what the libraries that help needs take there.
    """
    libraries = min(_cpu_of("-c", "import asyncio, typer.rich_utils") for _ in range(5))
    assert min(_cpu_of("-m", "syncd", "--help") for _ in range(5)) < max(0.3, 2 * libraries)


def _cpu_of(*command: str) -> float:
    begun = _cpu_of_children()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)  # noqa: S603
    return _cpu_of_children() - begun


def test_help_imports_nothing_heavy() -> None:
    heavy = {
        "aiohttp",
        "sqlalchemy",
        "pydantic",
        "icalendar",
        "cryptography",
        "lxml",
        "apscheduler",
    }
    listed = "import sys; from syncd.runtime.cli.app import app; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", listed], check=True, capture_output=True, text=True)  # noqa: S603
    assert heavy & set(ran.stdout.split()) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("user", "list"),
        ("user", "remove", "nobody"),
        ("user", "adds", "ada"),
        ("profile", "add", "caldav", "--username", "ada", "--password-stdin"),
        ("profile", "--help"),
    ],
)
async def test_a_fresh_interpreter_says_what_a_forked_one_does(
    syncd: Daemon, words: tuple[str, ...]
) -> None:
    """The other tests fork, and nothing may depend on what their origin has imported."""
    ran = await asyncio.create_subprocess_exec(
        *syncd.command(*words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await ran.communicate(b"word")
    told = (ran.returncode, out.decode(), err.decode())
    assert told == await syncd.run(*words, text="word")
    assert any(told[1:])


async def test_how_a_forked_program_ends_is_known(syncd: Daemon) -> None:
    await syncd.start()
    running = syncd.process
    assert running is not None
    before = running.returncode
    await syncd.kill()
    assert (before, running.returncode) == (None, -signal.SIGKILL)
    await syncd.start()
    assert await syncd.stop() == 0
    syncd.config.write_text("nonsense")
    with pytest.raises(AssertionError, match=re.escape("syncd.toml")):
        await syncd.start()
    assert syncd.process is not None
    assert syncd.process.returncode == 78


async def test_a_broken_configuration_names_file_key_and_remedy_and_exits_78(
    syncd: Daemon,
) -> None:
    syncd.config.write_text("[poll]\ninterval_secs = 60\n")
    for command in (("run",), ("check",), ("user", "list"), ("status",), ("doctor",)):
        code, out, err = await syncd.run(*command)
        assert (code, out) == (78, "")
        assert f"{syncd.config}: poll.interval_secs: there is no such setting" in err
        assert "did you mean poll.interval_seconds?" in err


async def test_a_sound_configuration_is_said_to_be_sound(syncd: Daemon) -> None:
    told = await syncd.ask("check")
    assert (told["file"], told["well"]) == (str(syncd.config), True)
    assert told["settings"]["poll"]["interval_seconds"] == 5


async def test_a_file_that_cannot_be_is_named_first(syncd: Daemon) -> None:
    code, out, err = await syncd.run("db", "backup", "/nowhere/syncd.db")
    assert (code, out) == (75, "")
    assert err == "syncd: /nowhere/syncd.db: No such file or directory\n"


async def test_users_are_added_and_listed(syncd: Daemon) -> None:
    added = await syncd.ask("user", "add", "ada")
    assert added["name"] == "ada"
    assert added["id"].startswith("acc_")
    assert await syncd.ask("user", "list") == [added]
    code, out, err = await syncd.run("user", "add", "ada")
    assert (code, out, err) == (1, "", "syncd: there is a user ada already\n")
    code, out, _ = await syncd.run("user", "list")
    assert code == 0
    assert added["id"] in out


async def test_a_token_is_printed_once_with_its_id_lineage_scopes_and_end(syncd: Daemon) -> None:
    """R6."""
    begun = datetime.now(UTC)
    scopes = ("--scope", "read_events", "--scope", "read_account")
    made = await syncd.ask("token", "create", *scopes, "--expires-in", "90d")
    assert set(made) == {"token", "id", "mom_id", "scopes", "expires_at"}
    assert made["token"].startswith(f"syncd_{made['id']}_")
    assert len(made["mom_id"]) == 88
    assert made["scopes"] == ["read_account", "read_events"]
    assert 89 <= (datetime.fromisoformat(made["expires_at"]) - begun).days <= 90
    (listed,) = await syncd.ask("token", "list")
    assert listed["mom_id"] == made["mom_id"]
    assert made["token"] not in json.dumps(listed)
    assert (await syncd.ask("token", "revoke", made["id"]))["revoked"]
    assert (await syncd.ask("token", "list"))[0]["revoked_at"] is not None


async def test_a_token_without_options_is_the_default_users_and_opens_everything(
    syncd: Daemon,
) -> None:
    made = await syncd.ask("token", "create")
    assert (made["scopes"], made["expires_at"]) == (["all"], None)
    (user,) = await syncd.ask("user", "list")
    assert user["name"] == "default"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("token", "create", "--scope", "everything"), 2, "there is no scope everything"),
        (("token", "create", "--expires-in", "soon"), 2, "write 90d, 12h or 30m"),
        (("token", "create", "--user", "eve"), 1, "syncd user add eve"),
        (("token", "create", "--user", "a", "--profile", "1"), 2, "name one of"),
        (("token", "revoke", "nothing"), 1, "nothing"),
        (("profile", "show", "7"), 1, "syncd profile list"),
        (("profile", "show", "pro_zzzz"), 1, "there is no profile pro_zzzz"),
        (
            (
                "profile",
                "frobnicate",
            ),
            2,
            "No such command",
        ),
        (("status",), 69, "no syncd runs in"),
        (("activity", "tail", "7"), 1, "there is no profile 7"),
    ],
)
async def test_what_cannot_be_done_is_a_sentence_and_an_exit_code(
    command: tuple[str, ...], code: int, told: str, syncd: Daemon
) -> None:
    found, out, err = await syncd.run(*command, "-o", "json")
    assert (found, out) == (code, "")
    assert told in " ".join(err.split())
    assert "Traceback" not in err


async def test_without_a_daemon_a_profile_is_connected_and_polled(
    syncd: Daemon, tmp_path: Path
) -> None:
    async with Radicale(tmp_path / "radicale") as server:
        await server.mkcalendar("work", name="Work")
        added = await syncd.ask(*login(server), text=f"{server.password}\n")
        assert (added["profile_id"], added["account_id"]) == ("pro_aaab", "1")
        done = await syncd.ask("profile", "sync", "1", "--wait")
        assert (done["state"], done["last_error"]) == ("connected", None)
        code, out, _ = await syncd.run("activity", "tail", "1")
        assert code == 0
        assert "+ add" in out
        assert "Work" in out


async def test_each_way_to_fail_at_signing_in_is_a_sentence_to_act_on(
    syncd: Daemon, tmp_path: Path
) -> None:
    """The wrong address, the wrong password, HTML for an answer, nobody there."""
    async with Radicale(tmp_path / "radicale") as server, _html() as html:
        nobody = free_port()
        refused = await syncd.run(*login(server), text="wrong")
        wrong = await _added(syncd, f"{html}missing/")
        no_service = await _added(syncd, html)
        away = await _added(syncd, f"http://127.0.0.1:{nobody}/")
        private = await _added(syncd, "http://10.1.2.3/")
    assert refused[0] == 77
    assert "password" in refused[2]
    assert wrong[0] in {1, 69}
    assert no_service[0] in {1, 69}
    assert away[0] == 75
    assert private[0] == 77
    assert "allow_private" in private[2]
    for code, out, err in (refused, wrong, no_service, away, private):
        assert code != 0
        assert out == ""
        assert err.startswith("syncd: ")
        assert len(err.split()) >= 6
        assert "Traceback" not in err
    assert await syncd.ask("profile", "list") == []


async def test_a_password_is_asked_for_on_a_terminal_only(syncd: Daemon) -> None:
    code, _, err = await syncd.run("profile", "add", "caldav", "--username", "ada")
    assert code == 2
    assert "--password-stdin" in err


async def test_the_state_is_the_owners_alone(syncd: Daemon) -> None:
    await syncd.ask("user", "add", "ada")
    for name in ("syncd.keys", "syncd.lock"):
        assert (syncd.folder / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("fault", ["readable", "missing"])
async def test_a_key_ring_that_cannot_be_used_exits_78(fault: str, syncd: Daemon) -> None:
    ring = syncd.folder / "keys"
    syncd.config.write_text(f'{syncd.config.read_text()}[vault]\nkey_file = "{ring}"\n')
    if fault == "readable":
        ring.write_text("a b\n")
        ring.chmod(0o644)
    code, _, err = await syncd.run("user", "list")
    assert code == 78
    assert str(ring) in err


async def test_a_command_waits_for_the_lock_and_then_gives_up(
    syncd: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.runtime.cli.ask.PATIENCE_SECONDS", 0.3)
    from syncd.runtime.cli.ask import ask  # noqa: PLC0415 - as patched
    from syncd.runtime.cli.exits import UnavailableError  # noqa: PLC0415
    from syncd.runtime.cli.output import Options  # noqa: PLC0415

    with only_writer(syncd.folder / "syncd.lock"), pytest.raises(UnavailableError, match="another"):
        await asyncio.to_thread(ask, Options(config=syncd.config), "user.list")


async def test_init_writes_what_is_missing_and_one_admin_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncd = Daemon(tmp_path / "new", settings=SETTINGS)
    monkeypatch.setenv("SYNCD_STATE_DIR", str(tmp_path / "new" / "state"))
    made = await syncd.ask("init")
    ring = syncd.folder / "state" / "syncd.keys"
    assert (made["config"], made["key_ring"]) == (str(syncd.config), str(ring))
    assert syncd.config.read_text().startswith("# syncd's settings")
    assert ring.stat().st_mode & 0o777 == 0o600
    assert made["token"].startswith("syncd_")
    text = ring.read_text()
    assert (await syncd.ask("init"))["token"] is None
    assert ring.read_text() == text


async def test_the_doctor_looks_at_real_things(syncd: Daemon) -> None:
    code, out, _ = await syncd.run("doctor", "-o", "json")
    found = {one["what"]: one for one in json.loads(out)}
    assert code == 1  # nobody listens
    assert {"configuration", "clock", "state", "key ring", "address", "database", "disk"} <= set(
        found
    )
    assert not found["address"]["well"]
    assert "`syncd run` starts one" in found["address"]["found"]
    assert found["database"]["found"].startswith("SQLite 3")
    assert "MiB free" in found["disk"]["found"]
    syncd.folder.chmod(0o755)
    code, out, _ = await syncd.run("doctor", "-o", "json")
    found = {one["what"]: one for one in json.loads(out)}
    assert "chmod 700" in found["state"]["found"]


async def _added(syncd: Daemon, url: str) -> tuple[int, str, str]:
    return await syncd.run(*ADD, "--url", url, "--username", "alice", text="alicepw")


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _html:  # noqa: N801 - reads as a function
    """A web server of pages for people, and of nothing at all below ``/missing``."""

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._page)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        if request.path.startswith("/missing"):
            raise web.HTTPNotFound
        return web.Response(text="<html><body>Welcome</body></html>", content_type="text/html")
