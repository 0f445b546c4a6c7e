"""The collector of a process that lives long."""

import gc

from syncd.runtime import garbage


def test_what_the_start_left_behind_is_looked_at_no_more() -> None:
    before = gc.get_threshold()
    try:
        garbage.settle()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() > before
        assert gc.isenabled()
        left: list[object] = []
        left.append(left)
        del left
        assert gc.collect() >= 1  # what comes after the start is still collected
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
