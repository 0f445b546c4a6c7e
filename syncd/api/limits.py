"""How much one token or address may ask, and how large a request may be (api.md R16, R23)."""

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from syncd.api.parts import Rates
from syncd.api.problems import Problem, ProblemError, seconds
from syncd.model.ids import TokenId
from syncd.ports.clock import Clock

BODY = 1024 * 1024
TARGET = 16 * 1024
HEADERS = 32 * 1024
READ_AT_MOST = {"max_line_size": 4 * TARGET, "max_field_size": HEADERS}
"""For ``AppRunner``: what is longer than our limits, and shorter than these, gets our answer."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # what others send is not looked at (R3)
_REMEMBERED = 10_000  # callers; the one idle longest is forgotten, its bucket is full by then


@dataclass(slots=True)
class Bucket:
    """A token bucket as it was at ``at``."""

    left: float
    at: float


class Gate:
    """Counts requests; refuses with 429 and the time after which one more fits."""

    def __init__(self, rates: Rates, clock: Clock) -> None:
        """Admit by ``rates``."""
        self._rates = rates
        self._clock = clock
        self._buckets = OrderedDict[Hashable, Bucket]()
        self._running = Counter[TokenId]()

    def spend(self, caller: Hashable) -> None:
        """Take one request from a caller's bucket."""
        now = self._clock.monotonic()
        rates = self._rates
        bucket = self._buckets.pop(caller, None) or Bucket(rates.burst, now)
        bucket.left = min(rates.burst, bucket.left + (now - bucket.at) * rates.per_second)
        bucket.at = now
        self._buckets[caller] = bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            raise _too_many("too many requests", (1 - bucket.left) / rates.per_second)
        bucket.left -= 1

    @contextmanager
    def running(self, tokens: Sequence[TokenId]) -> Iterator[None]:
        """Hold a place for each token while its request runs, streams included."""
        if any(self._running[token] >= self._rates.at_once for token in tokens):
            raise _too_many(f"more than {self._rates.at_once} requests at once", 1)
        self._running.update(tokens)
        try:
            yield
        finally:
            self._running.subtract(tokens)
            for token in tokens:
                if not self._running[token]:
                    del self._running[token]


GATE = web.AppKey("gate", Gate)


def check_size(request: web.Request) -> None:
    """Refuse a target line, headers or a declared body beyond the limits."""
    if len(request.raw_path) > TARGET:
        raise _too_large(414, f"the target line may have {TARGET} bytes")
    if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > HEADERS:
        raise _too_large(400, f"the headers may have {HEADERS} bytes")
    if request.method in _WITH_BODY and (request.content_length or 0) > BODY:
        raise _too_large(413, f"the body may have {BODY} bytes")


def too_large_body() -> ProblemError:
    """Return the refusal of a body whose length was not declared."""
    return _too_large(413, f"the body may have {BODY} bytes")


def _too_large(status: int, message: str) -> ProblemError:
    return ProblemError(Problem(status=status, code="too_large", message=message))


def _too_many(message: str, after: float) -> ProblemError:
    return ProblemError(
        Problem(
            status=429,
            code="too_many_requests",
            message=message,
            headers={"Retry-After": seconds(after)},
        )
    )
