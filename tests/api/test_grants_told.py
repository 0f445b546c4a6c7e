"""Nothing of a grant is told where it does not belong: logs, the store, the address of a page."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from syncd.runtime.log import configure
from tests.api.desk import Desk, body, desk_of, refused, told
from tests.api.serving import serving

CANARY = "canary-8f3a91-of-nobodys-pattern"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serving(tmp_path) as api:
        yield await desk_of(api)


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Log as the daemon does when it is asked for everything; return what is logged."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("debug", terminal=False)
    yield capsys
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def _secrets(desk: Desk) -> list[str]:
    """Play both dialects through, refusals too; return every secret that was handed out."""
    asked = await desk.person.get(desk.kloudless(state=CANARY))
    page = f"{asked.headers['Location']}?provider=caldav"
    back = told(await desk.person.submit(page, url="dav.example", username="bo", **_PASSWORD))
    given = await body(await desk.redeem(back["code"]))
    await refused(await desk.redeem(back["code"]), "invalid_grant")
    implicit = told(await desk.connected(desk.kloudless(response_type="token")))
    code = await desk.code(desk.cronofy())
    user = await body(await desk.exchange(code))
    for text in (user["refresh_token"], CANARY):
        asked_again = {"grant_type": "refresh_token", "refresh_token": text, **desk.client}
        await desk.api.send("POST", "/oauth/token", token="", json=asked_again)
    await refused(await desk.exchange(CANARY), "invalid_grant")
    await refused(await desk.exchange(code, client_secret=CANARY), "invalid_client", 401)
    secret = asked.headers["Location"].rpartition("/")[2]
    shown = [desk.secret, desk.api_key, CANARY, secret, back["code"], code]
    shown += [given["access_token"], implicit["access_token"]]
    return [*shown, user["access_token"], user["refresh_token"], *desk.person.cookies.values()]


_PASSWORD = {"password": "correct horse"}


def _secret(text: str) -> str:
    """Return the part of a token, code or link that nobody may know."""
    return text.split("_", 2)[2] if text.startswith("syncd_") else text


def _files(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.name.startswith("syncd.db")]


async def test_no_secret_of_a_grant_is_logged(desk: Desk, logs: pytest.CaptureFixture[str]) -> None:
    """F41: oauthlib tells at its lowest level what it was given."""
    secrets = [_secret(one) for one in await _secrets(desk)]
    text = logs.readouterr().err
    assert not [one for one in secrets if one in text]
    logging.getLogger("oauthlib").setLevel("DEBUG")
    await _secrets(desk)
    assert CANARY in logs.readouterr().err, "the search finds nothing at all"


async def test_the_store_holds_no_secret_of_a_grant(desk: Desk, tmp_path: Path) -> None:
    """reliability.md §5: digests, and what is sealed (here by a vault that hides nothing)."""
    sealed = {desk.secret, desk.api_key, CANARY}  # they sign; a state is kept until it goes back
    secrets = [_secret(one) for one in await _secrets(desk) if one not in sealed]
    await desk.api.ground.store.close()
    kept = b"".join(map(Path.read_bytes, _files(tmp_path)))
    assert desk.application.id.encode() in kept
    assert not [one for one in secrets if one.encode() in kept]


async def test_codes_and_tokens_are_in_no_address_of_ours(desk: Desk) -> None:
    """The browser is sent with them to the application alone, and tells nobody where it was."""
    last = await desk.connected(desk.kloudless())
    assert last.headers["Location"].startswith(f"{desk.back}?code=")
    assert last.headers["Referrer-Policy"] == "no-referrer"
    assert last.headers["Cache-Control"] == "no-store"
