"""What the daemon holds from its start on is no work for the garbage collector."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from syncd.runtime.heap import settle_heap


class Ring:
    """Something that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_what_is_held_is_looked_at_no_more_and_what_goes_later_is_freed_by_the_next_call() -> None:
    """F42: a full collection then has next to nothing to look at."""
    held = Ring()
    gone = weakref.ref(held)
    settle_heap()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    assert len(gc.get_objects()) < frozen / 10
    del held
    gc.collect()
    assert gone() is not None
    settle_heap()
    assert gone() is None
