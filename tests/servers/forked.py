"""Programs in Python that are imported once a test process and forked for each start.

To import what they need takes most of a second and more; an import tells nothing new the second
time, as no module depends on which one was imported before it. A start is told over a socket: the
arguments, the environment and the folder it is to have, with the files that it speaks through.
"""

import atexit
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from asyncio import sleep, timeout
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[2]
LONGEST = 1 << 20  # bytes that tell of a start
GLANCE = 0.005  # seconds
SOON = 5.0  # seconds; one that is just starting may not hear that it is to end
_IMPORTED = {  # by program: what would be imported when it runs
    "syncd": (
        *("syncd.runtime.daemon", "syncd.runtime.cli.ask", "syncd.runtime.cli.output"),
        *("alembic.command", "sqlalchemy.dialects.sqlite.aiosqlite"),
    ),
    "xandikos": ("xandikos.multi_user", "xandikos.web"),
}


class Forked:
    """A program that runs, or did."""

    def __init__(self, pid: int, ended: int) -> None:
        """Keep its number and the pipe that will tell how it ended."""
        self.pid = pid
        self._ended = ended
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        """How it ended, as ``subprocess`` says it; None while it runs."""
        if self._code is None:
            with suppress(BlockingIOError):
                self._code = int(os.read(self._ended, 16) or -signal.SIGKILL)
                os.close(self._ended)
        return self._code

    async def wait(self) -> int:
        """Return how it ended, once it has."""
        while self.returncode is None:  # noqa: ASYNC110 - another process tells
            await sleep(GLANCE)
        return self._code or 0

    async def end(self) -> None:
        """End it, and return when it is gone."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                async with timeout(SOON):
                    await self.wait()
                    return
            os.kill(self.pid, signal.SIGKILL)
            await self.wait()


class Forks:
    """The process that forks."""

    def __init__(self, program: str) -> None:
        self._turn = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", __name__, program, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=ROOT,
                start_new_session=True,
            )
        atexit.register(self._leave)

    def start(
        self,
        *arguments: str,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Forked:
        """Start it on these files, or on none; it inherits environment and folder."""
        told = {"arguments": arguments, "environment": dict(os.environ), "folder": str(Path.cwd())}
        ended, end = os.pipe()
        nothing = os.open(os.devnull, os.O_RDWR)
        given = [nothing if one is None else one for one in (stdin, stdout, stderr)]
        try:
            with self._turn:
                socket.send_fds(self._socket, [json.dumps(told).encode()], [*given, end])
                number = self._socket.recv(16)
        finally:
            os.close(end)
            os.close(nothing)
        assert number, "what forks has ended; its standard error says why"
        os.set_blocking(ended, False)
        return Forked(int(number), ended)

    def _leave(self) -> None:
        self._socket.close()
        self._process.wait()


@cache
def forks(program: str) -> Forks:
    """Return the one of this process for this program."""
    return Forks(program)


def _serve(program: str, control: socket.socket) -> None:
    """Fork for each that is told; with the end of the socket all of them end."""
    running = dict[int, tuple[int, int]]()
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not control:
                    pid, end = running.pop(key.fd)
                    _, status = os.waitpid(pid, 0)
                    with suppress(BrokenPipeError):  # nobody wants to know
                        os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    os.close(end)
                    continue
                told, files, _, _ = socket.recv_fds(control, LONGEST, 4)
                if not told:
                    return
                assert threading.active_count() == 1
                pid = os.fork()
                if not pid:
                    selector.close()
                    control.close()
                    for one in [fd for pair in running.items() for fd in (pair[0], pair[1][1])]:
                        os.close(one)
                    _become(program, files, **json.loads(told))
                control.send(str(pid).encode())
                for one in files[:3]:
                    os.close(one)
                watched = os.pidfd_open(pid)
                running[watched] = pid, files[3]
                selector.register(watched, selectors.EVENT_READ)


def _become(
    program: str,
    files: list[int],
    *,
    arguments: list[str],
    environment: dict[str, str],
    folder: str,
) -> NoReturn:
    """Be the program, as if ``python -m`` had started it."""
    for number, one in enumerate(files[:3]):
        os.dup2(one, number)
    for one in files:
        os.close(one)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)
    sys.exit()


def _main() -> None:
    program, control = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    for one in _IMPORTED[program]:
        import_module(one)
    gc.collect()
    gc.freeze()
    _serve(program, control)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    _main()
