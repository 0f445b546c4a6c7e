"""What a subscription has before it in a profile's stream, message by message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from syncd.engine.messages import told_as, word_of
from syncd.engine.shared import SharedReads
from syncd.model.activity import Activity, Kind, Stream
from syncd.model.ids import EventId, Position, ProfileId
from syncd.model.managed import COMMAND_LINE
from syncd.model.subscription import CHANGE, NEWS, Subscription
from syncd.ports.store import Store

_PAGE = 100  # records a read
_MOST_PAGES = 100  # that one message may tell of
_SHARED = frozenset({NEWS, CHANGE})  # types of messages that tell of many records


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Records that one message tells of, from ``first`` up to ``end``."""

    first: Activity
    end: Position
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What follows a place; ``end`` is how far was read, ``more`` that there is more behind it.

    ``lost``: retention has cut off what followed.
    """

    stream: Stream
    runs: Sequence[Run]
    end: Position
    more: bool
    lost: bool = False


async def ahead(
    store: Store,
    subscription: Subscription,
    profile: ProfileId,
    at: Position,
    *,
    shared: SharedReads | None = None,
) -> Ahead:
    """Return the messages that follow a place; those that tell of many records, for many pages.

    Pages are read by ``shared``, where there are others who want them.
    """
    runs, pages = list[Run](), 0
    read, wanted = (shared or store).read, subscription.wanted
    while True:
        stream, found = await read(profile, after=at, limit=_PAGE, wanted=wanted)
        if at < stream.floor:
            return Ahead(stream=stream, runs=(), end=at, more=False, lost=True)
        for activity in await _meant(store, subscription, found):
            run = Run(
                first=activity,
                end=activity.position,
                word=told_as(subscription.format, activity),
            )
            if runs and run.word in _SHARED and runs[-1].word == run.word:
                runs[-1] = replace(runs[-1], end=run.end)
            else:
                runs.append(run)
        pages, more = pages + 1, len(found) == _PAGE
        at = found[-1].position if more else stream.head
        alone = any(run.word not in _SHARED for run in runs)
        if not more or alone or pages == _MOST_PAGES:
            return Ahead(stream=stream, runs=runs, end=at, more=more)


async def _meant(
    store: Store, subscription: Subscription, found: Sequence[Activity]
) -> Sequence[Activity]:
    """Return the activities that the subscription wants; its filter has let too many through."""
    wanted = [one for one in found if subscription.wants(word_of(one))]
    if not subscription.only_managed or not wanted:
        return wanted
    events = {EventId(one.object_id) for one in wanted if one.kind is Kind.EVENT}
    managed = await store.own_ids(subscription.client or COMMAND_LINE, events)
    return [one for one in wanted if one.kind is Kind.ACCOUNT or EventId(one.object_id) in managed]
