"""A CPU for whom is measured: a server beside it on the same one would empty its caches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def own_cpu() -> Iterator[None]:
    """Keep this process, and what it starts, on one CPU; where there is another to leave it for."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def leave() -> None:
    """Move this process, a server, off the one CPU that whoever started it keeps."""
    kept, present = os.sched_getaffinity(0), set(range(os.cpu_count() or 1))
    if len(kept) == 1 and present > kept:
        with suppress(OSError):  # a container may have just this one
            os.sched_setaffinity(0, present - kept)
