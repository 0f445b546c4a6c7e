"""A disk that loses its power: a VFS of SQLite that keeps what was not synced apart.

What ``xSync`` has not reached may be there after the loss, in part or not at all, each write for
itself; of a write that tears some sectors are there. https://www.sqlite.org/atomiccommit.html §3
names what SQLite assumes of a disk: no more than that.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import apsw

SECTOR = 512


class PowerLostError(Exception):
    """No more reaches the disk."""


@dataclass(kw_only=True)
class Drive:
    """The files of one database: as they were synced, and what was done to them since."""

    synced: dict[str, bytes] = field(default_factory=dict)
    since: dict[str, list[Callable[[bytearray], None]]] = field(default_factory=dict)
    writes: int = 0
    fails_at: int | None = None  # counted in writes
    lost: bool = False

    def write(self, name: str, data: bytes, offset: int, draw: random.Random) -> None:
        """Take a write, of which a loss leaves a part that ``draw`` decides now."""
        if self.lost or self.writes == self.fails_at:
            self.lost = True
            raise PowerLostError
        self.writes += 1
        fate = draw.random()
        kept = range(0, len(data), SECTOR)
        sectors = set(kept if fate < 0.4 else draw.sample(kept, k=int(len(kept) * (fate - 0.4))))

        def left(file: bytearray) -> None:
            for start in sorted(sectors):
                _put(file, data[start : start + SECTOR], offset + start)

        self.since.setdefault(name, []).append(left)

    def sync(self, name: str, whole: bytes) -> None:
        """Take what is in the file as safe."""
        if self.lost:
            raise PowerLostError
        self.synced[name] = whole
        self.since[name] = []

    def leave(self, folder: Path) -> None:
        """Write what is found there after the loss."""
        for name in self.synced.keys() | self.since.keys():
            file = bytearray(self.synced.get(name, b""))
            for left in self.since.get(name, ()):
                left(file)
            (folder / Path(name).name).write_bytes(file)


def _put(file: bytearray, data: bytes, offset: int) -> None:
    file.extend(bytes(max(0, offset - len(file))))
    file[offset : offset + len(data)] = data


class _Disk(apsw.VFS):
    def __init__(self, name: str, drive: Drive, draw: random.Random) -> None:
        super().__init__(name=name, base="")
        self.name = name
        self._drive = drive
        self._draw = draw

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_File":  # noqa: N802
        return _File(name, flags, self._drive, self._draw)


class _File(apsw.VFSFile):
    def __init__(
        self,
        name: str | apsw.URIFilename | None,
        flags: list[int],
        drive: Drive,
        draw: random.Random,
    ) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._path = Path(path)
        self._drive = drive
        self._draw = draw
        drive.synced.setdefault(path, self._path.read_bytes())

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._drive.write(str(self._path), bytes(data), offset, self._draw)
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        name, keeps = str(self._path), self._draw.random() < 0.5

        def left(file: bytearray) -> None:
            if keeps:
                del file[size:]

        self._drive.since.setdefault(name, []).append(left)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._drive.sync(str(self._path), self._path.read_bytes())


@contextmanager
def on_drive(database: Path, drive: Drive, seed: int) -> Iterator[apsw.Connection]:
    """Open a database on a drive; the VFS has no shared memory, so the WAL is its alone."""
    disk = _Disk(f"power-{database.parent.name}-{seed}", drive, random.Random(seed))  # noqa: S311
    connection = apsw.Connection(str(database), vfs=disk.name)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.pragma("locking_mode", "EXCLUSIVE")
        yield connection
    finally:
        connection.close(True)  # noqa: FBT003 - what is lost may stay open
        disk.unregister()


def state(database: Path) -> str:
    """Return a digest of everything that is in a database, as another SQLite reads it."""
    with closing(sqlite3.connect(database)) as connection:
        try:
            found = connection.execute("PRAGMA integrity_check").fetchall()
            if found != [("ok",)]:
                return "damaged"
            return sha256("\n".join(connection.iterdump()).encode()).hexdigest()
        except sqlite3.DatabaseError:
            return "damaged"
