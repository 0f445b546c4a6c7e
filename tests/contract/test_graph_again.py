"""What Microsoft Graph cannot tell of one event is asked for again, on later polls (I10, MG10)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.rig import PAUSE, Rig, rigged
from tests.contract.stages.graph import GraphStage
from tests.providers.test_graph_reading import SECOND, THIRD, WEEKLY
from tests.servers.graph import Fault

HOUR = timedelta(hours=1)
PARTS = ["/w/instances", "/events/w@2026-12-01"]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig[GraphStage]]:
    """Two series with an exception each, read; everything is listed again after six hours."""
    stage = GraphStage(tmp_path)
    stage.server.work.members["name"] = "Calendar"
    for key in "wv":
        stage.server.work.put(key, **WEEKLY)
        stage.server.work.put_exception(key, SECOND, subject="Other")
    await stage.start()
    async with rigged(stage, tmp_path, reconcile=timedelta(hours=6)) as one:
        await one.connect()
        assert (await one.poll(3)).error is None
        await one.news()
        stage.server.habits.bare_instances = True
        yield one
    await stage.stop()
    assert stage.complaints() == []


def fail(rig: Rig[GraphStage], part: str, status: int = 500) -> None:
    fault = Fault(status, part=part, code="ErrorCorruptData", times=10**6)
    rig.stage.server.faults.append(fault)


def asked(rig: Rig[GraphStage], word: str) -> int:
    """Return how often something was asked for since the last time."""
    server = rig.stage.server
    found = [one.path for one in server.asked] + [one.path for one in server.parts]
    server.asked.clear()
    server.parts.clear()
    return sum(path.split("?")[0].endswith(word) for path in found)


async def unread(rig: Rig[GraphStage]) -> list[str]:
    return [fault.key for _, fault in await rig.store.faults(rig.profile_id)]


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("part", PARTS)
async def test_one_bad_series_heals_by_itself_when_graph_does(
    rig: Rig[GraphStage], part: str, status: int
) -> None:
    """Within minutes, not hours, and without another listing; meanwhile it stays as it was."""
    fail(rig, part, status)
    news = [("update", "Renamed")]
    for key in "wv":
        rig.stage.server.work.put(key, subject="Renamed")
        if part == PARTS[0]:
            rig.stage.server.work.put_exception(key, THIRD, subject="New")
    if part == PARTS[0]:
        news.insert(0, ("add", "New"))
    await rig.poll(1)
    assert await rig.told() == news  # of the other one
    assert await unread(rig) == ["w"]
    if part == PARTS[0]:
        await rig.poll(3)
        assert (await rig.told(), await unread(rig)) == ([], ["w"])
    rig.stage.server.faults.clear()
    asked(rig, "/events")
    await rig.poll(8)
    assert await rig.told() == news
    assert await unread(rig) == []
    if part == PARTS[0]:
        assert asked(rig, "/events") == 0


async def test_it_is_asked_for_ever_more_rarely_at_last_once_an_hour(
    rig: Rig[GraphStage],
) -> None:
    fail(rig, PARTS[0], 403)
    rig.stage.server.work.put("w", subject="Renamed")
    await rig.poll(3)
    asked(rig, "")
    per_hour = list[int]()
    for _ in range(4):
        end = rig.clock.now() + HOUR
        while rig.clock.now() < end:
            await rig.poll()
        per_hour.append(asked(rig, "/w/instances"))
    assert 4 <= per_hour[0] <= 8
    assert per_hour[1:] in ([1, 1, 1], [2, 1, 1], [1, 1, 0])
    assert await rig.told() == []


async def test_what_was_deleted_meanwhile_is_told_once(rig: Rig[GraphStage]) -> None:
    fail(rig, PARTS[0], 403)
    rig.stage.server.work.put("w", subject="Renamed")
    await rig.poll(3)
    rig.stage.server.work.remove("w")
    rig.stage.server.faults.clear()
    await rig.poll(8)
    assert await rig.told() == [("delete", "Other"), ("delete", "Weekly")]
    assert await unread(rig) == []


async def test_a_change_that_can_be_told_ends_the_asking(rig: Rig[GraphStage]) -> None:
    fail(rig, PARTS[0], 403)
    rig.stage.server.work.put("w", subject="Renamed")
    await rig.poll(3)
    rig.stage.server.faults.clear()
    rig.stage.server.work.put("w", subject="Once more")
    await rig.poll(1, pause=timedelta(seconds=1))
    assert await rig.told() == [("update", "Once more")]
    asked(rig, "")
    await rig.poll(8)
    assert asked(rig, "/w/instances") == 0
    assert PAUSE < HOUR
