"""Xandikos, imported once a test process and forked for each server.

Run as a script it reads a list of arguments a line, in JSON, and prints the id of the process that
serves with them. With the end of its input all of them end.
"""

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

SOON = 5.0  # seconds; one that is just starting may not hear that it is to end


class Forks:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-W", "ignore", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        atexit.register(self._process.communicate)

    def start(self, *arguments: str) -> int:
        """Start a server; return the id of its process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@cache
def forks() -> Forks:
    """Return the one of this process."""
    return Forks()


async def end(process: int) -> None:
    """End a server, and return when it is gone."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                await _gone(process)
        os.kill(process, signal.SIGKILL)
        await _gone(process)


async def _gone(process: int) -> None:
    """Wait until there is no such process; raises ProcessLookupError then."""
    while True:
        os.kill(process, 0)
        await asyncio.sleep(0.005)


def _main() -> None:
    from xandikos import multi_user, web  # noqa: F401, PLC0415 - what a server would import
    from xandikos.__main__ import main  # noqa: PLC0415 - only where it serves

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who ends is forgotten
    for line in sys.stdin:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(nothing, number)
            try:
                asyncio.run(main(json.loads(line)))  # type: ignore[no-untyped-call]
            finally:
                os._exit(0)
        print(process, flush=True)  # noqa: T201 - the answer
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    _main()
