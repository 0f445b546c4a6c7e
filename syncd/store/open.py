"""A store for an address."""

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import MisconfiguredError
from syncd.ports.clock import Clock
from syncd.store.access import SqlAccess
from syncd.store.appending import Appender
from syncd.store.applications import SqlApplications
from syncd.store.backlog import SqlBacklog
from syncd.store.census import SqlCensus
from syncd.store.channels import SqlChannels
from syncd.store.consents import SqlConsents
from syncd.store.database import Database
from syncd.store.deliveries import SqlDeliveries
from syncd.store.feeds import SqlFeeds
from syncd.store.grants import SqlGrants
from syncd.store.invitations import SqlInvitations
from syncd.store.life import Beats, begin
from syncd.store.managed import SqlManaged
from syncd.store.merged import SqlMerged
from syncd.store.migrate import migrate
from syncd.store.profiles import SqlProfiles
from syncd.store.repeats import SqlRepeats, end_all
from syncd.store.rows import AnyRow
from syncd.store.selections import SqlSelections
from syncd.store.snapshots import SqlSnapshots
from syncd.store.streams import SqlStreams
from syncd.store.subscriptions import SqlSubscriptions
from syncd.store.token_calendars import SqlTokenCalendars
from syncd.store.upkeep import SqlUpkeep

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


class SqlStore(
    SqlProfiles,
    SqlCensus,
    SqlSnapshots,
    SqlChannels,
    SqlManaged,
    SqlStreams,
    SqlSelections,
    SqlMerged,
    SqlSubscriptions,
    SqlDeliveries,
    SqlBacklog,
    SqlAccess,
    SqlApplications,
    SqlInvitations,
    SqlGrants,
    SqlTokenCalendars,
    SqlFeeds,
    SqlRepeats,
    SqlConsents,
    SqlUpkeep,
):
    """``Store`` on SQLite and on PostgreSQL."""


async def open_store(url: str, *, state_dir: Path, clock: Clock) -> SqlStore:
    """Open the store at ``sqlite:///…`` or ``postgresql://…``; a new one is made.

    Older schemas are migrated. A database that came back from a copy gets new epochs (S8).
    Raises MisconfiguredError for an address that names no such database and for a schema of a
    newer syncd, TransientError if the database does not answer.
    """
    database = Database(_address(url))
    beats = Beats(state_dir)

    async def work(connection: AsyncConnection) -> AnyRow:
        fresh = await migrate(connection)
        if database.is_sqlite:
            await end_all(connection)
        return await begin(connection, fresh=fresh, kept=beats.read())

    try:
        started = await database.write(work)
        beats.write(started.installation_id, started.beats)
    except BaseException:
        await database.close()
        raise
    channel = None if database.is_sqlite else f"syncd_{started.installation_id}"
    return SqlStore(database, Appender(channel), clock, beats=beats)


def _address(text: str) -> URL:
    """Return the address with its asynchronous driver."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise MisconfiguredError(f"store.url is no database address: {error}") from error
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise MisconfiguredError("store.url must begin with sqlite:/// or postgresql://")
    if driver == _DRIVERS["sqlite"] and url.database in {None, "", ":memory:"}:
        raise MisconfiguredError("store.url must name a file: sqlite:////path/to/syncd.db")
    if driver == _DRIVERS["postgresql"] and find_spec("psycopg") is None:
        raise MisconfiguredError("PostgreSQL needs its driver: pip install 'syncd[postgres]'")
    return url.set(drivername=driver)
