"""How many requests are out at once: in all, to a host, and to what failed last (F37)."""

import asyncio
from collections import deque

AT_ONCE = 64
FAILING_AT_ONCE = 16  # of these: endpoints that hang must not take them all
A_HOST = 4


class Places:
    """Lends places; who waits at a host, or for its own last request, takes none of the others'."""

    def __init__(self) -> None:
        """Begin with all free."""
        self._well = _Gate(AT_ONCE - FAILING_AT_ONCE)
        self._failing = _Gate(FAILING_AT_ONCE)
        self._named = dict[tuple[str, str], _Gate]()  # as long as somebody is inside, or waits

    def one(self, subscription: str, host: str, *, failing: bool) -> "Place":
        """Return a place to enter (``async with``) once the subscription has none.

        That waits for a place at its host, then for one of all.
        """
        return Place(self._named, subscription, host, self._failing if failing else self._well)

    @property
    def idle(self) -> bool:
        """Tell whether nobody has a place, nor waits for one."""
        return not self._named and self._well.idle and self._failing.idle


class Place:
    """What a request has while it is out."""

    def __init__(
        self, named: dict[tuple[str, str], "_Gate"], subscription: str, host: str, of_all: "_Gate"
    ) -> None:
        """Pass the subscription's gate, then its host's, then the one of all."""
        self._named = named
        self._names = ((("subscription", subscription), 1), (("host", host), A_HOST))
        self._of_all = of_all
        self._passed = 0

    async def __aenter__(self) -> None:
        """Wait; a caller that is cancelled has taken nothing."""
        try:
            for name, at_once in self._names:
                gate = self._named.get(name)
                if gate is None:
                    gate = self._named[name] = _Gate(at_once)
                if not gate.open():
                    await gate.wait()
                self._passed += 1
            if not self._of_all.open():
                await self._of_all.wait()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Give it back."""
        self._of_all.leave()
        self._leave()

    def _leave(self) -> None:
        for number, (name, _) in enumerate(self._names):
            gate = self._named.get(name)
            if gate is None:
                continue
            if number < self._passed:
                gate.leave()
            if gate.idle:
                del self._named[name]


class _Gate:
    """Lets so many through at once, in their order.

    ``asyncio.Semaphore`` does the same for several times the price, and each delivery passes three.
    """

    __slots__ = ("_at_once", "_free", "_line")

    def __init__(self, at_once: int) -> None:
        self._at_once = self._free = at_once
        self._line: deque[asyncio.Future[None]] | None = None  # most never have one

    @property
    def idle(self) -> bool:
        return self._free == self._at_once

    def open(self) -> bool:
        """Go through, if that is possible now."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def wait(self) -> None:
        """Go through when somebody has left."""
        turn = asyncio.get_running_loop().create_future()
        if self._line is None:
            self._line = deque()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave()  # it was our turn already
            raise

    def leave(self) -> None:
        """Let the next one through: nobody who comes only now is before it."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():  # else whoever waited was cancelled
                turn.set_result(None)
                return
        self._free += 1
