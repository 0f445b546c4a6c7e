"""No second process writes (S3)."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.runtime.lock import LockedError, only_writer

HOLDER = """
import sys, time
from pathlib import Path
from syncd.runtime.lock import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_one_is_refused_while_the_first_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "syncd.lock"
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockedError, match=str(holder.pid)), only_writer(path):
            pass
        holder.kill()
        with only_writer(path, patience=timedelta(seconds=5)):
            assert path.parent.stat().st_mode & 0o777 == 0o700
            assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "syncd.lock"
    for _ in range(2):
        with only_writer(path):
            pass
