"""Answers that every poll asks for, kept until this process writes something else.

Only where this process is the only writer (SQLite, design decision 9): elsewhere another node may
have written meanwhile, and nothing is kept.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 20_000  # answers; some kilobytes each


class Held(Generic[T]):
    """Answers by key, the oldest forgotten first."""

    def __init__(self, *, keep: bool) -> None:
        """Hold nothing yet, and never anything unless ``keep``."""
        self._keep = keep
        self._answers = dict[Hashable, T]()
        self._writes = 0

    async def read(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return what is held, else what ``fetch`` finds."""
        if key in self._answers:
            return self._answers[key]
        before = self._writes
        answer = await fetch()
        if self._keep and self._writes == before:  # else it may be older than what was written
            if len(self._answers) >= MOST:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = answer
        return answer

    @contextmanager
    def rewriting(self, *keys: Hashable) -> Iterator[None]:
        """Forget the keys when the write inside has ended, whatever became of it."""
        try:
            yield
        finally:
            self._writes += 1
            for key in keys:
                self._answers.pop(key, None)
