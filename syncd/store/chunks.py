"""Long lists of keys, cut to what one statement may fetch (S5)."""

from collections.abc import Collection, Iterator
from typing import TypeVar

T = TypeVar("T")

PAGE = 1000  # rows of one fetch


def chunks(keys: Collection[T], size: int = 500) -> Iterator[list[T]]:
    """Yield every key once, at most ``size`` together."""
    unique = list(dict.fromkeys(keys))
    for start in range(0, len(unique), size):
        yield unique[start : start + size]
