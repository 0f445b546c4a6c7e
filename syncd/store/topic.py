"""What every topic of the store stands on."""

import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.calendar import KnownCalendar
from syncd.model.channel import Channel
from syncd.ports.clock import Clock
from syncd.store.appending import Appender
from syncd.store.database import Database
from syncd.store.held import Held
from syncd.store.listen import tell


class Topic:
    """One group of the store's methods; each method is one transaction."""

    def __init__(self, database: Database, appender: Appender, clock: Clock) -> None:
        """Keep what the methods need."""
        self._database = database
        self._appender = appender
        self._clock = clock
        self._node = secrets.token_hex(8)  # this process, to others on the database
        self._calendars = Held[Sequence[KnownCalendar]](keep=database.is_sqlite)
        self._channels = Held[Sequence[Channel]](keep=database.is_sqlite)
        self._sealed = Held[Mapping[str, bytes]](keep=database.is_sqlite)

    async def _tell_changed(self, connection: AsyncConnection, subscription: str) -> None:
        """Let the process that pushes know at COMMIT that a subscription was changed here."""
        if self._appender.channel is not None:
            await tell(connection, self._appender.channel, f"{subscription} {self._node}")
