"""The daemon as a user starts it: a process, a state directory, a port; and its command line.

Both are forked from one that has imported syncd. What a fresh interpreter does is for those tests
that start one themselves, by ``command``, and for those of the demo.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from tests.servers.caldav import CalDavServer, free_port
from tests.servers.forked import Forked, forks

__all__ = ["SETTINGS", "Daemon", "configured", "free_port"]

PATIENCE_SECONDS = 60
SETTINGS = """
state_dir = "{folder}"
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
[poll]
interval_seconds = 5
[outbound]
allow_private = ["127.0.0.0/8"]
"""


@dataclass(slots=True)
class Daemon:
    """``syncd run`` on its own configuration; ``start`` and ``kill`` as often as wanted."""

    folder: Path
    port: int = field(default_factory=free_port)
    settings: str = SETTINGS
    process: Forked | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self.settings.format(folder=self.folder, port=self.port))

    async def start(self) -> None:
        """Return when it is ready."""
        with (self.folder / "log").open("ab") as log:
            self.process = await self._forked("run", stdout=log.fileno(), stderr=log.fileno())
        async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as session:
            while not await self._ready(session):
                if self.process.returncode is not None:
                    raise AssertionError((self.folder / "log").read_text()[-3000:])
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it without a word, as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end; return its exit code."""
        await self._end(signal.SIGTERM)
        return self.process.returncode or 0 if self.process else 0

    async def ask(self, *arguments: str, text: str = "") -> Any:  # noqa: ANN401 - JSON
        """Run a command with ``-o json`` and return its answer."""
        code, out, err = await self.run(*arguments, "-o", "json", text=text)
        assert code == 0, err
        return json.loads(out)

    async def connect(self, server: CalDavServer) -> None:
        """Add a profile of this server's user."""
        await self.ask(
            *("profile", "add", "caldav", "--url", server.url, "--username", server.username),
            "--password-stdin",
            text=server.password,
        )

    async def run(self, *arguments: str, text: str = "") -> tuple[int, str, str]:
        """Run a command; return exit code, standard output and standard error."""
        with memory() as given, memory() as out, memory() as err:
            given.write(text.encode())
            given.seek(0)
            files = {"stdin": given.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
            code = await (await self._forked(*arguments, **files)).wait()
            for told in (out, err):
                told.seek(0)
            return code, out.read().decode(), err.read().decode()

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return what a shell would start."""
        return (sys.executable, "-m", "syncd", *self._words(*arguments))

    def _words(self, *arguments: str) -> tuple[str, ...]:
        return ("-c", str(self.config), *arguments)

    async def _forked(self, *arguments: str, **files: int) -> Forked:
        return await asyncio.to_thread(forks("syncd").start, *self._words(*arguments), **files)

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.address}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def _end(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, number)
            await self.process.wait()


def memory() -> BinaryIO:
    """Return a file that only who has it open knows of."""
    return os.fdopen(os.memfd_create("syncd"), "w+b", buffering=0)


@asynccontextmanager
async def configured(
    folder: Path, settings: str = SETTINGS, port: int | None = None
) -> AsyncIterator[Daemon]:
    """Yield a daemon that is configured and not yet started; ends it afterwards."""
    daemon = Daemon(folder, port=port or free_port(), settings=settings)
    daemon.configure()
    try:
        yield daemon
    finally:
        await daemon.kill()
