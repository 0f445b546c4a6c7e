"""What strangers send that is no HTTP leaves no error in the log, and nothing of itself (F41)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.daemon import SETTINGS, Daemon, configured
from tests.journeys.test_two_daemons import metric

CANARY = b"CANARY8f3a91"
POST = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\n"
BAD = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"SSH-2.0-" + CANARY + b"\r\n\r\n",
    b"GET /calendars/" + CANARY + b"\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /oauth/callback/google?code=" + CANARY + b"&state=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Whatever: " + CANARY + b"\x01\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    POST + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    POST + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nhello",
)
CUT = (
    POST + b"Content-Length: 50\r\n\r\n",
    b"POST /dashboard/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n",
)


@pytest.fixture
async def syncd(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with configured(tmp_path / "syncd", SETTINGS + '[log]\nlevel = "debug"\n') as made:
        await made.start()
        yield made


async def send(syncd: Daemon, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", syncd.port)
    writer.write(text)
    await writer.drain()
    return reader, writer


def lines(syncd: Daemon) -> list[dict[str, Any]]:
    return [json.loads(one) for one in (syncd.folder / "log").read_text().splitlines()]


def loud(syncd: Daemon) -> list[dict[str, Any]]:
    found = [one for one in lines(syncd) if one["level"] in {"warning", "error", "critical"}]
    return [one for one in found if one["what"] != "store.outdated"]


async def test_what_is_no_request_is_answered_and_logged_in_a_word(syncd: Daemon) -> None:
    for text in BAD:
        reader, writer = await send(syncd, text)
        assert b" 400 " in await reader.readline(), text
        writer.close()
    assert loud(syncd) == []
    assert CANARY.decode() not in (syncd.folder / "log").read_text()
    told = [one for one in lines(syncd) if one["what"] == "request.malformed"]
    assert len(told) >= len(BAD) - 2, "those whose bodies were read have none"
    assert {one["level"] for one in told} == {"debug"}
    parsed = [one for one in told if one["fault"] != "RequestPayloadError"]
    assert {one["remote"] for one in parsed} == {"127.0.0.1"}


async def test_whoever_goes_away_in_the_midst_of_a_body_is_no_fault_of_ours(syncd: Daemon) -> None:
    """A telephone in a tunnel is nothing that a person has to be told of."""
    before = await metric(syncd, "syncd_requests_total")
    for text in CUT:
        _, writer = await send(syncd, text + b"half of it")
        await asyncio.sleep(0.1)
        writer.close()
    async with asyncio.timeout(10):
        while await metric(syncd, "syncd_requests_total") < before + len(CUT):  # noqa: ASYNC110 - asked
            await asyncio.sleep(0.05)
    assert loud(syncd) == []
