"""The lock file that makes a process the only writer of a state directory (S3)."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from syncd.model.errors import MisconfiguredError, SyncdError

_AGAIN_SECONDS = 0.05


class LockedError(SyncdError):
    """Another syncd works on this state directory."""


@contextmanager
def only_writer(path: Path, *, patience: timedelta = timedelta()) -> Iterator[None]:
    """Hold the lock; raises LockedError if another process still holds it after ``patience``.

    The state directory is made if it is missing, for its owner alone. The lock ends with the
    process, however that ends. Raises MisconfiguredError where no directory can be.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, FileNotFoundError) as error:
        raise MisconfiguredError(
            f"{path.parent}: {error.strerror}; change state_dir, or make room for it",
            key="state_dir",
        ) from None
    with path.open("a+") as file:
        path.chmod(0o600)
        _acquire(file.fileno(), path, time.monotonic() + patience.total_seconds())
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _acquire(descriptor: int, path: Path, latest: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= latest:
                holder = path.read_text().strip() or "unknown"
                raise LockedError(
                    f"another syncd (process {holder}) works on {path.parent}"
                ) from None
            time.sleep(_AGAIN_SECONDS)
        else:
            return
