"""Places for requests under way: who waits for whom (I14)."""

import asyncio
from itertools import count

from syncd.engine.places import Places


async def test_places_are_kept_for_those_that_are_well() -> None:
    """64 at once, 4 a host; what failed last takes 16 of them."""
    places, held, numbers = Places(), asyncio.Event(), count()
    inside = dict[str, int]()

    async def hold(host: str, *, failing: bool) -> None:
        async with places.one(f"whk{next(numbers)}", host, failing=failing):
            inside[host] = inside.get(host, 0) + 1
            await held.wait()

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(hold(f"bad{number}", failing=True))
        for _ in range(10):
            group.create_task(hold("one", failing=False))
        for number in range(60):
            group.create_task(hold(f"well{number}", failing=False))
        for _ in range(5):
            await asyncio.sleep(0)
        assert sum(count for host, count in inside.items() if host.startswith("bad")) == 16
        assert inside["one"] == 4
        assert sum(inside.values()) == 64
        held.set()
    assert places.idle


async def test_who_is_cancelled_while_waiting_leaves_no_gap() -> None:
    """Whether the place was handed over already or not; those behind keep their order."""
    places, inside = Places(), list[str]()

    async def visit(name: str, held: asyncio.Event) -> None:
        async with places.one("whk", "host", failing=False):
            inside.append(name)
            await held.wait()

    first, rest = asyncio.Event(), asyncio.Event()
    rest.set()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(visit(name, first if name == "a" else rest)) for name in "abcdef"
        ]
        await asyncio.sleep(0)
        tasks[1].cancel()  # "b" waits, and is the next
        await asyncio.sleep(0)
        first.set()
        await asyncio.sleep(0)  # "a" leaves: the place is "c"'s, which does not know it yet
        tasks[2].cancel()
    assert inside == ["a", "d", "e", "f"]
    assert places.idle


async def test_who_is_cancelled_at_the_last_gate_gives_back_the_others() -> None:
    places, held = Places(), asyncio.Event()

    async def visit(number: int) -> None:
        async with places.one(f"whk{number}", f"host{number}", failing=True):
            await held.wait()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(visit(number)) for number in range(17)]
        await asyncio.sleep(0)
        tasks[16].cancel()
        await asyncio.sleep(0)
        again = group.create_task(visit(16))
        held.set()
        await again
    assert places.idle
