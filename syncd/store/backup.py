"""Copies of a SQLite store, and putting one back."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from syncd.model.errors import InvalidError, TransientError


async def copy_marked(source: Path, target: Path) -> None:
    """Copy a store that is in use, by SQLite's backup interface, and mark the copy (S8).

    ``target`` appears whole or not at all; raises TransientError if it cannot be written.
    """
    try:
        await asyncio.to_thread(_copy, source, target)
    except (sqlite3.Error, OSError) as error:
        raise TransientError(f"cannot write {target}: {error}") from error


def restore(source: Path, target: Path) -> None:
    """Put a copy, however it was made, in the place of a store that nobody has open.

    Raises InvalidError if ``source`` is no whole copy of a store; ``target`` is untouched then.
    """
    try:
        with closing(_open(source)) as copy:
            copy.execute("SELECT backup_mark FROM installations").fetchone()
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
    except sqlite3.Error as error:
        raise InvalidError(f"{source} is no backup of syncd: {error}", field="source") from error
    _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    with closing(_open(source)) as original, closing(sqlite3.connect(part)) as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        copy.execute("UPDATE installations SET backup_mark = 1")
        copy.commit()
    part.chmod(0o600)
    _sync(part)
    for leftover in ("-wal", "-shm"):  # of what stood there; never to be applied to the copy
        target.with_name(target.name + leftover).unlink(missing_ok=True)
    part.replace(target)
    _sync(target.parent)


def _open(source: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)


def _sync(path: Path) -> None:
    """Make sure that a file, or a directory's entries, outlive a loss of power."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
