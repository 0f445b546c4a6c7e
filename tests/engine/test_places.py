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
    assert not places._turns
