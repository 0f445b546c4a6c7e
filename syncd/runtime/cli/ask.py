"""Asks the daemon; where none runs, does the same in this process under its lock (decision 9)."""

import asyncio
import json
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import TYPE_CHECKING, Any

from syncd.runtime.cli.exits import UnavailableError
from syncd.runtime.cli.output import Options
from syncd.runtime.listening import bindable

if TYPE_CHECKING:
    from syncd.runtime.settings import Settings

ANSWER_SECONDS = 150.0
PATIENCE_SECONDS = 10.0  # with a daemon that is about to answer, or to leave
_AGAIN_SECONDS = 0.05
_NOBODY = (ConnectionRefusedError, FileNotFoundError, NotADirectoryError)


def ask(options: Options, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
    """Return the answer of an operation; raises what it raises, and UnavailableError."""
    from syncd.runtime.lock import LockedError, only_writer

    settings = _settings(options)
    latest = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(*_NOBODY):
            return _over(settings.admin_socket, operation, arguments)
        try:
            with settings.naming(), only_writer(settings.lock_file):
                return asyncio.run(_here(settings, operation, arguments))
        except LockedError as error:
            if time.monotonic() >= latest:
                raise UnavailableError(f"{error}, and does not answer") from None
            time.sleep(_AGAIN_SECONDS)


def ask_daemon(options: Options, operation: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
    """Ask the daemon and nobody else; raises UnavailableError if none runs."""
    settings = _settings(options)
    try:
        return _over(settings.admin_socket, operation, arguments)
    except _NOBODY:
        raise UnavailableError(
            f"no syncd runs in {settings.state_dir}; `syncd run` starts one"
        ) from None


class _Connection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("syncd", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with bindable(self._path) as name:
            self.sock.connect(name)


def _settings(options: Options) -> "Settings":
    from syncd.runtime import log, settings

    log.configure("warning")
    return settings.load(options.config)


def _over(path: Path, operation: str, arguments: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
    from syncd.runtime.told import raised

    connection = _Connection(path)
    try:
        connection.request("POST", f"/{operation}", json.dumps(arguments))
        answer = json.loads(connection.getresponse().read())
    except PermissionError:
        raise PermissionError(
            f"{path} may not be opened: run this as the user of syncd, or as root"
        ) from None
    except (ConnectionResetError, BrokenPipeError, ValueError):
        raise UnavailableError("syncd went away before it answered") from None
    finally:
        connection.close()
    if "error" in answer:
        raise raised(answer["error"]["kind"], answer["error"]["message"])
    return answer["answer"]


async def _here(settings: "Settings", operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    from syncd.runtime.admin import perform
    from syncd.runtime.wiring import wired

    async with wired(settings) as core:
        return await perform(core, operation, arguments)
