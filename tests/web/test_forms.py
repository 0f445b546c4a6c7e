"""What every form of ours carries: how long it is good, and for which cookie (ADR 54)."""

import asyncio
from datetime import timedelta

import pytest

from tests.api.serving import Api
from tests.web.desk import Operator

COOKIE = "syncd-form"


@pytest.fixture
def stranger(api: Api) -> Operator:
    return Operator(api)


async def test_a_form_is_good_for_a_day(stranger: Operator) -> None:
    token = await stranger.api.token(admin=True)
    form = stranger.form_of(await stranger.text("/"))
    given = {"form": form, "token": token, "to": "/"}
    stranger.api.clock.advance(timedelta(hours=23, minutes=59))
    assert (await stranger.send("/dashboard/login", given)).status == 303
    stranger.api.clock.advance(timedelta(minutes=1))
    late = await stranger.send("/dashboard/login", given)
    assert late.status == 403
    assert "open for too long" in await late.text()


async def test_a_form_is_good_at_its_own_path_only(stranger: Operator) -> None:
    asked = await stranger.api.send("POST", f"/v1/profiles/{stranger.api.account}/relink")
    path = (await asked.json())["relink_url"].removeprefix(stranger.api.url)
    form = stranger.form_of(await stranger.text("/"))
    answer = await stranger.send(path, {"token": form, "password": "x"})
    assert answer.status == 403
    assert stranger.api.linker.tries == []


@pytest.mark.parametrize("planted", ["x", "a" * 44, "é" * 22, ""])
async def test_a_cookie_that_is_none_of_ours_is_replaced(stranger: Operator, planted: str) -> None:
    """Whatever another program on this host, or somebody who can set cookies, left there."""
    cookie = {"Cookie": f"{COOKIE}={planted}"}
    answer = await stranger.get("/", **cookie)
    assert answer.status == 200
    assert len(answer.cookies[COOKIE].value) == 43
    form = stranger.form_of(await answer.text())
    stranger.forget()  # and keeps the other one
    fields = {"form": form, "token": "x"}
    refused = await stranger.api.client.post("/dashboard/login", data=fields, headers=cookie)
    assert refused.status == 403


async def test_a_cookie_of_any_bytes_is_no_fault_of_ours(api: Api) -> None:
    """What is no UTF-8 has no digest."""
    url = api.client.make_url("/")
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
    writer.write(f"Cookie: {COOKIE}=".encode() + b"\xff\xfe\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"Set-Cookie: syncd-form=" in answer
