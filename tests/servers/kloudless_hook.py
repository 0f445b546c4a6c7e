"""An application's webhook, as applications of Kloudless's have it (K45, K46).

Nothing of it is ours and nothing is asynchronous: server, form, HMAC and comparison are the
standard library's.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Self
from urllib.parse import parse_qs

from tests.servers.threaded import answering

PATIENCE_SECONDS = 30


class KloudlessHook:
    """Answers what its API key has signed with its id, all else with ``refusal``.

    ``accounts`` are those that have had news, ``requests`` headers and bodies as they came;
    ``says`` is a status and a body to answer with instead.
    """

    def __init__(self, client_id: str, api_key: str) -> None:
        self.client_id, self.api_key = client_id, api_key
        self.accounts = SimpleQueue[str]()
        self.requests = list[tuple[Mapping[str, str], bytes]]()
        self.says: tuple[int, bytes] | None = None
        self.refusal = 403
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator[Self]:
        with answering(self.take) as address:
            self.url = f"{address}/kloudless"
            yield self

    def take(self, _path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        self.requests.append((headers, body))
        if self.says is not None:
            return self.says
        signed = hmac.new(self.api_key.encode(), body, hashlib.sha256).digest()
        wanted = base64.b64encode(signed).decode()
        if not hmac.compare_digest(wanted, headers.get("x-kloudless-signature", "")):
            return self.refusal, b"signatures do not match"
        if body:
            self.accounts.put(parse_qs(body.decode())["account"][0])
        return 200, self.client_id.encode()

    def news(self) -> str:
        """Return the account that the next call is about, as soon as there was one."""
        return self.accounts.get(timeout=PATIENCE_SECONDS)

    @property
    def bodies(self) -> list[bytes]:
        return [body for _, body in self.requests]
