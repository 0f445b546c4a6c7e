"""``syncd application`` beside a running daemon, and without one (api.md R5, R6, R19)."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.ports.vault import application_place
from syncd.runtime import settings
from syncd.runtime.admin import perform
from syncd.runtime.vault import open_ring
from syncd.runtime.wiring import wired
from tests.journeys.daemon import Daemon
from tests.runtime.test_command_line import login
from tests.servers.caldav import Radicale


async def status(syncd: Daemon, path: str, authorization: str, **headers: str) -> int:
    return (await asked(syncd, path, authorization, **headers))[0]


async def asked(
    syncd: Daemon, path: str, authorization: str, **headers: str
) -> tuple[int, Any, dict[str, str]]:
    sent = {"Authorization": authorization} | headers
    async with (
        aiohttp.ClientSession() as session,
        session.get(syncd.address + path, headers=sent) as response,
    ):
        return response.status, await response.json(), dict(response.headers)


async def test_an_application_reads_what_it_covers_and_its_secrets_can_be_renewed(
    syncd: Daemon, tmp_path: Path
) -> None:
    """K4, R5, R6, R19: from the first call to the last, against the daemon."""
    async with Radicale(tmp_path / "radicale") as server:
        await syncd.start()
        made = await syncd.ask(
            *("application", "add", "Desk", "--origin", "https://Desk.example:443/"),
            *("--redirect-uri", "https://desk.example/back", "--redirect-uri", "app.desk:/back"),
        )
        assert set(made) == {
            *("client_id", "name", "origins", "redirect_uris", "created"),
            *("api_key", "client_secret"),
        }
        assert made["origins"] == ["https://desk.example"]
        assert made["redirect_uris"] == ["https://desk.example/back", "app.desk:/back"]
        added = await syncd.ask(*login(server), text=server.password)
        key, secret = f"APIKey {made['api_key']}", f"apikey {made['client_secret']}"
        for one in (key, secret):
            code, body, headers = await asked(
                syncd, "/v1/accounts", one, Origin="https://desk.example"
            )
            assert (code, [str(each["id"]) for each in body["objects"]]) == (
                200, [added["account_id"]],
            )  # fmt: skip
            assert headers["Access-Control-Allow-Origin"] == "https://desk.example"
        assert await status(syncd, f"/v1/accounts/{added['account_id']}", key) == 200
        assert await status(syncd, "/v1/accounts/me", key) == 400
        assert await status(syncd, "/v1/accounts", f"Bearer {made['api_key']}") == 401

        listed = await syncd.ask("application", "list")
        assert [one["client_id"] for one in listed] == [made["client_id"]]
        assert "syncd_" not in json.dumps(listed) + json.dumps(await syncd.ask("token", "list"))

        kept = await syncd.ask("application", "rotate", "Desk", "--overlap", "1h")
        assert kept["old_secrets_end_at"]
        for one in (key, secret, f"APIKey {kept['api_key']}"):
            assert await status(syncd, "/v1/accounts", one) == 200
        last = await syncd.ask("application", "rotate", made["client_id"], "--overlap", "0")
        for one, code in ((made, 401), (kept, 401), (last, 200)):
            assert await status(syncd, "/v1/accounts", f"APIKey {one['client_secret']}") == code

        assert (await syncd.ask("application", "remove", "Desk"))["removed"]
        code, _, headers = await asked(
            syncd, "/v1/accounts", f"APIKey {last['api_key']}", Origin="https://desk.example"
        )
        assert (code, "Access-Control-Allow-Origin" in headers) == (401, False)
        assert await syncd.ask("application", "list") == []
        assert len(await syncd.ask("profile", "list")) == 1


async def test_what_is_given_replaces_and_the_rest_stays(syncd: Daemon) -> None:
    """R19, K6: without new secrets."""
    one, other = "https://desk.example/back", "https://desk.example/other"
    async with wired(settings.load(syncd.config)) as core:
        given = {"name": "Desk", "redirect_uris": [one]}
        made = await perform(core, "application.add", given)
        await perform(core, "application.add", {"name": "Table"})
        shown = {name: made[name] for name in made.keys() - {"api_key", "client_secret"}}
        changes: list[dict[str, Any]] = [
            {"redirect_uris": [other, one], "origins": ["https://desk.example"]},
            {"name": "Bench"},
            {"origins": []},
        ]
        for change in changes:
            shown |= change
            asked = {"application": made["client_id"], **change}
            assert await perform(core, "application.change", asked) == shown
        with pytest.raises(ConflictError, match="there is an application Table already"):
            await perform(core, "application.change", {"application": "Bench", "name": "Table"})
    bare = await syncd.ask("application", "change", "Bench", "--no-redirect-uris")
    assert bare == shown | {"redirect_uris": []}


async def test_nobody_is_given_the_name_of_an_applications_user(syncd: Daemon) -> None:
    """An application would take him for its own."""
    async with wired(settings.load(syncd.config)) as core:
        with pytest.raises(InvalidError, match="applications' users"):
            await perform(core, "user.add", {"name": "app_2f7xk4qz3m5ya/ada"})
        made = await perform(core, "user.add", {"name": "app_/ada"})
        assert (made["name"], made["application_id"]) == ("app_/ada", None)


async def test_secrets_lie_in_the_store_sealed_and_hashed(syncd: Daemon) -> None:
    """R6, I16: what pushes are signed with can be opened again, and is nowhere in clear."""
    made = await syncd.ask("application", "add", "Desk")
    ring = open_ring(syncd.folder / "syncd.keys")
    with sqlite3.connect(syncd.folder / "syncd.db") as database:
        rows = database.execute("SELECT kind, token_id, sealed FROM application_keys").fetchall()
    opened = {
        kind: ring.open(sealed, place=application_place(made["client_id"], token)).reveal()
        for kind, token, sealed in rows
    }
    assert opened == {"api_key": made["api_key"], "client_secret": made["client_secret"]}
    for file in syncd.folder.glob("syncd.db*"):
        for text in opened.values():
            secret = text.split("_", 2)[-1]  # itself base64, which knows underscores too
            assert len(secret) >= 40
            assert secret.encode() not in file.read_bytes()


REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("add", {"name": " "}, InvalidError, "needs a name"),
    ("add", {"name": "Desk"}, ConflictError, "there is an application Desk already"),
    ("change", {"application": "Desk", "name": ""}, InvalidError, "needs a name"),
    ("change", {"application": "nothing"}, NotFoundError, "syncd application list"),
    ("change", {"application": "Desk", "origins": ["*"]}, InvalidError, "is no origin"),
    ("change", {"application": "Desk", "redirect_uris": ["/"]}, InvalidError, "is no redirect"),
    ("rotate", {"application": "nothing"}, NotFoundError, "syncd application list"),
    ("rotate", {"application": "Desk", "overlap_seconds": 91 * 86400}, InvalidError, "0 to 90"),
    ("remove", {"application": "nothing"}, NotFoundError, "syncd application list"),
    *(
        ("add", {"name": "x", "origins": [text]}, InvalidError, "is no origin")
        for text in (
            *("desk.example", "https://desk.example/path", "*", "null", "https://a:99999"),
            *("https://[::1", "https://a b", "https://a\tb.example", "https://a.example\x00"),
        )
    ),
    *(
        ("add", {"name": "x", "redirect_uris": [text]}, InvalidError, "is no redirect URI")
        for text in (
            *("/back", "https://a.example/#x", "javascript:alert(1)", "https://", "data:x"),
            *("https://a.example/a b", "https://a.example/\r\nX: y", "https://a.example/\tback"),
            *("https://a.example/\x00", "https://a.example/\x7f", "https://a.example/\u00a0"),
            *("https://a.example/\u2028", " https://a.example/", "https://[::1", "app.desk:/a b"),
        )
    ),
]


async def test_what_cannot_be_done_says_why(syncd: Daemon) -> None:
    async with wired(settings.load(syncd.config)) as core:
        known = {"name": "Desk", "redirect_uris": ["urn:ietf:wg:oauth:2.0:oob"]}
        await perform(core, "application.add", known)
        for operation, arguments, error, told in REFUSED:
            with pytest.raises(error, match=told):
                await perform(core, f"application.{operation}", arguments)
        assert len(await core.store.applications()) == 1
    code, out, err = await syncd.run("application", "add", "Desk")
    assert (code, out) == (1, "")
    assert "there is an application Desk already" in err
