"""Which folders of contacts a mailbox has, and that it refused to tell them (ADR 30)."""

from collections.abc import Sequence
from datetime import timedelta

from syncd.model.calendar import Calendar
from syncd.model.errors import ForbiddenError
from syncd.ports.clock import Clock
from syncd.providers.graph.client import GraphClient
from syncd.providers.graph.contacts import folders

ASKED_AGAIN = timedelta(days=1)  # whether a grant covers contacts meanwhile


class Shelf:
    """The folders of one mailbox under one grant; lives as long as the process."""

    def __init__(self, clock: Clock) -> None:
        """Ask at once."""
        self._clock = clock
        self._refused: str = ""
        self._until = 0.0

    async def folders(self, client: GraphClient) -> Sequence[Calendar]:
        """Return every folder; raises ForbiddenError without asking for a day after one."""
        now = self._clock.monotonic()
        if self._refused and now < self._until:
            raise ForbiddenError(self._refused)
        try:
            found = await folders(client)
        except ForbiddenError as error:
            self._refused = str(error)
            self._until = now + ASKED_AGAIN.total_seconds()
            raise
        self._refused = ""
        return found
