"""cronofy-node in a process of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.node import HERE, NODE, installed


class RefusedError(Exception):
    """What the client made of an error: ``status`` and the body as ``entity``."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["message"])
        self.status, self.entity = told["status"], told["entity"]


class NodeClient:
    """One ``new Cronofy(config)`` a call; its methods take and give JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, base: str, method: str, config: dict[str, Any], **options: Any) -> Any:  # noqa: ANN401 - JSON
        """Call a method and return its answer; raises RefusedError."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"base": base, "config": config, "method": method, "options": options}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if "error" in told:
            raise RefusedError(told["error"])
        return told["answer"]


@contextmanager
def node_client() -> Iterator[NodeClient]:
    """Start the driver."""
    modules = installed()
    with subprocess.Popen(  # noqa: S603
        [NODE, HERE / "cronofy.js"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(modules)},
    ) as process:
        yield NodeClient(process)
        assert process.stdin
        process.stdin.close()
