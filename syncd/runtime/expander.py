"""The worker process that expands series: frames of pickle in, frames of pickle out.

Run as ``python -m syncd.runtime.expander`` by ``runtime/workers.py``, which kills it when a rule
takes too long. It ends when its parent does.
"""

import pickle
import signal
import struct
import sys
from typing import BinaryIO

from syncd.formats.expand import expand_series

LENGTH = struct.Struct(">I")
READY = b"ready"


def main() -> None:
    """Answer until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    into, out = sys.stdin.buffer, sys.stdout.buffer
    _write(out, READY)
    while frame := _read(into):
        # what comes through this pipe was written by our own parent
        series, after, before, limit = pickle.loads(frame)  # noqa: S301 - see above
        _write(out, pickle.dumps(expand_series(series, after, before, limit)))


def _read(into: BinaryIO) -> bytes:
    head = into.read(LENGTH.size)
    return into.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


def _write(out: BinaryIO, frame: bytes) -> None:
    out.write(LENGTH.pack(len(frame)) + frame)
    out.flush()


if __name__ == "__main__":
    main()
