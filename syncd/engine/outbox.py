"""What a subscription has before it in a profile's stream, message by message."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from syncd.engine.messages import told_as, word_of
from syncd.engine.shared import SharedReads
from syncd.model.activity import Activity, Kind, Stream, Type
from syncd.model.ids import EventId, Position, ProfileId, split_event_id
from syncd.model.managed import CLAIM_LASTS, COMMAND_LINE
from syncd.model.subscription import CHANGE, NEWS, Subscription
from syncd.ports.store import Store

_PAGE = 100  # records a read
_MOST_PAGES = 100  # that one message may tell of
_SHARED = frozenset({NEWS, CHANGE})  # types of messages that tell of many records


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Records that one message tells of, from ``first`` up to ``end``.

    ``since``, of a change (C15): no record of the run is earlier, and none of any profile that was
    recorded since the subscription was last delivered to.
    """

    first: Activity
    end: Position
    word: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What follows a place; ``end`` is how far was read, ``more`` that there is more behind it.

    ``lost``: retention has cut off what followed. ``held``: until then it is not known whether the
    next record is meant, unless somebody says so before.
    """

    stream: Stream
    runs: Sequence[Run]
    end: Position
    more: bool
    lost: bool = False
    held: datetime | None = None


async def ahead(  # noqa: PLR0913 - of whom, where, when
    store: Store,
    subscription: Subscription,
    profile: ProfileId,
    at: Position,
    *,
    now: datetime,
    shared: SharedReads | None = None,
) -> Ahead:
    """Return the messages that follow a place; those that tell of many records, for many pages.

    Pages are read by ``shared``, where there are others who want them.
    """
    runs, pages = list[Run](), 0
    read, wanted = (shared or store).read, subscription.wanted
    while True:
        stream, found, end = await read(profile, after=at, limit=_PAGE, wanted=wanted)
        if at < stream.floor:
            return Ahead(stream=stream, runs=(), end=at, more=False, lost=True)
        meant, doubt = await _meant(store, subscription, found, now)
        for activity in meant:
            run = _alone(subscription, activity)
            if runs and run.word in _SHARED and runs[-1].word == run.word:
                runs[-1] = _joined(runs[-1], run)
            else:
                runs.append(run)
        if doubt is not None:
            before, held = Position(doubt.position - 1), _recorded(doubt) + CLAIM_LASTS
            return Ahead(stream=stream, runs=runs, end=before, more=False, held=held)
        pages, at, more = pages + 1, end, end < stream.head
        alone = any(run.word not in _SHARED for run in runs)
        if not more or alone or pages == _MOST_PAGES:
            return Ahead(stream=stream, runs=runs, end=at, more=more)


def _alone(subscription: Subscription, activity: Activity) -> Run:
    """Return the run of one record."""
    word, since = told_as(subscription.format, activity), None
    if word == CHANGE:
        # times are read before positions are given, so a later record may be an earlier one's
        since = min(_recorded(activity), subscription.delivered_at or subscription.created)
    return Run(first=activity, end=activity.position, word=word, since=since)


def _joined(run: Run, after: Run) -> Run:
    times = [one.since for one in (run, after) if one.since is not None]
    return replace(run, end=after.end, since=min(times, default=None))


async def _meant(
    store: Store, subscription: Subscription, found: Sequence[Activity], now: datetime
) -> tuple[Sequence[Activity], Activity | None]:
    """Return the activities that the subscription wants; its filter has let too many through.

    They end before the first that may still get an own id (C10), which is returned with them.
    """
    wanted = [one for one in found if subscription.wants(word_of(one))]
    if not subscription.only_managed or not wanted:
        return wanted, None
    application, since = subscription.client or COMMAND_LINE, now - CLAIM_LASTS
    # Claims first: an event has its own id before its claim ends, so it is missed by neither look.
    calendars = {one.calendar_id for one in wanted if one.calendar_id and _is_new(one)}
    claimed = await store.claimed(application, calendars, since=since)
    events = {_whole(one) for one in wanted if one.kind is Kind.EVENT}
    managed = await store.own_ids(application, events)
    meant = list[Activity]()
    for one in wanted:
        if one.kind is Kind.ACCOUNT or (one.kind is Kind.EVENT and _whole(one) in managed):
            meant.append(one)
        elif _is_new(one) and one.calendar_id in claimed and _recorded(one) > since:
            return meant, one
    return meant, None


def _is_new(activity: Activity) -> bool:
    return activity.kind is Kind.EVENT and activity.type is Type.ADD


def _whole(activity: Activity) -> EventId:
    return split_event_id(EventId(activity.object_id))[0]


def _recorded(activity: Activity) -> datetime:
    return datetime.fromisoformat(orjson.loads(activity.body)["recorded_at"])
