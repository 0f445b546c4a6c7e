"""Independent clients in a venv of their own, driven as subprocesses.

``caldav`` brings a replacement of ``urllib3`` that overwrites the real one (design decision 4), so
it never enters our environment. The venv is made once, inside the running one, and kept.
"""

import fcntl
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = ("caldav==3.6.*", "gcal_sync==8.*", "vdirsyncer==0.21.*")


def peer_python() -> Path:
    """Return the interpreter that has the peers; the first caller installs them."""
    home = Path(sys.prefix) / "peers"
    done = home / "installed.txt"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        python = home / "bin" / "python"
        if not done.exists() or done.read_text().split("\n") != list(REQUIREMENTS):
            _run(sys.executable, "-m", "venv", str(home))
            _run(str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS)
            done.write_text("\n".join(REQUIREMENTS))
        return python


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stderr[-2000:]}")
