"""Where an application with a Cronofy client is told (C15)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Self

import orjson

from tests.servers.threaded import answering

PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Push:
    """A push as it came: where to, its HMACs, and the text that they sign."""

    path: str
    hmac: str
    body: str

    @property
    def notification(self) -> Any:  # noqa: ANN401 - JSON
        return orjson.loads(self.body)["notification"]

    @property
    def channel(self) -> Any:  # noqa: ANN401 - JSON
        return orjson.loads(self.body)["channel"]


class Callback:
    """Answers 200 to whatever comes, and keeps it in its order."""

    def __init__(self) -> None:
        self.pushes = SimpleQueue[Push]()
        self.url = ""

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator[Self]:
        made = cls()
        with answering(made._take) as made.url:
            yield made

    def _take(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        self.pushes.put(Push(path, headers["cronofy-hmac-sha256"], body.decode()))
        return 200, b""

    def next(self) -> Push:
        """Return the next push, as soon as there was one."""
        return self.pushes.get(timeout=PATIENCE_SECONDS)
