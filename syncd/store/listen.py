"""Telling other processes of what was written, and hearing of it: NOTIFY of PostgreSQL.

A message is a profile's number, or the id of a subscription and the process that changed it.
"""

from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.store.database import Database

_NOTIFY = text("SELECT pg_notify(:channel, :news)")


async def tell(connection: AsyncConnection, channel: str, news: str) -> None:
    """Let everybody who listens know at COMMIT."""
    await connection.execute(_NOTIFY, {"channel": channel, "news": news})


async def heard(database: Database, channel: str, node: str) -> AsyncIterator[ProfileId | str]:
    """Yield profiles as they are recorded for, our own too, and subscriptions that others changed.

    A hint, never data. ``node`` is who we are. Raises TransientError when the connection is lost:
    what was said until the next call is not heard, so a caller that comes back should look at
    everything once.
    """
    async with database.apart() as driver:
        await driver.execute(f'LISTEN "{channel}"')
        async for news in driver.notifies():
            subject, _, teller = news.payload.partition(" ")
            if not teller:
                yield ProfileId(int(subject))
            elif teller != node:
                yield subject
    raise TransientError("the database ended the connection")
