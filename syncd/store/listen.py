"""Hearing of what other processes recorded: LISTEN/NOTIFY of PostgreSQL."""

from collections.abc import AsyncIterator

from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.store.database import Database


async def heard(database: Database, channel: str) -> AsyncIterator[ProfileId]:
    """Yield profiles as they are recorded for, our own too; a hint, never data.

    Raises TransientError when the connection is lost: what was said until the next call is not
    heard, so a caller that comes back should look at everything once.
    """
    async with database.apart() as driver:
        await driver.execute(f'LISTEN "{channel}"')
        async for news in driver.notifies():
            yield ProfileId(int(news.payload))
    raise TransientError("the database ended the connection")
