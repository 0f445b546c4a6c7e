"""Debian's nats-server with JetStream: a process, a port and a folder of its own, and a reader."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from tests.servers.caldav import free_port

HINT = "there is no nats-server: apt-get install nats-server"
PATIENCE_SECONDS = 20


def program() -> str:
    """Return the server's path; a test that lacks it is skipped, and fails in CI."""
    if found := shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return found
    if os.environ.get("CI") == "true":
        raise RuntimeError(HINT)
    pytest.skip(HINT)


class NatsServer:
    """``start`` and ``kill`` it as often as wanted: port and folder stay."""

    def __init__(self, folder: Path, *options: str, jetstream: bool = True) -> None:
        self.folder = folder
        self.keeping = ("-js", "-sd", str(folder)) if jetstream else ()
        self.port = free_port()
        self.options = options
        self.process: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def running(
        cls, folder: Path, *options: str, jetstream: bool = True
    ) -> AsyncIterator[Self]:
        made = cls(folder, *options, jetstream=jetstream)
        await made.start()
        try:
            yield made
        finally:
            await made.kill()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def configure(self, text: str) -> None:
        """Set what only a configuration file can say, from the next start on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "server.conf").write_text(text)

    async def start(self) -> None:
        """Return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "server.conf"
        given = ("-c", str(config)) if config.exists() else ()
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(program(), "-a", "127.0.0.1", "-p", str(self.port)),
                *self.keeping,
                *given,
                *self.options,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._answers():
                if self.process.returncode is not None:
                    raise AssertionError((self.folder / "log").read_text()[-3000:])
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it without a word."""
        if self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)
            await self.process.wait()

    async def freeze(self) -> None:
        """Let it hold its connections and say nothing, with all of its threads; ``thaw`` it."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not _stands(self.process.pid):  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.01)

    def thaw(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    @asynccontextmanager
    async def client(self, **options: str) -> AsyncIterator[Client]:
        """Connect as somebody else."""
        made = await nats.connect(self.url, **options)
        try:
            yield made
        finally:
            await made.close()

    @asynccontextmanager
    async def jetstream(self, **options: str) -> AsyncIterator[JetStreamContext]:
        async with self.client(**options) as client:
            yield client.jetstream()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            return (await reader.read(4)) == b"INFO"
        except OSError:
            return False
        finally:
            writer.close()


def _stands(process: int) -> bool:
    """Tell whether every thread of a process is stopped."""
    told = [one.read_text() for one in Path(f"/proc/{process}/task").glob("*/stat")]
    return all(one.rpartition(")")[2].split()[0] == "T" for one in told)


@dataclass
class Consumer:
    """Reads a stream under a durable name; the place is the server's, acknowledged one by one."""

    server: NatsServer
    name: str
    stream: str = "syncd"
    subjects: str = "syncd.>"

    async def read(self, most: int = 10_000, **options: str) -> list[Msg]:
        """Return what there is behind the place, and move on."""
        found = list[Msg]()
        async with self.server.jetstream(**options) as context:
            config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=60)
            pull = await context.pull_subscribe(
                self.subjects, durable=self.name, stream=self.stream, config=config
            )
            while len(found) < most and (waiting := (await pull.consumer_info()).num_pending):
                wanted = min(100, waiting, most - len(found))
                some = await pull.fetch(wanted, timeout=PATIENCE_SECONDS)
                for one in some:
                    await one.ack_sync(timeout=PATIENCE_SECONDS)
                found += some
        return found


def identity(message: Msg) -> str:
    """Return a message's ``Nats-Msg-Id``."""
    return (message.headers or {})["Nats-Msg-Id"]
