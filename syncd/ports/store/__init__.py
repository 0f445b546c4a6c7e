"""The store, stacked from one Protocol a topic; a method is a whole transaction."""

from typing import Protocol

from syncd.ports.store.access import Access
from syncd.ports.store.applications import Applications
from syncd.ports.store.census import Census
from syncd.ports.store.channels import Channels
from syncd.ports.store.consents import Consents
from syncd.ports.store.feeds import Feeds
from syncd.ports.store.grants import Grants
from syncd.ports.store.invitations import Invitations
from syncd.ports.store.managed import Managed
from syncd.ports.store.merged import Merged
from syncd.ports.store.profiles import Profiles
from syncd.ports.store.repeats import Repeats
from syncd.ports.store.selections import Selections
from syncd.ports.store.snapshots import Snapshots
from syncd.ports.store.streams import Streams
from syncd.ports.store.subscriptions import Subscriptions
from syncd.ports.store.token_calendars import TokenCalendars
from syncd.ports.store.upkeep import Upkeep


class Store(
    Profiles,
    Census,
    Snapshots,
    Channels,
    Managed,
    Streams,
    Selections,
    Merged,
    Subscriptions,
    Access,
    Applications,
    Invitations,
    Grants,
    TokenCalendars,
    Feeds,
    Repeats,
    Consents,
    Upkeep,
    Protocol,
):
    """Everything that syncd keeps.

    Raises NotFoundError, ConflictError and StaleStateError as the methods say, and TransientError
    when the database cannot be reached or is full.
    """
