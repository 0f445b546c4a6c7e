"""Cronofy's pushes over real connections: bodies, and one HMAC for each live secret (C15)."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pycronofy
import pytest

from syncd.engine.applications import Applications
from syncd.engine.messages import trial_message
from syncd.model.ids import ApplicationId, ProfileId
from syncd.model.subscription import CHANGE, Format, Subscription
from syncd.ports.sink import Message
from syncd.ports.store.applications import KeyKind
from syncd.runtime.outbound import Guard, session
from syncd.sinks.cronofy import CronofySink
from syncd.sinks.post import Poster
from syncd.sinks.signing import Signer
from syncd.store.open import SqlStore
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault
from tests.servers.receiver import Receiver, saying
from tests.sinks.test_webhook import LOOPBACK
from tests.store.opening import NOON, opened

OVERLAP = timedelta(hours=1)
FILTERS = {"calendar_ids": ["cal_aaah_2"], "only_managed": True, "theirs": [1.5, "ä"]}


class Desk:
    """An application whose keys are in a real store, and the sink that signs by them."""

    def __init__(self, store: SqlStore, sink: CronofySink, clock: FakeClock) -> None:
        self.store, self.sink, self.clock = store, sink, clock
        self.applications = Applications(store, FakeVault(), clock)
        self.client = ApplicationId("")

    async def secret(self, *, new: bool = False) -> str:
        """Register it, or rotate what it signs with; return the client secret."""
        made = (
            await self.applications.rotate(self.client, overlap=OVERLAP)
            if new
            else await self.applications.add("Desk")
        )
        self.client = made.application.id
        return made.secrets[KeyKind.CLIENT_SECRET].reveal()

    def channel(self, url: str = "https://app.example/") -> Subscription:
        return Subscription(
            id="chn_a",
            url=url,
            created=NOON,
            secrets=(),
            format=Format.CRONOFY,
            client=self.client,
            asked=json.dumps(FILTERS).encode(),
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store, session(Guard(LOOPBACK)) as client:
        signer = Signer(store.application_keys, FakeVault(), clock)
        yield Desk(store, CronofySink(Poster(lambda: client, clock), signer), clock)


def a_change(at: datetime = NOON) -> Message:
    return Message(id="msg_a", word=CHANGE, at=at, profile_id=ProfileId(7), record=b"{}")


def signed(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


async def test_the_body_says_what_and_through_which_channel(desk: Desk) -> None:
    """C15: whole seconds, downwards; filters as they were asked for."""
    channel = {
        "channel_id": "chn_a",
        "callback_url": "https://app.example/",
        "filters": FILTERS,
    }
    late = NOON + timedelta(seconds=59, milliseconds=999)
    about = {"profile_id": "pro_aaah"}
    messages = {
        a_change(late): {"type": "change", "changes_since": "2026-11-20T12:00:59Z"},
        trial_message(desk.channel(), NOON): {"type": "verification"},
        Message(id="m", word="profile_disconnected", at=NOON, profile_id=ProfileId(7)): {
            "type": "profile_disconnected",
            **about,
        },
        Message(id="m", word="profile_connected", at=NOON, profile_id=ProfileId(7)): {
            "type": "profile_connected",
            **about,
        },
    }
    for message, told in messages.items():
        body = json.loads(desk.sink.body(desk.channel(), message))
        assert body == {"notification": told, "channel": channel}


async def test_every_live_secret_signs_until_it_ends(desk: Desk) -> None:
    """C15: the newest first, comma-separated; pycronofy takes either, and no other."""
    old = await desk.secret()
    async with Receiver.listening() as receiver:
        await desk.sink.send(desk.channel(receiver.url), a_change())
        desk.clock.advance(timedelta(minutes=1))
        new = await desk.secret(new=True)
        await desk.sink.send(desk.channel(receiver.url), a_change())
        desk.clock.advance(OVERLAP)
        receipt = await desk.sink.send(desk.channel(receiver.url), a_change())
    assert (receipt.code, receipt.error) == (204, None)
    for (headers, body), secrets in zip(receiver.requests, ([old], [new, old], [new]), strict=True):
        assert headers["content-type"] == "application/json; charset=utf-8"
        told = headers["cronofy-hmac-sha256"]
        assert told == ",".join(signed(secret, body) for secret in secrets)
        for secret in (old, new, "another"):
            client = pycronofy.Client(client_id=desk.client, client_secret=secret)
            assert client.hmac_valid(told, body.decode()) is (secret in secrets)


async def test_2xx_is_delivered_and_410_is_the_end(desk: Desk) -> None:
    await desk.secret()
    async with Receiver.listening() as receiver:
        for status, delivered in ((201, True), (302, False), (410, False), (500, False)):
            receiver.answer = saying(status)
            receipt = await desk.sink.send(desk.channel(receiver.url), a_change())
            assert (receipt.error is None, receipt.gone) == (delivered, status == 410)


async def test_nothing_is_sent_for_an_application_that_was_removed(desk: Desk) -> None:
    """ADR 43."""
    await desk.secret()
    await desk.applications.remove("Desk")
    async with Receiver.listening() as receiver:
        receipt = await desk.sink.send(desk.channel(receiver.url), a_change())
    assert receipt.gone
    assert receiver.requests == []
