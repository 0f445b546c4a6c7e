"""Webhooks in the bench: all that a delivery takes, beside a bare loop that signs and posts."""

import asyncio
import base64
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from aiohttp import ClientSession

from syncd.engine.deliver import Deliverer
from syncd.engine.hub import Hub
from syncd.engine.ledger import Ledger
from syncd.engine.link import Linking
from syncd.engine.notes import Notes
from syncd.engine.subscriptions import Subscriptions
from syncd.model.activity import Kind, Record, Type
from syncd.model.ids import ProfileId
from syncd.model.subscription import Subscription
from syncd.runtime.clock import SystemClock
from syncd.runtime.heap import settle_heap
from syncd.runtime.metrics import Metrics
from syncd.runtime.outbound import Guard, session
from syncd.runtime.vault import open_ring, write_ring
from syncd.sinks.registry import Rim, sinks
from syncd.store.open import SqlStore
from tests.bench.test_page import stored
from tests.fakes.linker import FakeLinker
from tests.store.opening import opened
from tests.store.samples import USER, with_profile

LOOPBACK = [ip_network("127.0.0.0/8")]
KEY = b"k" * 32
Arrival = tuple[float, str, str]  # when, host, id of the message


@dataclass(slots=True)
class Hooks:
    """A receiver in a process of its own."""

    process: "subprocess.Popen[str]"
    urls: list[str]

    def arrived(self) -> list[Arrival]:
        """Return what has arrived since the last call."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: list[Arrival] = json.loads(self.process.stdout.readline())
        return found


@contextmanager
def served_hooks(count: int) -> Iterator[Hooks]:
    command = [sys.executable, "-m", "tests.bench.hook_serve", str(count)]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Hooks(process, json.loads(process.stdout.readline()))
        process.stdin.close()


@dataclass(slots=True)
class Pushed:
    """Pushing as the daemon does it: SQLite, vault, guarded session, sinks."""

    store: SqlStore
    deliverer: Deliverer
    subscriptions: Subscriptions
    profile: ProfileId
    clock: SystemClock
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    async def subscribe(self, urls: Sequence[str]) -> list[Subscription]:
        asked = [
            Subscription(id="", url=url, created=self.clock.now(), secrets=(), user_id=USER)
            for url in urls
        ]
        return [(await self.subscriptions.add(one))[0] for one in asked]

    async def record(self, count: int) -> None:
        """Record changes of events; nobody is told yet."""
        numbers = [next(self._numbers) for _ in range(count)]
        records = [
            Record(
                kind=Kind.EVENT,
                type=Type.ADD,
                object_id=f"event{number}",
                body=b"{" + stored(number).partition(b",")[2],
                recorded_at=self.clock.now(),
            )
            for number in numbers
        ]
        for at in range(0, count, 500):
            profile = await self.store.profile(self.profile)
            await self.store.save_profile(profile, records=records[at : at + 500])

    async def send(self) -> None:
        """Send what there is."""
        await self.deliverer.wake(self.profile)
        await self.deliverer.settled()


@asynccontextmanager
async def pushed(folder: Path) -> AsyncIterator[Pushed]:
    write_ring(folder / "keys")
    vault, clock, hub, metrics = open_ring(folder / "keys"), SystemClock(), Hub(), Metrics()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder, clock=clock))
        profile = await with_profile(store)
        linking = Linking(store, FakeLinker(), vault, clock, hub)
        base = "https://syncd.example"
        notes = await stack.enter_async_context(Notes(store))
        ledger = Ledger(store, notes, linking, clock, metrics, public_url=base, draw=lambda: 0.5)
        http = session(Guard(LOOPBACK))
        stack.push_async_callback(http.close)
        rim = Rim(session=lambda: http, keys=store.application_keys, vault=vault, clock=clock)
        targets = await stack.enter_async_context(sinks(rim))
        deliverer = await stack.enter_async_context(
            Deliverer(store, hub, ledger, targets, clock=clock, meter=metrics)
        )
        subscriptions = Subscriptions(
            *(store, vault, clock, deliverer, ledger), admits=lambda *_: True, most=10**6
        )
        yield Pushed(store, deliverer, subscriptions, profile.id, clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """CPU seconds of one send: ours with all that belongs to it, and the bare loop's."""

    webhooks: int
    ours: float
    bare: float

    @property
    def share(self) -> float:
        """Return our sends per CPU second as a part of the bare loop's."""
        return self.bare / self.ours


async def sends(folder: Path, webhooks: int, each: int, *, rounds: int, turns: int = 5) -> Sends:
    """Measure ``rounds`` times ``each`` new records sent to all webhooks; the median of turns.

    The bare loop has one client session, a task for each webhook, and the same bytes to send.
    """
    with served_hooks(webhooks) as hooks:
        async with pushed(folder) as here, ClientSession() as http:
            await here.subscribe(hooks.urls)
            await here.record(each)
            await here.send()  # connections are open, statements compiled
            settle_heap()
            hooks.arrived()
            body = b'{"type":"event.add","timestamp":"2026-11-20T09:00:00Z","data":%b}' % stored(1)
            ours, bare = list[float](), list[float]()
            for _ in range(turns):
                spent = [0.0, 0.0]
                for _ in range(rounds):
                    await here.record(each)
                    begun = time.process_time()
                    await here.send()
                    spent[0] += time.process_time() - begun
                    begun = time.process_time()
                    await _bare_loop(http, hooks.urls, each, body)
                    spent[1] += time.process_time() - begun
                ours.append(spent[0])
                bare.append(spent[1])
            arrived = hooks.arrived()
        count = webhooks * each * rounds
        assert len(arrived) == 2 * count * turns
    return Sends(
        webhooks=webhooks,
        ours=statistics.median(ours) / count,
        bare=statistics.median(bare) / count,
    )


async def _bare_loop(http: ClientSession, urls: Sequence[str], each: int, body: bytes) -> None:
    """Post to each URL one message after the other, signed by Standard Webhooks."""

    async def post(url: str) -> None:
        for number in range(each):
            identity, at = f"msg_{number}", str(int(time.time()))
            signed = hmac.new(KEY, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
            headers = {
                "Content-Type": "application/json",
                "webhook-id": identity,
                "webhook-timestamp": at,
                "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
            }
            async with http.post(url, data=body, headers=headers) as response:
                await response.read()
                assert response.status == 204

    async with asyncio.TaskGroup() as group:
        for url in urls:
            group.create_task(post(url))
