"""Streams over HTTP where a page is short by its size: its cursor leads on, and nothing is lost."""

import asyncio
from typing import Any

import pytest

from tests.api.serving import Api
from tests.api.test_cronofy_events import NOVEMBER, every
from tests.api.test_follow import following, put, records
from tests.engine.ground import event

NAMES = [f"e{number:02}" for number in range(8)]


@pytest.fixture(autouse=True)
def one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold a page to one record, as the store does with the largest ones."""
    monkeypatch.setattr("syncd.store.page_size._LEAST", 1)
    monkeypatch.setattr("syncd.store.page_size._EACH", 0)


@pytest.fixture
async def paths(api: Api) -> tuple[str, str]:
    """Eight events in one profile; where its stream is read, and that of all."""
    work = api.ground.server.add("/work/")
    for name in NAMES:
        work.put(f"{name}.ics", event(name, uid=name))
    await api.ground.poll()
    return f"/v1/accounts/{api.account}/events", "/v1/activity"


def names(objects: list[Any]) -> list[str]:
    return [one["metadata"]["name"] for one in objects if one["metadata"]["type"] == "event"]


@pytest.mark.parametrize("size", [1, 2, 100, 1000])
async def test_cursors_lead_through_everything(api: Api, paths: tuple[str, str], size: int) -> None:
    """K35: only an empty page is the end."""
    for path in paths:
        cursor, found = "", list[Any]()
        while True:
            page = await api.json(f"{path}?page_size={size}{cursor}")
            cursor = f"&cursor={page['cursor']}"
            if not page["objects"]:
                break
            found += page["objects"]
        assert names(found) == NAMES
        assert len({one["id"] for one in found}) == len(found)


async def test_long_polls_are_answered_with_what_there_is_until_there_is_no_more(
    api: Api, paths: tuple[str, str]
) -> None:
    """K40."""
    for path in paths:
        cursor, found = (await api.json(path))["cursor"], list[str]()
        async with asyncio.timeout(10):
            while len(found) < len(NAMES):
                page = await api.json(f"{path}?wait=60&objects=event&cursor={cursor}")
                found += names(page["objects"])
                cursor = page["cursor"]
        assert found == NAMES


async def test_server_sent_events_tell_everything_and_what_comes_then(
    api: Api, paths: tuple[str, str]
) -> None:
    """K41."""
    for number, path in enumerate(paths):
        whole = [*NAMES, *(f"later {one}" for one in range(number))]
        async with following(api, "?objects=event", path=f"{path}/stream") as stream:
            told = await records(stream, len(whole))
            put(api, f"later {number}")
            await api.ground.poll()
            told += await records(stream, 1)
        assert [one.name for one in told] == [*whole, f"later {number}"]


async def test_every_event_that_went_is_among_the_deleted(api: Api, paths: tuple[str, str]) -> None:
    """C9: they are found in the stream."""
    assert paths
    work = next(iter(api.ground.server.calendars.values()))
    for name in NAMES[:5]:
        work.remove(f"{name}.ics")
    await api.ground.poll()
    found = await every(api, f"/v1/events?{NOVEMBER}&include_deleted=true")
    assert sorted(one["summary"] for one in found if one["deleted"]) == NAMES[:5]
