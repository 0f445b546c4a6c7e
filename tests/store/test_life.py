"""Epochs change when a database came back from a copy, and only then (I4, S8, F31)."""

import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Filter, Stream
from syncd.model.errors import (
    CursorExpiredError,
    InvalidError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import Position, ProfileId
from syncd.store.backup import restore
from syncd.store.life import Beats
from syncd.store.open import SqlStore
from syncd.store.tables import installations
from tests.store import opening
from tests.store.opening import postgres
from tests.store.samples import a_page, a_record, with_calendar, with_profile

ONE = ProfileId(1)
opened = partial(opening.opened, copied=False)  # here that would be a fault


async def write(store: SqlStore, count: int = 1) -> Stream:
    """Record something for the first profile; return its stream."""
    if not await store.profiles():
        await with_profile(store)
    await store.save_profile(await store.profile(ONE), records=[a_record()] * count)
    return await store.stream(ONE)


def copy(source: Path, target: Path) -> None:
    """Copy a database as an operator might who knows no better: the files, in use or not."""
    for suffix in ("", "-wal"):
        if source.with_name(source.name + suffix).exists():
            shutil.copy(
                source.with_name(source.name + suffix), target.with_name(target.name + suffix)
            )


def put_back(copied: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    copy(copied, target)


async def expect_new_epoch(where: Path | str, before: Stream, state_dir: Path) -> None:
    """Every cursor of before is refused, with where to go on; new ids differ from all old ones."""
    async with opened(where, state_dir=state_dir) as store:
        stream = await store.stream(ONE)
        with pytest.raises(CursorExpiredError) as refused:
            stream.check(before.latest)
        assert refused.value.reason == "epoch"
        assert refused.value.restart == str(stream.oldest)
        await write(store)
        _, read, _ = await store.read(ONE, after=stream.head, limit=1, wanted=Filter())
        assert read[0].body.startswith(b'{"id":"%s-' % stream.epoch.encode())
        assert stream.epoch != before.epoch
    await expect_same_epoch(where, stream, state_dir)  # it settles


async def expect_same_epoch(where: Path | str, before: Stream, state_dir: Path) -> None:
    async with opened(where, state_dir=state_dir) as store:
        stream = await store.stream(ONE)
        assert stream.check(before.latest) == before.head


async def test_a_restart_keeps_the_epoch(address: str, tmp_path: Path) -> None:
    async with opened(address, state_dir=tmp_path) as store:
        stream = await write(store)
    await expect_same_epoch(address, stream, tmp_path)
    await expect_same_epoch(address, stream, tmp_path)


async def test_new_profiles_share_the_epoch_of_a_restored_store(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await write(store)
        await store.backup(tmp_path / "copy.db")
    restore(tmp_path / "copy.db", tmp_path / "syncd.db")
    async with opened(tmp_path) as store:
        other = await with_profile(store, 2)
        assert (await store.stream(other.id)).epoch == (await store.stream(ONE)).epoch


async def test_a_backup_that_is_put_back_gives_new_epochs(tmp_path: Path) -> None:
    """The mark says so, where the count of beats would not."""
    async with opened(tmp_path) as store:
        await write(store)
        await store.backup(tmp_path / "copy.db")
        stream = await write(store)
    restore(tmp_path / "copy.db", tmp_path / "syncd.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as plain:
        counted = plain.execute("SELECT installation_id, beats FROM installations").fetchone()
    Beats(tmp_path).write(*counted)  # the state directory was put back as well
    await expect_new_epoch(tmp_path, stream, tmp_path)


async def test_a_backup_that_is_opened_where_it_lies_gives_new_epochs(tmp_path: Path) -> None:
    """``syncd db restore`` or cp: the mark is in the copy."""
    async with opened(tmp_path) as store:
        stream = await write(store)
        await store.backup(tmp_path / "copy.db")
    async with opened(tmp_path) as store:
        assert (await store.stream(ONE)).epoch == stream.epoch  # the original is unmarked
    shutil.copy(tmp_path / "copy.db", tmp_path / "syncd.db")
    await expect_new_epoch(tmp_path, stream, tmp_path)


async def test_a_file_copied_while_we_ran_gives_new_epochs(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await write(store)
        copy(tmp_path / "syncd.db", tmp_path / "copy.db")
        stream = await write(store)
    put_back(tmp_path / "copy.db", tmp_path / "syncd.db")
    await expect_new_epoch(tmp_path, stream, tmp_path)


async def test_a_file_copied_while_we_stood_still_gives_new_epochs(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await write(store)
    copy(tmp_path / "syncd.db", tmp_path / "copy.db")
    async with opened(tmp_path) as store:
        stream = await write(store)
    put_back(tmp_path / "copy.db", tmp_path / "syncd.db")
    await expect_new_epoch(tmp_path, stream, tmp_path)


async def test_a_copy_put_back_after_a_crash_gives_new_epochs_if_health_was_asked(
    tmp_path: Path,
) -> None:
    """A run that never stopped has only its health checks to count."""
    async with opened(tmp_path) as store:
        await write(store)
        copy(tmp_path / "syncd.db", tmp_path / "copy.db")
        stream = await write(store)
        await store.health()
        beats = (tmp_path / "store.beats").read_bytes()
    (tmp_path / "store.beats").write_bytes(beats)  # as if it had been killed before its stop
    put_back(tmp_path / "copy.db", tmp_path / "syncd.db")
    await expect_new_epoch(tmp_path, stream, tmp_path)


async def test_a_killed_daemon_keeps_its_epoch(tmp_path: Path) -> None:
    """Its file is behind the database by what was not written down any more; never ahead."""
    async with opened(tmp_path) as store:
        beats = (tmp_path / "store.beats").read_bytes()
        stream = await write(store)
        await store.health()
    (tmp_path / "store.beats").write_bytes(beats)
    await expect_same_epoch(tmp_path, stream, tmp_path)


@pytest.mark.parametrize("left", [None, b"", b"{}", b'{"installation":"another","beats":1}'])
async def test_a_database_without_its_state_directory_gives_new_epochs(
    tmp_path: Path, left: bytes | None
) -> None:
    """S8, on SQLite: no file yet, a damaged one, or that of another store."""
    async with opened(tmp_path) as store:
        stream = await write(store)
    beats = tmp_path / "store.beats"
    beats.unlink()
    if left is not None:
        beats.write_bytes(left)
    await expect_new_epoch(tmp_path, stream, tmp_path)


async def test_another_machine_of_a_cluster_keeps_the_epoch(tmp_path: Path) -> None:
    """On PostgreSQL a state directory without a file is that of one more machine."""
    async with postgres() as url:
        async with opened(url, state_dir=tmp_path) as store:
            stream = await write(store)
        (tmp_path / "other").mkdir()
        await expect_same_epoch(url, stream, tmp_path / "other")
        await expect_same_epoch(url, stream, tmp_path)


@pytest.mark.parametrize(
    "change", [{"server_identity": "7/1"}, {"beats": 0}, {"backup_mark": True}]
)
async def test_a_postgresql_that_was_restored_gives_new_epochs(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """Another system identifier or timeline (pg_basebackup), or fewer beats (pg_dump)."""
    async with postgres() as url:
        async with opened(url, state_dir=tmp_path) as store:
            stream = await write(store)
        async with opened(url, state_dir=tmp_path / "..") as store:

            async def work(connection: AsyncConnection) -> None:
                await connection.execute(update(installations).values(change))

            await store._database.write(work)
        await expect_new_epoch(url, stream, tmp_path)


async def test_a_backup_taken_under_load_is_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        for number in range(20):
            keys = [f"/{number}/{one}" for one in range(20)]
            calendar = await store.record(calendar, a_page(calendar, keys), generation=1)
            if number == 10:
                (tmp_path / "copy").mkdir()
                await store.backup(tmp_path / "copy" / "syncd.db")
    assert [one.name for one in (tmp_path / "copy").iterdir()] == ["syncd.db"]
    async with opened(tmp_path / "copy") as copied:
        assert await copied.check() == []
        assert (await copied.stream(ONE)).head == 220
        assert len(await copied.etags(calendar.id)) == 220


async def test_a_backup_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        with pytest.raises(TransientError, match="nowhere"):
            await store.backup(tmp_path / "nowhere" / "copy.db")


async def test_postgresql_is_backed_up_with_its_own_tools(tmp_path: Path) -> None:
    async with postgres() as url, opened(url) as store:
        with pytest.raises(UnsupportedError, match="pg_basebackup"):
            await store.backup(tmp_path / "copy.db")


@pytest.mark.parametrize("content", [None, b"", b"no database", b"SQLite format 3\0" + bytes(4096)])
async def test_what_is_no_backup_is_not_put_back(tmp_path: Path, content: bytes | None) -> None:
    async with opened(tmp_path) as store:
        stream = await write(store)
    if content is not None:
        (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(InvalidError):
        restore(tmp_path / "copy.db", tmp_path / "syncd.db")
    await expect_same_epoch(tmp_path, stream, tmp_path)


async def test_the_wal_of_what_stood_there_is_not_applied_to_what_is_put_back(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as store:
        stream = await write(store)
        await store.backup(tmp_path / "copy.db")
        await write(store, 500)
        copy(tmp_path / "syncd.db", tmp_path / "crashed.db")
    put_back(tmp_path / "crashed.db", tmp_path / "syncd.db")
    assert (tmp_path / "syncd.db-wal").exists()  # as after a crash
    restore(tmp_path / "copy.db", tmp_path / "syncd.db")
    with closing(sqlite3.connect(tmp_path / "syncd.db")) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    async with opened(tmp_path) as store:
        assert (await store.stream(ONE)).head == stream.head
        _, read, _ = await store.read(ONE, after=Position(0), limit=9, wanted=Filter())
        assert len(read) == 1
