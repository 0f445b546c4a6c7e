"""What every topic of the store stands on."""

from syncd.ports.clock import Clock
from syncd.store.appending import Appender
from syncd.store.database import Database


class Topic:
    """One group of the store's methods; each method is one transaction."""

    def __init__(self, database: Database, appender: Appender, clock: Clock) -> None:
        """Keep what the methods need."""
        self._database = database
        self._appender = appender
        self._clock = clock
