"""What every topic of the store stands on."""

from collections.abc import Mapping, Sequence

from syncd.model.calendar import KnownCalendar
from syncd.model.channel import Channel
from syncd.ports.clock import Clock
from syncd.store.appending import Appender
from syncd.store.database import Database
from syncd.store.held import Held


class Topic:
    """One group of the store's methods; each method is one transaction."""

    def __init__(self, database: Database, appender: Appender, clock: Clock) -> None:
        """Keep what the methods need."""
        self._database = database
        self._appender = appender
        self._clock = clock
        self._calendars = Held[Sequence[KnownCalendar]](keep=database.is_sqlite)
        self._channels = Held[Sequence[Channel]](keep=database.is_sqlite)
        self._sealed = Held[Mapping[str, bytes]](keep=database.is_sqlite)
