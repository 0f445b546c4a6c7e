"""Where an application of Cronofy's is told (C15): the standard library's server, in a thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import Any, Self

import orjson

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

        class Desk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                told = Push(self.path, self.headers["Cronofy-HMAC-SHA256"], text)
                made.pushes.put(told)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
            made.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield made
            finally:
                server.shutdown()
                thread.join()

    def next(self) -> Push:
        """Return the next push, as soon as there was one."""
        return self.pushes.get(timeout=PATIENCE_SECONDS)
