"""What all tests share."""

import os
import shutil
import signal
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.contract.rig", "tests.journeys", "tests.witness")

# a shell starts what runs in the background deaf to this, and what we start would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)

# what is flushed to a disk here is flushed for nothing: each run has a folder of its own in memory
MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30  # noqa: S108
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
