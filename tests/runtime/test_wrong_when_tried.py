"""What only trying shows to be wrong is told by file or variable, key and remedy: exit 78."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from tests.journeys.daemon import Daemon
from tests.servers.caldav import free_port
from tests.store.opening import postgres

SERVER = "postgresql://postgres@127.0.0.1:5432"
WRONG = f"{SERVER}/postgres?foo=bar"
REMEDY = "PostgreSQL has no option 'foo'; remove it"
LISTEN, STORE = "SYNCD_SERVER__LISTEN", "SYNCD_STORE__URL"


def set_store(syncd: Daemon, url: str) -> None:
    syncd.settings += f'[store]\nurl = "{url}"\n'
    syncd.configure()


@pytest.mark.parametrize("command", ["run", "check", "init", "user list", "db upgrade"])
async def test_an_option_of_the_database_names_the_file(command: str, syncd: Daemon) -> None:
    set_store(syncd, WRONG)
    code, out, err = await syncd.run(*command.split())
    assert (code, out) == (78, "")
    assert err.startswith(f"syncd: {syncd.config}: store.url: {REMEDY}")


@pytest.mark.parametrize("command", ["run", "check", "user list"])
async def test_an_option_of_the_database_names_the_variable_that_wins(
    command: str, syncd: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_store(syncd, f"{SERVER}/postgres")
    monkeypatch.setenv(STORE, WRONG)
    code, out, err = await syncd.run(*command.split())
    assert (code, out) == (78, "")
    assert err.startswith(f"syncd: {STORE}: {REMEDY}")


async def test_doctor_names_the_file_too(syncd: Daemon) -> None:
    set_store(syncd, WRONG)
    _, out, _ = await syncd.run("doctor", "-o", "json")
    assert f"{syncd.config}: store.url: {REMEDY}" in out


async def test_a_value_that_the_database_refuses_names_the_file(syncd: Daemon) -> None:
    set_store(syncd, f"{SERVER}/postgres?connect_timeout=abc")
    code, _, err = await syncd.run("user", "list")
    assert code == 78
    assert err.startswith(f"syncd: {syncd.config}: store.url: ")


async def test_an_address_in_use_names_the_file(syncd: Daemon) -> None:
    with socket.create_server(("127.0.0.1", syncd.port)):
        code, _, err = await syncd.run("run")
    place = f"{syncd.config}: server.listen: cannot listen at 127.0.0.1:{syncd.port}"
    assert code == 78
    assert err.splitlines()[0].startswith(f"syncd: {place}: ")
    assert err.splitlines()[0].endswith("; stop what listens there, or change server.listen")


@pytest.mark.parametrize("listen", ["nowhere.invalid:80", "unix:/nowhere/syncd.sock"])
async def test_an_address_that_cannot_be_names_the_variable(
    listen: str, syncd: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LISTEN, listen)
    code, _, err = await syncd.run("run")
    assert code == 78
    assert err.startswith(f"syncd: {LISTEN}: cannot listen at ")
    assert "change server.listen" in err


async def test_a_state_directory_that_is_a_file_names_the_file(syncd: Daemon) -> None:
    (syncd.folder / "file").touch()
    text = syncd.config.read_text()
    syncd.config.write_text(text.replace(str(syncd.folder), f"{syncd.folder}/file", 1))
    for command in (("run",), ("user", "list"), ("db", "restore", str(syncd.config))):
        code, _, err = await syncd.run(*command)
        assert code == 78
        assert err.startswith(f"syncd: {syncd.config}: state_dir: {syncd.folder}/file: "), command


@pytest.mark.parametrize("command", ["run", "user list"])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"{SERVER}/no such", "database \"no such\" does not exist; make it (createdb 'no such')"),
        (
            f"{SERVER}/postgres".replace("postgres@", "nobody_here@"),
            'role "nobody_here" does not exist; make it (createuser nobody_here)',
        ),
    ],
    ids=["database", "role"],
)
async def test_what_the_server_lacks_is_told_with_the_command_that_makes_it(
    command: str, url: str, told: str, syncd: Daemon
) -> None:
    set_store(syncd, url)
    code, out, err = await syncd.run(*command.split())
    assert (code, out) == (78, "")
    assert err.splitlines()[-1].startswith(f"syncd: {syncd.config}: store.url: ")
    assert err.splitlines()[-1].endswith(f"{told}, or change store.url")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (
            "-c role=pg_monitor -c search_path=information_schema",
            78,
            (
                "permission denied for schema information_schema; let the role make tables there "
                "(createdb --owner makes a database of its own), or change store.url"
            ),
        ),
        (
            "-c search_path=none_such",
            78,
            (
                "no schema has been selected to create in; make the schema that search_path names, "
                "or change store.url"
            ),
        ),
        (
            "-c default_transaction_read_only=on",
            75,
            "cannot execute CREATE TABLE in a read-only transaction",
        ),
    ],
    ids=["rights", "schema", "standby"],
)
async def test_a_database_that_nobody_prepared_is_no_fault_of_ours(
    options: str, code: int, told: str, syncd: Daemon
) -> None:
    async with postgres() as url:
        set_store(syncd, f"{url.partition('?')[0]}?options={quote(options)}")
        ended, out, err = await syncd.run("run")
    assert (ended, out) == (code, "")
    assert err.splitlines()[-1].endswith(told)
    assert code == 75 or f"{syncd.config}: store.url: " in err


@asynccontextmanager
async def refusing(severity: str, state: str, message: str) -> AsyncIterator[str]:
    """Yield the address of a PostgreSQL that refuses everybody (protocol 3.0, ErrorResponse)."""
    fields = f"S{severity}\0V{severity}\0C{state}\0M{message}\0\0".encode()
    refusal = b"E" + (len(fields) + 4).to_bytes(4) + fields

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(4))
        if await reader.readexactly(size - 4) == (80877103).to_bytes(4):  # SSLRequest: none here
            writer.write(b"N")
            await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        writer.write(refusal)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://ada@127.0.0.1:{port}/syncd?gssencmode=disable"


async def test_a_refused_password_is_told_with_what_mends_it(syncd: Daemon) -> None:
    message = 'password authentication failed for user "ada"'
    async with refusing("FATAL", "28P01", message) as url:
        set_store(syncd, url)
        code, _, err = await syncd.run("user", "list")
    assert code == 78
    assert f"{syncd.config}: store.url: {message}; mend the password" in err
    assert "createuser --pwprompt ada" in err


async def test_a_server_that_does_not_answer_or_has_no_time_is_tried_again(syncd: Daemon) -> None:
    set_store(syncd, f"postgresql://ada@127.0.0.1:{free_port()}/syncd")
    code, _, err = await syncd.run("user", "list")
    assert code == 75
    assert "does not answer" in err
    async with refusing("FATAL", "57P03", "the database system is starting up") as url:
        syncd.settings = syncd.settings.partition("[store]")[0]
        set_store(syncd, url)
        code, _, err = await syncd.run("user", "list")
    assert (code, "starting up" in err) == (75, True)
