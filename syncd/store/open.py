"""A store for an address."""

from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.ports.clock import Clock
from syncd.store.access import SqlAccess
from syncd.store.address import address, require_folder
from syncd.store.appending import Appender
from syncd.store.applications import SqlApplications
from syncd.store.backlog import SqlBacklog
from syncd.store.census import SqlCensus
from syncd.store.channels import SqlChannels
from syncd.store.consents import SqlConsents
from syncd.store.database import Database
from syncd.store.deliveries import SqlDeliveries
from syncd.store.failures import at_first
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
    Raises MisconfiguredError for an address that names no such database, for options of it that
    are none, for a database or a user that the server does not have, and for a schema of a newer
    syncd, TransientError if the database does not answer.
    """
    where = address(url)
    database = Database(where)
    if database.is_sqlite:
        require_folder(where)
    beats = Beats(state_dir)

    async def work(connection: AsyncConnection) -> AnyRow:
        fresh = await migrate(connection)
        if database.is_sqlite:
            await end_all(connection)
        return await begin(connection, fresh=fresh, kept=beats.read())

    try:
        with at_first():
            started = await database.write(work)
        beats.write(started.installation_id, started.beats)
    except BaseException:
        await database.close()
        raise
    channel = None if database.is_sqlite else f"syncd_{started.installation_id}"
    return SqlStore(database, Appender(channel), clock, beats=beats)
