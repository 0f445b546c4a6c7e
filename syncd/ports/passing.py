"""Requests that a caller words for the provider itself (api.md K29, R20)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from syncd.model.errors import UnsupportedError

LARGEST_ANSWER = 16 * 2**20  # bytes

_SENT: ContextVar[Mapping[str, str]] = ContextVar("sent_along", default=MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A request as the caller worded it; ``uri`` is a path, or an address of the provider."""

    method: str
    uri: str
    body: bytes = b""
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedAnswer:
    """What the provider answered, refusals too; at most ``LARGEST_ANSWER``."""

    status: int
    body: bytes
    content_type: str | None = None


class Passing(Protocol):
    """What an adapter overrides if its provider speaks HTTP to us."""

    async def passed(self, asked: Passed) -> PassedAnswer:
        """Send a request with the profile's credentials, once, and return what comes back.

        Raises InvalidError for an address that is not within the profile's own servers,
        MalformedReplyError for an answer that is too large, TransientError for none.
        """
        raise UnsupportedError("requests cannot be passed through to this provider")


def sent_along() -> Mapping[str, str]:
    """Return the headers that the caller wants its provider to see with this write (R20).

    What an adapter sends by itself wins over them.
    """
    return _SENT.get()


@contextmanager
def sending(headers: Mapping[str, str]) -> Iterator[None]:
    """Have adapters send these headers with what is written inside."""
    before = _SENT.set(headers)
    try:
        yield
    finally:
        _SENT.reset(before)
