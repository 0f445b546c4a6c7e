"""The activity stream as server-sent events (api.md K41), over the real store."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientResponse

from syncd.api.parts import Pace
from syncd.api.streams import OPEN
from syncd.model.access import split_token
from syncd.model.errors import TransientError
from tests.api.serving import Api, serving
from tests.engine.ground import event


@dataclass
class Told:
    """One block of the stream, between blank lines."""

    fields: dict[str, str]

    @property
    def record(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.fields["data"])

    @property
    def silent(self) -> bool:
        """Tell whether it is a comment, with the place that the reader stands at."""
        return self.fields.keys() == {"", "id"} and not self.fields[""]

    @property
    def name(self) -> str:
        return str(self.record["metadata"].get("name"))


async def blocks(response: ClientResponse) -> AsyncIterator[Told]:
    """Parse as HTML's event stream format says."""
    fields = dict[str, str]()
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if not text:
            yield Told(fields)
            fields = {}
            continue
        name, _, value = text.partition(":")
        fields[name] = value.removeprefix(" ")


@asynccontextmanager
async def following(
    api: Api,
    query: str = "",
    *,
    last: str | None = None,
    token: str | None = None,
    path: str | None = None,
) -> AsyncIterator[AsyncIterator[Told]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    place = (path or f"/v1/accounts/{api.account}/events/stream") + query
    async with asyncio.timeout(10):
        response = await api.get(place, headers=headers, token=token)
        assert response.status == 200
        async with response:
            yield blocks(response)


async def connected(
    api: Api, version: str, query: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask over a bare connection."""
    host, port = "127.0.0.1", api.client.port
    assert port
    reader, writer = await asyncio.open_connection(host, port, limit=1024)
    writer.write(
        f"GET /v1/accounts/{api.account}/events/stream{query} {version}\r\nHost: {host}\r\n"
        f"Authorization: Bearer {api.everything}\r\n\r\n".encode()
    )
    return reader, writer


async def records(stream: AsyncIterator[Told], count: int) -> list[Told]:
    """Return the next records; heartbeats between them do not count."""
    found = list[Told]()
    while len(found) < count:
        told = await anext(stream)
        found += [told] if "data" in told.fields else []
    return found


def put(api: Api, name: str) -> None:
    next(iter(api.ground.server.calendars.values())).put(f"{name}.ics", event(name))


async def test_the_stream_begins_with_retry_and_tells_each_record(api: Api) -> None:
    """K41."""
    api.ground.server.add("/work/").put("a.ics", event("Review"))
    await api.ground.poll()
    page = await api.json(f"/v1/accounts/{api.account}/events")
    async with following(api) as stream:
        assert (await anext(stream)).fields == {"retry": "3000"}
        told = await records(stream, len(page["objects"]))
    assert [one.record for one in told] == page["objects"]
    for one in told:
        assert one.fields["event"] == "activity"
        assert one.fields["id"] == one.record["cursor"]


async def test_who_comes_back_before_the_first_record_misses_none(api: Api) -> None:
    """K41: a browser remembers the id of a comment as well, and comes back with it."""
    api.ground.server.add("/work/")
    await api.ground.poll()
    for path in (f"/v1/accounts/{api.account}/events/stream", "/v1/activity/stream"):
        async with following(api, "?cursor=latest", path=path) as stream:
            await anext(stream)
            stood = (await anext(stream)).fields
        put(api, f"While away from {path.split('/')[2]}")
        await api.ground.poll()
        async with following(api, "?cursor=latest", last=stood["id"], path=path) as stream:
            (told,) = await records(stream, 1)
        assert told.name == f"While away from {path.split('/')[2]}"


async def test_the_headers_keep_proxies_from_holding_the_stream_back(api: Api) -> None:
    """K41."""
    response = await api.get(f"/v1/accounts/{api.account}/events/stream")
    async with response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "X-Request-Id" in response.headers


async def test_news_arrives_while_the_stream_is_open_and_silence_is_commented(api: Api) -> None:
    """K41."""
    api.ground.server.add("/work/")
    await api.ground.poll()
    async with following(api, "?cursor=latest") as stream:
        assert (await anext(stream)).fields == {"retry": "3000"}
        assert (await anext(stream)).silent
        put(api, "New")
        await api.ground.poll()
        (told,) = await records(stream, 1)
    assert told.name == "New"


async def test_a_reader_that_comes_back_with_its_last_id_loses_nothing(api: Api) -> None:
    """K41, I2: cut after every record, with news between."""
    api.ground.server.add("/work/")
    await api.ground.poll()
    seen, last = (
        list[str](),
        (await api.json(f"/v1/accounts/{api.account}/events/latest"))["cursor"],
    )
    for number in range(6):
        put(api, f"{number}-a")
        put(api, f"{number}-b")
        await api.ground.poll()
        async with following(api, "?cursor=after-auth", last=last) as stream:
            (told,) = await records(stream, 1)
        seen.append(told.name)
        last = told.fields["id"]
    async with following(api, last=last) as stream:
        seen += [told.name for told in await records(stream, 6)]
    assert seen == [f"{number}-{half}" for number in range(6) for half in "ab"]


async def test_after_auth_begins_where_the_first_read_ends(api: Api) -> None:
    """K36: a stream that is opened before waits on."""
    api.ground.server.add("/work/").put("old.ics", event("Old"))
    async with following(api, "?cursor=after-auth") as stream:
        await anext(stream)
        await api.ground.poll()
        put(api, "New")
        await api.ground.poll()
        (told,) = await records(stream, 1)
    assert told.name == "New"


async def test_filters_hold_for_the_stream(api: Api) -> None:
    """K38, K41."""
    api.ground.server.add("/work/").put("a.ics", event("Review"))
    await api.ground.poll()
    async with following(api, "?objects=event") as stream:
        (told,) = await records(stream, 1)
    assert told.name == "Review"


async def test_revoking_the_token_ends_the_stream(api: Api) -> None:
    """R5: within a second; another token's stream goes on."""
    token = await api.token()
    parts = split_token(token)
    assert parts
    async with following(api, "?cursor=latest") as other, following(api, token=token) as stream:
        await anext(other)
        await anext(stream)
        await api.ground.store.revoke_token(parts[0], api.clock.now())
        async with asyncio.timeout(1):
            async for _ in stream:
                pass
        assert (await anext(other)).silent


async def test_an_expiring_token_ends_the_stream(api: Api) -> None:
    """R5."""
    token = await api.token(expires_at=api.clock.now() + Pace().heartbeat)
    async with following(api, token=token) as stream:
        await anext(stream)
        api.clock.advance(Pace().heartbeat)
        async with asyncio.timeout(1):
            async for _ in stream:
                pass


async def test_removing_the_account_is_the_streams_last_record(api: Api) -> None:
    """K42."""
    async with following(api, "?cursor=latest") as stream:
        await anext(stream)
        await api.parts.control.remove(api.ground.profile_id)
        told = [one async for one in stream if "data" in one.fields]
    assert [one.record["action"] for one in told] == ["-"]
    assert told[0].record["metadata"]["type"] == "account"


@pytest.mark.parametrize("fault", [TransientError("the store is away"), RuntimeError("a fault")])
async def test_what_fails_in_the_middle_ends_the_stream_and_writes_nothing_into_it(
    api: Api, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """R14: an error cannot take the place of an answer that has begun."""

    async def failing(*_: object, **__: object) -> None:
        raise fault

    async with following(api, "?cursor=latest") as stream:
        await anext(stream)
        monkeypatch.setattr(api.ground.store, "read", failing)
        left = list[Told]()
        with suppress(ClientPayloadError):
            left += [told async for told in stream]
    assert all(told.silent for told in left)


async def test_the_stream_ends_at_its_greatest_age(tmp_path: Path) -> None:
    """K41: 4 h by default."""
    assert Pace().longest.total_seconds() == 4 * 3600
    assert Pace().heartbeat.total_seconds() == 15
    assert Pace().stall.total_seconds() == 10
    short = Pace(longest=Pace().token_check)
    async with serving(tmp_path, pace=short) as api, following(api) as stream:
        async for _ in stream:
            pass


async def test_stopping_the_server_ends_streams_and_long_polls(api: Api) -> None:
    """K41: a drain does not wait for readers."""
    place = f"/v1/accounts/{api.account}/events"
    async with asyncio.timeout(3), following(api, "?cursor=latest") as stream:
        await anext(stream)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(api.json(f"{place}?cursor=after-auth&wait=60"))
            await asyncio.sleep(0.1)
            assert api.client.app
            await api.client.app.shutdown()
        async for _ in stream:
            pass
    assert waiting.result()["objects"] == []


async def test_a_reader_that_takes_nothing_is_cut_off(api: Api) -> None:
    """K41: it costs no memory meanwhile, as nothing is queued for it (F36)."""
    work = api.ground.server.add("/work/")
    for number in range(400):
        work.put(f"{number}.ics", event(f"{number}", description="x" * 30_000))
    await api.ground.poll()
    reader, writer = await connected(api, "HTTP/1.1")
    await asyncio.sleep(1.5)
    async with asyncio.timeout(5):
        taken = 0
        try:
            while chunk := await reader.read(65536):
                taken += len(chunk)
        except ConnectionResetError:
            pass
    writer.close()
    assert 0 < taken < 400 * 30_000


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
async def test_each_part_is_framed_as_the_version_of_http_has_it(api: Api, version: str) -> None:
    """RFC 9112 §7.1: chunks, and none where they are not known."""
    api.ground.server.add("/work/")
    await api.ground.poll()
    reader, writer = await connected(api, version, "?cursor=latest")
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        frames = version == "HTTP/1.1"
        assert (b"Transfer-Encoding: chunked" in head) == frames

        async def part(ends: bytes) -> bytes:
            if not frames:
                return await reader.readuntil(ends)
            size = int(await reader.readuntil(b"\r\n"), 16)
            found = await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
            return found

        assert await part(b"\n\n") == b"retry: 3000\n\n"
        assert (await part(b"\n\n")).startswith(b": \nid: ")
        put(api, "New")
        await api.ground.poll()
        told = await part(b"\n\n")
        while told.startswith(b": "):
            told = await part(b"\n\n")
        assert told.startswith(b"event: activity\nid: ")
        assert told.endswith(b"}\n\n")
        api.client.server.app[OPEN].drain()  # type: ignore[attr-defined]
        end = await (reader.readexactly(5) if frames else reader.read())
        assert end == (b"0\r\n\r\n" if frames else b"")
    writer.close()


async def test_a_reader_that_has_gone_is_let_go_of(api: Api) -> None:
    """At the next news or heartbeat; the server of aiohttp's tests would tell at once."""
    api.client.server.runner.server.handler_cancellation = False  # type: ignore[union-attr]
    api.ground.server.add("/work/")
    await api.ground.poll()
    held = api.client.server.app[OPEN]._open  # type: ignore[attr-defined]
    reader, writer = await connected(api, "HTTP/1.1", "?cursor=latest")
    async with asyncio.timeout(10):
        await reader.readuntil(b": \nid: ")
        assert len(held) == 1
        writer.close()
        await writer.wait_closed()
        while held:
            put(api, f"News {api.clock.monotonic()}")
            await api.ground.poll()
            await asyncio.sleep(0.05)
