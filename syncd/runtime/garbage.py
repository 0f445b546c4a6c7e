"""Python's collector of reference cycles, set for a process that lives long and allocates much."""

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 50  # the interpreter's own: 700, 10, 10


def settle() -> None:
    """Look no more at what the start left behind, and less often at what comes after it.

    A poll leaves next to no cycles, and still a tenth of its time went into looking for some among
    the modules and tables that live as long as the process.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
