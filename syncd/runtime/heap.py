"""The garbage collector, kept from stopping the loop (F42)."""

import gc

_YOUNG = 50_000  # objects made before these are looked at, for milliseconds; a page has fewer


def settle_heap() -> None:
    """Take what is there by now, modules above all, out of the collector's sight.

    A look at all of it takes a tenth of a second, and finds nothing. What an earlier call took
    away is looked at once more, so that nothing is kept for ever that has gone meanwhile.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
