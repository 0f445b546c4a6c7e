"""What ``syncd doctor`` and ``syncd check`` say of secrets, and of a proxy that nobody trusts."""

import json
from typing import Any

import pytest

from tests.journeys.daemon import SETTINGS, Daemon

GOOGLE = '[providers.google]\nclient_id = "id"\nclient_secret = "hunter2"\n'
POSTGRES = '[store]\nurl = "postgresql://syncd:hunter2@127.0.0.1:1/syncd"\n'
PLAIN = 'public_url = "http://127.0.0.1:{port}"'


def set_up(syncd: Daemon, more: str = "", *, mode: int = 0o644, url: str = PLAIN) -> None:
    syncd.settings = SETTINGS.replace(PLAIN, url) + more
    assert url in syncd.settings
    syncd.configure()
    syncd.config.chmod(mode)


async def examined(syncd: Daemon) -> dict[str, Any]:
    _, out, _ = await syncd.run("doctor", "-o", "json")
    assert "hunter2" not in out
    return {one["what"]: one for one in json.loads(out)}


@pytest.mark.parametrize(
    ("more", "key", "variable"),
    [
        (GOOGLE, "providers.google.client_secret", "SYNCD_PROVIDERS__GOOGLE__CLIENT_SECRET"),
        (POSTGRES, "store.url", "PGPASSWORD"),
    ],
)
async def test_secrets_in_a_file_that_everybody_may_read_are_told(
    syncd: Daemon, more: str, key: str, variable: str
) -> None:
    set_up(syncd, more)
    told = (await examined(syncd))["configuration"]
    assert not told["well"]
    for word in (key, variable, f"chmod o= {syncd.config}", "/etc/syncd/environment"):
        assert word in told["found"]
    set_up(syncd, more, mode=0o640)
    assert (await examined(syncd))["configuration"]["well"]


async def test_a_file_without_secrets_may_be_read_by_everybody(syncd: Daemon) -> None:
    set_up(syncd, '[providers.google]\nclient_id = "id"\nclient_secret = ""\n')
    assert (await examined(syncd))["configuration"]["well"]


async def test_a_proxy_that_nobody_trusts_is_told(syncd: Daemon) -> None:
    """Cookies would not be ``Secure``, and five wrong tries of anybody would lock out everybody."""
    https = 'public_url = "https://syncd.example"'
    set_up(syncd, url=https)
    told = (await examined(syncd))["proxy"]
    assert not told["well"]
    assert "server.trusted_proxies" in told["found"]
    trusted = f'{https}\ntrusted_proxies = ["127.0.0.1/32"]'
    set_up(syncd, url=trusted)
    assert (await examined(syncd))["proxy"]["well"]
    set_up(syncd)
    assert "proxy" not in await examined(syncd)


async def test_the_check_shows_no_password(syncd: Daemon) -> None:
    set_up(syncd, GOOGLE + POSTGRES)
    code, out, _ = await syncd.run("check", "-o", "json")
    assert code == 0
    assert "hunter2" not in out
    told = json.loads(out)["settings"]
    assert told["store"]["url"] == "postgresql://syncd:***@127.0.0.1:1/syncd"
