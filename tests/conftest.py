"""What all tests share."""

import gc
import os
import shutil
import signal
from pathlib import Path

import pytest
import structlog
from aiohttp import web_app

from tests.store import compiled

pytest.register_assert_rewrite("tests.contract.rig", "tests.journeys", "tests.witness")

# a shell starts what runs in the background deaf to this, and what we start would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)

# or each of the hundreds of processes that tests start would compile syncd anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# drawing the frames of a failure that a test provokes takes most of a second
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback

compiled.share()

# what is flushed to a disk here is flushed for nothing: each run has a folder of its own in memory
MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30  # noqa: S108
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Let go of what was served: aiohttp remembers hundreds of applications, and all they hold.

    Python's collector of cycles would walk through all of it, again and again.
    """
    web_app._cached_build_middleware.cache_clear()


def pytest_collection_finish() -> None:
    """Keep what was imported out of the collector's way: none of it goes before the end."""
    gc.collect()
    gc.freeze()
