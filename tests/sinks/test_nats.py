"""NATS JetStream over a real server: order, duplicates, and whatever goes wrong (N24, ADR 46)."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from syncd.model.ids import ProfileId
from syncd.model.subscription import TEST, Format, Subscription
from syncd.ports.sink import Message, PageReceipt
from syncd.runtime.clock import SystemClock
from syncd.sinks import jetstream
from syncd.sinks.jetstream import JetStream
from syncd.sinks.letters import Target
from syncd.sinks.nats import NatsSink
from tests.servers.caldav import free_port
from tests.servers.certified import certified
from tests.servers.nats import Consumer, NatsServer, identity
from tests.servers.nats_keys import Trust

AT = datetime(2026, 11, 20, 9, 12, 6, tzinfo=UTC)
NATS = Subscription(id="nats", url="nats://here", created=AT, secrets=(), format=Format.NATS)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    async with NatsServer.running(tmp_path / "nats") as made:
        yield made


def target(*servers: str, **fields: Any) -> Target:  # noqa: ANN401 - of a Target
    plain = {"stream": "syncd", "subject": "syncd", "retention": timedelta(days=30)}
    return Target(servers=servers, **{**plain, **fields})


@asynccontextmanager
async def sink_to(*servers: str, **fields: Any) -> AsyncIterator[NatsSink]:  # noqa: ANN401
    where = target(*servers, **fields)
    postbox = JetStream(where)
    try:
        yield NatsSink(postbox, SystemClock(), subject=where.subject)
    finally:
        await postbox.close()


def message(name: str, profile: int = 7, word: str = "event.update", **more: Any) -> Message:  # noqa: ANN401
    record = {"id": name, "type": word.rpartition(".")[2], "metadata": {"id": name, **more}}
    return Message(
        id=f"msg_{name}",
        word=word,
        at=AT,
        profile_id=ProfileId(profile),
        cursor="abcdefgh30",
        object_id=name,
        record=orjson.dumps(record),
    )


def messages(*names: str, profile: int = 7) -> list[Message]:
    return [message(name, profile) for name in names]


def outcome(receipt: PageReceipt) -> tuple[int, str | None]:
    return len(receipt.arrived), None if receipt.rest is None else receipt.rest.error


async def stored(server: NatsServer, name: str = "reader") -> Sequence[str]:
    return [identity(one) for one in await Consumer(server, name).read()]


async def test_a_page_arrives_in_order_with_subject_id_and_body(server: NatsServer) -> None:
    """N24: the body is N16's."""
    page = [
        message("e-1", word="event.add"),
        message("c-1", word="calendar.delete"),
        message("p-1", word="contact.update"),
        # a profile's word is not its record's type
        replace(message("a-1"), word="profile.disconnected"),
    ]
    async with sink_to(server.url) as sink:
        receipt = await sink.send_page(NATS, page)
        tested = await sink.send(NATS, Message(id="msg_t", word=TEST, at=AT))
    assert outcome(receipt) == (4, None)
    answers = [orjson.loads(one.answer) for one in receipt.arrived]
    assert [one["sequence"] for one in answers] == [1, 2, 3, 4]
    assert tested.error is None
    read = await Consumer(server, "reader").read()
    assert [one.subject for one in read] == [
        "syncd.7.event.add",
        "syncd.7.calendar.delete",
        "syncd.7.contact.update",
        "syncd.7.profile.update",
        "syncd.test",
    ]
    assert [identity(one) for one in read[:4]] == [
        f"pro_aaah:{name}" for name in ("e-1", "c-1", "p-1", "a-1")
    ]
    body = json.loads(read[0].data)
    assert body["type"] == "event.add"
    assert (body["data"]["profile_id"], body["data"]["account_id"]) == ("pro_aaah", "7")
    assert (body["data"]["cursor"], body["data"]["record"]["id"]) == ("abcdefgh30", "e-1")
    assert json.loads(read[3].data)["type"] == "profile.disconnected"
    assert json.loads(read[4].data)["type"] == TEST


async def test_what_comes_again_is_dropped_and_the_rest_of_it_arrives(server: NatsServer) -> None:
    """As after a crash between the answer and the step; another profile came between."""
    async with sink_to(server.url) as sink:
        await sink.send_page(NATS, messages("a", "b"))
        await sink.send_page(NATS, messages("x", profile=8))
    async with sink_to(server.url) as sink:
        first = await sink.send_page(NATS, messages("a", "b", "c", "d"))
        assert outcome(first) == (2, None)  # "c" must not stand behind "x" unseen
        assert all(orjson.loads(one.answer)["duplicate"] for one in first.arrived)
        assert outcome(await sink.send_page(NATS, messages("c", "d"))) == (2, None)
    assert await stored(server) == [
        *("pro_aaah:a", "pro_aaah:b", "pro_aaai:x", "pro_aaah:c", "pro_aaah:d")
    ]


async def test_behind_what_is_refused_nothing_is_stored(server: NatsServer) -> None:
    """Order: the server would take "c", but "b" must come first."""
    async with server.jetstream() as context:
        await context.add_stream(
            StreamConfig(name="syncd", subjects=["syncd.>"], max_msg_size=1024)
        )
    big = message("b", title="x" * 2000)
    async with sink_to(server.url) as sink:
        count, error = outcome(await sink.send_page(NATS, [*messages("a"), big, *messages("c")]))
        assert count == 1
        assert error is not None
        assert "message size exceeds maximum" in error
        assert await stored(server) == ["pro_aaah:a"]
        count, error = outcome(await sink.send_page(NATS, [big, *messages("c")]))
        assert count == 0
        assert await stored(server) == []


async def test_a_message_above_what_the_server_takes_ends_the_page_there(
    server: NatsServer,
) -> None:
    await server.kill()
    server.configure("max_payload: 1000")
    await server.start()
    async with sink_to(server.url) as sink:
        page = [*messages("a"), message("b", title="x" * 2000), *messages("c")]
        count, error = outcome(await sink.send_page(NATS, page))
    assert count == 1
    assert error is not None
    assert "max" in error.lower()
    assert await stored(server) == ["pro_aaah:a"]


async def test_a_missing_stream_is_made_and_one_that_is_there_is_left_alone(
    server: NatsServer,
) -> None:
    async with sink_to(server.url, retention=timedelta(days=3)) as sink:
        await sink.send_page(NATS, messages("a"))
    async with server.jetstream() as context:
        made = (await context.stream_info("syncd")).config
        assert made.subjects == ["syncd.>"]
        assert (made.max_age, made.duplicate_window) == (3 * 86_400, 3600)
        ours = StreamConfig(name="own", subjects=["corp.>", "syncd2.>"], duplicate_window=60)
        await context.add_stream(ours)
    async with sink_to(server.url, stream="own", subject="corp.syncd") as sink:
        assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)
    async with server.jetstream() as context:
        kept = (await context.stream_info("own")).config
        assert (kept.subjects, kept.duplicate_window) == (["corp.>", "syncd2.>"], 60)


async def test_a_stream_that_was_deleted_is_made_again(server: NatsServer) -> None:
    async with sink_to(server.url) as sink, server.jetstream() as context:
        assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)
        await context.delete_stream("syncd")
        count, error = outcome(await sink.send_page(NATS, messages("b")))
        assert (count, error is None) == (0, False)
        assert outcome(await sink.send_page(NATS, messages("b", "c"))) == (2, None)
    assert await stored(server) == ["pro_aaah:b", "pro_aaah:c"]


async def test_subjects_that_no_stream_or_another_one_takes_are_told_of(
    server: NatsServer,
) -> None:
    async with server.jetstream() as context:
        await context.add_stream(StreamConfig(name="syncd", subjects=["elsewhere.>"]))
        async with sink_to(server.url) as sink:
            count, error = outcome(await sink.send_page(NATS, messages("a", "b")))
            assert count == 0
            assert error == ("no stream takes syncd.…: add the subject syncd.> to the stream syncd")
        await context.add_stream(StreamConfig(name="other", subjects=["syncd.>"]))
        async with sink_to(server.url) as sink:
            count, error = outcome(await sink.send_page(NATS, messages("a", "b")))
            assert count == 0
            assert error is not None
            assert "expected stream does not match" in error
        async with sink_to(server.url, stream="third") as sink:
            _, error = outcome(await sink.send_page(NATS, messages("a")))
            assert error is not None
            assert "overlap" in error
        with pytest.raises(NotFoundError):
            await context.stream_info("third")


async def test_a_server_that_goes_and_returns_loses_nothing(server: NatsServer) -> None:
    """One sink over all of it; each attempt finds the server as it is."""
    async with sink_to(server.url) as sink:
        assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)
        await server.kill()
        count, error = outcome(await sink.send_page(NATS, messages("b", "c")))
        assert count == 0
        assert error is not None
        assert (await sink.send(NATS, messages("b")[0])).error is not None
        await server.start()
        assert outcome(await sink.send_page(NATS, messages("b", "c"))) == (2, None)
    assert await stored(server) == [f"pro_aaah:{name}" for name in "abc"]


async def test_a_server_that_says_nothing_is_given_up_in_time_and_nothing_comes_late(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream, "ANSWER_SECONDS", 0.3)
    async with sink_to(server.url) as sink:
        assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)
        await server.freeze()
        count, error = outcome(await sink.send_page(NATS, messages("b", "c")))
        server.thaw()
        assert (count, error) == (0, "no answer within 0 s")
        assert outcome(await sink.send_page(NATS, messages("b", "c", "d"))) == (3, None)
    assert await stored(server) == [f"pro_aaah:{name}" for name in "abcd"]


async def test_of_several_servers_one_is_enough(server: NatsServer) -> None:
    gone = f"nats://127.0.0.1:{free_port()}"
    async with sink_to(gone, server.url) as sink:
        assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)
    async with sink_to(gone) as sink:
        _, error = outcome(await sink.send_page(NATS, messages("a")))
        assert error is not None
        assert error.startswith(f"{gone}: ")


async def test_a_token_is_read_at_each_connection_and_never_told(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("wr0ng\n")
    async with NatsServer.running(tmp_path / "nats", "--auth", "s3cret") as server:
        async with sink_to(server.url, token_file=token) as sink:
            _, error = outcome(await sink.send_page(NATS, messages("a")))
            assert error is not None
            assert "uthoriz" in error
            assert "wr0ng" not in error
            token.write_text("s3cret\n")
            assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)
        read = await Consumer(server, "reader").read(token="s3cret")  # noqa: S106 - this server's
        assert [identity(one) for one in read] == ["pro_aaah:a"]


async def test_a_user_of_an_account_signs_in_by_credentials(tmp_path: Path) -> None:
    """As ``nsc`` makes them; another operator's user is refused."""
    trust, own, others = Trust(), tmp_path / "own.creds", tmp_path / "others.creds"
    own.write_text(trust.credentials)
    others.write_text(Trust().credentials)
    server = NatsServer(tmp_path / "nats")
    server.configure(trust.config)
    await server.start()
    try:
        async with sink_to(server.url, credentials_file=others) as sink:
            _, error = outcome(await sink.send_page(NATS, messages("a")))
            assert error is not None
            assert "uthoriz" in error
        async with sink_to(server.url, credentials_file=own) as sink:
            assert outcome(await sink.send_page(NATS, messages("a", "b"))) == (2, None)
    finally:
        await server.kill()


async def test_a_servers_certificate_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the machine trusts, which ``SSL_CERT_FILE`` replaces."""
    certified(tmp_path, "localhost")
    own = str(tmp_path / "server.pem")
    options = ("--tls", "--tlscert", own, "--tlskey", own)
    async with NatsServer.running(tmp_path / "nats", *options) as server:
        url = f"tls://localhost:{server.port}"
        async with sink_to(url) as sink:
            _, error = outcome(await sink.send_page(NATS, messages("a")))
            assert error is not None
            assert "CERTIFICATE_VERIFY_FAILED" in error
        monkeypatch.setenv("SSL_CERT_FILE", own)
        async with sink_to(url) as sink:
            assert outcome(await sink.send_page(NATS, messages("a"))) == (1, None)


async def test_credentials_that_are_none_are_told_of(server: NatsServer, tmp_path: Path) -> None:
    """The library would look for their beginning for ever."""
    wrong = tmp_path / "nats.creds"
    wrong.write_text("nothing of the kind\n")
    async with asyncio.timeout(5), sink_to(server.url, credentials_file=wrong) as sink:
        _, error = outcome(await sink.send_page(NATS, messages("a")))
    assert error == f"{server.url}: {wrong} holds no NATS credentials"


async def test_without_jetstream_the_operator_is_told(tmp_path: Path) -> None:
    bare = NatsServer.running(tmp_path / "nats", jetstream=False)
    async with bare as server, sink_to(server.url) as sink:
        _, error = outcome(await sink.send_page(NATS, messages("a")))
    assert error is not None
    assert "JetStream" in error


async def test_without_a_url_nothing_arrives_and_bodies_are_still_told() -> None:
    sink = NatsSink(None, SystemClock())
    assert (await sink.send(NATS, messages("a")[0])).error == "[nats] url is not set"
    assert json.loads(sink.body(NATS, messages("a")[0]))["data"]["record"]["id"] == "a"


async def test_an_examination_says_what_is_there(server: NatsServer) -> None:
    stream = JetStream(target(server.url))
    try:
        assert await stream.examine() == (
            "stream syncd: 0 messages, duplicates are dropped for 1:00:00"
        )
    finally:
        await stream.close()
