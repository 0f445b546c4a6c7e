"""Webhooks over real connections: signing, judging, what is never followed (N16, N17, §10)."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_network
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, ClientTimeout, web
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat

from syncd.model.ids import ProfileId
from syncd.model.subscription import Format, SigningSecret, Subscription
from syncd.ports.clock import Clock
from syncd.ports.sink import Message
from syncd.ports.vault import Secret, signing_place
from syncd.runtime.clock import SystemClock
from syncd.runtime.outbound import Guard, session
from syncd.sinks import post, webhook
from syncd.sinks.envelope import LONGEST
from syncd.sinks.post import Poster
from syncd.sinks.webhook import WebhookSink
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault
from tests.servers.receiver import Receiver, dripping, hang, reset, saying

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the standard
THIRD = "whsec_" + "QUJD" * 11  # of nobody
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
AT = datetime(2026, 11, 20, 9, 12, 6, tzinfo=UTC)
VAULT = FakeVault()
LOOPBACK = [ip_network("127.0.0.0/8")]


def subscription(url: str = "https://app.example/", *secrets: str, **fields: Any) -> Subscription:  # noqa: ANN401
    sealed = tuple(
        SigningSecret(
            id=str(number),
            sealed=VAULT.seal(Secret(secret), place=signing_place("whk_a", str(number))),
        )
        for number, secret in enumerate(secrets or (SECRET,))
    )
    plain = {"id": "whk_a", "url": url, "created": AT, "secrets": sealed}
    return Subscription(**{**plain, **fields})


def message(record: dict[str, Any] | None = None) -> Message:
    told = record or {"id": "e-30", "type": "update", "metadata": {"id": "k3f9", "name": "Ä"}}
    return Message(
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        word="event.update",
        at=AT,
        profile_id=ProfileId(7),
        cursor="abcdefgh30",
        object_id="k3f9",
        record=orjson.dumps(told),
    )


def made(client: Callable[[], ClientSession], clock: Clock | None = None) -> WebhookSink:
    clock = clock or SystemClock()
    return WebhookSink(Poster(client, clock), VAULT, clock)


@pytest.fixture
async def sink() -> AsyncIterator[WebhookSink]:
    async with session(Guard(LOOPBACK)) as client:
        yield made(lambda: client)


async def test_both_verifiers_accept_and_the_envelope_is_that_of_the_standard(
    sink: WebhookSink,
) -> None:
    """N16."""
    async with Receiver.listening() as receiver:
        receiver.secrets = [SECRET]
        receipt = await sink.send(subscription(receiver.url), message())
    assert (receipt.code, receipt.error, receiver.faults) == (204, None, [])
    (headers, body), (identity, told) = receiver.requests[0], receiver.messages[0]
    assert headers["content-type"] == "application/json"
    assert identity == message().id
    assert told == {
        "type": "event.update",
        "timestamp": "2026-11-20T09:12:06Z",
        "data": {
            "profile_id": "pro_aaah",
            "account_id": "7",
            "cursor": "abcdefgh30",
            "record": json.loads(message().record),
        },
    }
    assert sink.body(subscription(receiver.url), message()) == body


async def test_two_secrets_sign_while_one_replaces_the_other(sink: WebhookSink) -> None:
    """N19."""
    async with Receiver.listening() as receiver:
        receiver.secrets = [SECRET, OTHER]
        both = subscription(receiver.url, SECRET, OTHER)
        await sink.send(both, message())
        ended = replace(both.secrets[1], until=AT)
        await sink.send(replace(both, secrets=(both.secrets[0], ended)), message())
    assert receiver.faults == ["by_hand: refused", "by_library: refused"]
    assert [len(h["webhook-signature"].split()) for h, _ in receiver.requests] == [2, 1]


async def test_the_vector_of_the_standard_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """§10; the time zone of the clock signs nothing else."""
    at = datetime.fromtimestamp(1614265330, tz=timezone(timedelta(hours=2)))
    monkeypatch.setattr(webhook, "envelope", lambda *_: b'{"test": 2432232314}')
    async with Receiver.listening() as receiver, session(Guard(LOOPBACK)) as client:
        sink = made(lambda: client, FakeClock(at))
        await sink.send(subscription(receiver.url), message())
    headers, _ = receiver.requests[0]
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_cloudevents_are_read_by_their_own_library(sink: WebhookSink) -> None:
    """N16."""
    async with Receiver.listening() as receiver:
        receiver.secrets = [SECRET]
        asked = subscription(receiver.url, format=Format.CLOUDEVENTS)
        await sink.send(asked, message())
    headers, body = receiver.requests[0]
    assert (headers["content-type"], receiver.faults) == ("application/cloudevents+json", [])
    event = from_structured_event(HTTPMessage(headers, body), JSONFormat())
    assert event.get_id() == message().id
    assert (event.get_type(), event.get_source()) == ("syncd.event.update", "/accounts/7")
    assert (event.get_subject(), event.get_specversion()) == ("k3f9", "1.0")
    assert event.get_time() == AT
    assert event.get_data()["record"] == json.loads(message().record)  # type: ignore[index, call-overload]  # JSON


async def test_a_key_is_opened_once_while_it_signs(
    sink: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ADR 48: another secret, or the same one sealed anew, is another key."""
    opened, plain = list[bytes](), FakeVault.open

    def counting(vault: FakeVault, sealed: bytes, *, place: str) -> Secret:
        opened.append(sealed)
        return plain(vault, sealed, place=place)

    monkeypatch.setattr(FakeVault, "open", counting)
    monkeypatch.setattr(webhook, "_MOST_KEYS", 2)
    async with Receiver.listening() as receiver:
        for secrets in ([SECRET], [SECRET], [OTHER, SECRET], [OTHER, SECRET], [THIRD], [SECRET]):
            receiver.secrets = secrets
            assert (await sink.send(subscription(receiver.url, *secrets), message())).error is None
    assert receiver.faults == []
    names = [one.decode().partition("\0")[2] for one in opened]
    assert names == [SECRET, OTHER, SECRET, THIRD, SECRET]
    assert len(sink._keys) == 2


async def test_a_record_that_is_too_large_is_cut_to_its_ids() -> None:
    """N16: above 256 KiB."""
    sink = made(lambda: None)  # type: ignore[arg-type, return-value]  # unused
    metadata = {"id": "k3f9", "calendar_id": "cal_x", "name": "x" * LONGEST}
    large = message({"id": "e-30", "type": "add", "metadata": metadata})
    told = json.loads(sink.body(subscription(), large))
    assert told["data"]["truncated"] is True
    assert told["data"]["record"]["metadata"] == {"id": "k3f9", "calendar_id": "cal_x"}
    assert "truncated" not in json.loads(sink.body(subscription(), message()))["data"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_delivered(sink: WebhookSink, status: int) -> None:
    async with Receiver.listening() as receiver:
        receiver.answer = saying(status)
        assert (await sink.send(subscription(receiver.url), message())).error is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 503, 599])
async def test_all_else_is_a_failure_and_redirects_are_not_followed(
    sink: WebhookSink, status: int
) -> None:
    async with Receiver.listening() as receiver:
        headers = {"Location": "/elsewhere", "Retry-After": "90000000"}
        receiver.answer = saying(status, headers=headers, body=b"no " * 1000)
        receipt = await sink.send(subscription(receiver.url), message())
    assert len(receiver.requests) == 1
    assert receipt.error is not None
    assert receipt.code == status
    assert receipt.gone is (status == 410)
    assert receipt.retry_after == (timedelta(hours=24) if status in {429, 503} else None)
    assert receipt.answer == (b"no " * 1000)[:1024]


async def test_silence_resets_and_refused_connections_are_failures(
    sink: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT", ClientTimeout(total=0.2))
    async with Receiver.listening() as receiver:
        for answer, error in ((hang, "20 s"), (reset, "closed without an answer")):
            receiver.answer = answer
            receipt = await sink.send(subscription(receiver.url), message())
            assert receipt.code is None
            assert error in (receipt.error or "")
        url = receiver.url
    assert "no connection" in ((await sink.send(subscription(url), message())).error or "")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"<html>hi</html>\r\n\r\n", "no HTTP: Bad status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", "Invalid character in Content-Length"),
    ],
)
async def test_what_is_no_answer_of_http_is_not_told_as_a_status(
    sink: WebhookSink, said: bytes, told: str
) -> None:
    """The library's own 400 would read as if the endpoint had said it."""

    async def garbage(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(said)
        request.transport.close()
        return web.Response()

    async with Receiver.listening() as receiver:
        receiver.answer = garbage
        receipt = await sink.send(subscription(receiver.url), message())
    assert receipt.code is None
    assert told in (receipt.error or "")
    assert "400" not in (receipt.error or "")
    assert "\n" not in (receipt.error or "")


async def test_a_status_decides_whatever_becomes_of_the_rest(
    sink: WebhookSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow bodies, and connections that break in the middle of the answer."""
    monkeypatch.setattr(post, "_ANSWER_SECONDS", 0.2)

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200, headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"begun")
        assert request.transport is not None
        request.transport.close()
        return response

    async with Receiver.listening() as receiver:
        for answer in (dripping, broken):
            receiver.answer = answer
            receipt = await sink.send(subscription(receiver.url), message())
            assert (receipt.code, receipt.error) == (200, None)
            assert receipt.answer


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1"),  # noqa: S104
        *("192.168.0.1", "169.254.169.254", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]"),
        *(
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "100.64.0.1",
            "[fc00::1]",
            "224.0.0.1",
        ),
    ],
)
async def test_private_addresses_are_reached_only_where_it_is_allowed(host: str) -> None:
    """O1, N14: at each connection; nothing arrives."""
    async with Receiver.listening() as receiver, session(Guard(())) as client:
        port = receiver.url.rpartition(":")[2]
        sink = made(lambda: client)
        receipt = await sink.send(subscription(f"http://{host}:{port}"), message())
    assert receipt.code is None
    assert receipt.error
    assert receiver.requests == []
