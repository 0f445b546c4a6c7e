"""Kloudless's webhook over real connections: what is signed, and what counts as delivered (K46)."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import count

import pytest
from aiohttp import ClientSession, ClientTimeout

from syncd.model.access import Token
from syncd.model.ids import ApplicationId, ProfileId, TokenId
from syncd.model.subscription import Format, Subscription
from syncd.ports.sink import Message
from syncd.ports.store.applications import ApplicationKey, KeyKind
from syncd.ports.vault import Secret, application_place
from syncd.runtime.outbound import Guard, session
from syncd.sinks import post
from syncd.sinks.kloudless import KloudlessSink
from syncd.sinks.post import Poster
from syncd.sinks.signing import Signer
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault
from tests.servers.kloudless_hook import KloudlessHook
from tests.servers.receiver import Receiver, hang

CLIENT = ApplicationId("app_one")
OLD, NEW = "syncd_old_key", "syncd_new_key"
AT = datetime(2026, 11, 20, 9, 12, 6, tzinfo=UTC)
VAULT = FakeVault()
LOOPBACK = [ip_network("127.0.0.0/8")]
NEWS = Message(id="msg_a", word="activity", at=AT, profile_id=ProfileId(7), record=b'{"id":"e-1"}')
PROBE = Message(id="msg_b", word="syncd.test", at=AT)
SIGNATURE = "x-kloudless-signature"


def key(
    text: str, kind: KeyKind = KeyKind.API_KEY, expires_at: datetime | None = None
) -> ApplicationKey:
    token = Token(
        id=TokenId(text),
        digest=b"",
        scopes=frozenset(),
        created=AT,
        expires_at=expires_at,
        application_id=CLIENT,
    )
    place = application_place(CLIENT, token.id)
    return ApplicationKey(kind=kind, token=token, sealed=VAULT.seal(Secret(text), place=place))


def subscription(url: str) -> Subscription:
    return Subscription(
        id="whk_a", url=url, created=AT, secrets=(), format=Format.KLOUDLESS, client=CLIENT
    )


class Bench:
    """A sink, and the keys that its application has, newest first."""

    def __init__(self, client: ClientSession) -> None:
        self.keys: Sequence[ApplicationKey] = [key(NEW)]
        self.clock = FakeClock(AT)
        signer = Signer(self._keys_of, VAULT, self.clock)
        self.sink = KloudlessSink(Poster(lambda: client, self.clock), signer)

    async def _keys_of(self, application: ApplicationId) -> Sequence[ApplicationKey]:
        return self.keys if application == CLIENT else ()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with session(Guard(LOOPBACK)) as client:
        yield Bench(client)


@pytest.fixture
def hook() -> Iterator[KloudlessHook]:
    with KloudlessHook(CLIENT, NEW).listening() as made:
        yield made


async def test_news_is_a_form_of_one_account_that_the_api_key_has_signed(
    bench: Bench, hook: KloudlessHook
) -> None:
    """K45, K46: the body is exactly that, and an independent receiver takes it."""
    receipt = await bench.sink.send(subscription(hook.url), NEWS)
    assert (receipt.code, receipt.error, receipt.answer) == (200, None, CLIENT.encode())
    headers, body = hook.requests[0]
    assert body == b"account=7"
    assert bench.sink.body(subscription(hook.url), NEWS) == body
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert hook.news() == "7"


async def test_the_signature_is_what_openssl_makes_of_key_and_body(
    bench: Bench, hook: KloudlessHook
) -> None:
    """K46: ``printf account=7 | openssl dgst -sha256 -hmac syncd_new_key -binary | base64``."""
    for message in (NEWS, PROBE):
        await bench.sink.send(subscription(hook.url), message)
    assert [headers[SIGNATURE] for headers, _ in hook.requests] == [
        "kdrz5RmqV+DxggZXXAzaGtje3KO36BOR9WMPdtIGkJY=",
        "LK3OH/SemQTkXzp2WiLhL9xofizP2QwpxWQqTz0XnG8=",
    ]


async def test_a_probe_is_empty_and_signed_too(bench: Bench, hook: KloudlessHook) -> None:
    """K46."""
    receipt = await bench.sink.send(subscription(hook.url), PROBE)
    assert receipt.error is None
    headers, body = hook.requests[0]
    assert (body, headers["content-length"]) == (b"", "0")
    assert "transfer-encoding" not in headers
    assert headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("said", [b"app_one", b" app_one\r\n", b"\tapp_one"])
async def test_the_applications_id_in_a_200_means_delivered(
    bench: Bench, hook: KloudlessHook, said: bytes
) -> None:
    """K46: blanks around it are ignored."""
    hook.says = (200, said)
    assert (await bench.sink.send(subscription(hook.url), NEWS)).error is None


@pytest.mark.parametrize(
    ("status", "said"),
    [
        *((200, b""), (200, b"ok"), (200, b'"app_one"'), (200, b"app_one app_one")),
        *((200, b"app_on"), (200, b"APP_ONE"), (200, b"app_one" + b" " * 2000 + b"x")),
        *((201, b"app_one"), (204, b""), (302, b"app_one"), (404, b"app_one"), (500, b"app_one")),
    ],
)
async def test_anything_else_is_not_delivered_and_says_what_was_awaited(
    bench: Bench, hook: KloudlessHook, status: int, said: bytes
) -> None:
    """K46; only what it was asked once for."""
    hook.says = (status, said)
    receipt = await bench.sink.send(subscription(hook.url), NEWS)
    assert receipt.code == status
    assert f"answered {status}" in (receipt.error or "")
    assert CLIENT in (receipt.error or "")
    assert not receipt.gone
    assert len(hook.requests) == 1


async def test_410_says_that_nothing_more_is_wanted(bench: Bench, hook: KloudlessHook) -> None:
    """N17."""
    hook.says = (410, b"")
    assert (await bench.sink.send(subscription(hook.url), NEWS)).gone


async def test_silence_is_a_failure(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """N17: a receiver that does not answer what it takes for forged hangs."""
    monkeypatch.setattr(post, "TIMEOUT", ClientTimeout(total=0.1))
    async with Receiver.listening() as receiver:
        receiver.answer = hang
        receipt = await bench.sink.send(subscription(receiver.url), NEWS)
    assert (receipt.code, receipt.error) == (None, "no answer within 20 s")


async def test_the_client_secret_signs_nothing_here(bench: Bench, hook: KloudlessHook) -> None:
    """R6, K46: it opens what the API key opens, but it is not what receivers check."""
    bench.keys = [key("syncd_secret", KeyKind.CLIENT_SECRET), key(NEW)]
    assert (await bench.sink.send(subscription(hook.url), NEWS)).error is None
    assert len(hook.requests) == 1


@pytest.mark.parametrize("refusal", [400, 401, 403])
@pytest.mark.parametrize(("known", "requests"), [(NEW, 1), (OLD, 2)])
async def test_while_keys_overlap_a_receiver_of_either_is_reached_at_once(
    bench: Bench, hook: KloudlessHook, known: str, requests: int, refusal: int
) -> None:
    """K46: one signature a request, the newest key's first."""
    bench.keys = [key(NEW), key(OLD, expires_at=AT + timedelta(hours=1))]
    hook.api_key, hook.refusal = known, refusal
    for message in (PROBE, NEWS):
        assert (await bench.sink.send(subscription(hook.url), message)).error is None
    assert hook.bodies == [b""] * requests + [b"account=7"] * requests
    assert len({headers[SIGNATURE] for headers, _ in hook.requests[:requests]}) == requests
    bench.clock.advance(timedelta(hours=1))
    receipt = await bench.sink.send(subscription(hook.url), NEWS)
    assert (receipt.error is None) is (known == NEW)
    assert len(hook.requests) == 2 * requests + 1


async def test_an_attempt_takes_as_long_as_all_of_its_requests(
    bench: Bench, hook: KloudlessHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N18."""
    ticks = count()
    monkeypatch.setattr(bench.clock, "monotonic", lambda: float(next(ticks)))
    bench.keys = [key(NEW), key(OLD)]
    hook.api_key = OLD
    assert (await bench.sink.send(subscription(hook.url), NEWS)).took == timedelta(seconds=2)


async def test_what_is_no_refusal_is_not_asked_again_with_the_older_key(
    bench: Bench, hook: KloudlessHook
) -> None:
    """N17: one attempt is one request, but for the keys."""
    bench.keys = [key(NEW), key(OLD, expires_at=AT + timedelta(hours=1))]
    hook.says = (500, b"")
    await bench.sink.send(subscription(hook.url), NEWS)
    assert len(hook.requests) == 1


async def test_an_application_that_was_removed_signs_nothing_and_wants_nothing(
    bench: Bench, hook: KloudlessHook
) -> None:
    bench.keys = []
    for asked in (subscription(hook.url), replace(subscription(hook.url), client=None)):
        receipt = await bench.sink.send(asked, NEWS)
        assert (receipt.gone, receipt.error) == (True, "the application was removed")
    assert hook.requests == []
