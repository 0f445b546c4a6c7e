"""The server's side of NTLM by pyspnego: a connection is signed in, not a request (MS-NTHT)."""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import spnego
from aiohttp import web


class NtlmDoor:
    """Admits whom a file of ``DOMAIN:name:password`` lines names.

    ``instead`` is a challenge that is none.
    """

    def __init__(self, instead: str = "") -> None:
        self.instead = instead
        self._under_way: dict[int, Any] = {}
        self._signed_in: set[int] = set()

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return the next step, or None for a connection that is signed in."""
        line = id(request.transport)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "NTLM":
            return None if line in self._signed_in else _ask("NTLM")
        if self.instead:
            return _ask(self.instead)
        context = self._under_way.setdefault(line, spnego.server(protocol="ntlm"))
        try:
            answer = context.step(b64decode(token))
        except spnego.exceptions.SpnegoError:
            del self._under_way[line]
            return _ask("NTLM")
        if not context.complete:
            return _ask(f"NTLM {b64encode(answer).decode()}")
        self._signed_in.add(line)
        return None


@contextmanager
def known(folder: Path, username: str, password: str) -> Iterator[None]:
    """Have pyspnego know one person."""
    domain, _, name = username.rpartition("\\")
    path = folder / "people"
    path.write_text(f"{domain}:{name}:{password}\n", encoding="utf-8")
    before = os.environ.get("NTLM_USER_FILE")
    os.environ["NTLM_USER_FILE"] = str(path)
    try:
        yield
    finally:
        os.environ.pop("NTLM_USER_FILE")
        if before is not None:
            os.environ["NTLM_USER_FILE"] = before


def _ask(word: str) -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": word}, content_type="text/html")
