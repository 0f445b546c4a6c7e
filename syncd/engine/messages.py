"""Records as messages to a subscription (api.md N16)."""

from datetime import datetime
from functools import lru_cache

import orjson

from syncd.model.activity import Activity, Kind, Stream, Type
from syncd.model.ids import Cursor, short
from syncd.model.profile import State
from syncd.model.subscription import CHANGE, NEWS, TEST, Format, Subscription, Word, message_id
from syncd.ports.sink import Message

_WORDS = {
    (kind, type_): Word(f"{kind}.{type_}")
    for kind in Kind
    if kind is not Kind.ACCOUNT
    for type_ in Type
}
_MOST_HEADS = 128  # a page, and a little of the next one
_ENDS = {Type.ADD: Word.PROFILE_CONNECTED, Type.DELETE: Word.PROFILE_REMOVED}


def word_of(activity: Activity) -> Word:
    """Return the type of an activity's message: a profile's tells what became of it."""
    if activity.kind is not Kind.ACCOUNT:
        return _WORDS[activity.kind, activity.type]
    if activity.type in _ENDS:
        return _ENDS[activity.type]
    state = orjson.loads(activity.body).get("changes", {}).get("state")
    if state is None:
        return Word.PROFILE_UPDATED
    if state["new"] == State.DISCONNECTED:
        return Word.PROFILE_DISCONNECTED
    if state["old"] == State.DISCONNECTED:
        return Word.PROFILE_CONNECTED
    return Word.PROFILE_UPDATED


def told_as(form: Format, activity: Activity) -> str:
    """Return the type of the message that tells of an activity in this format."""
    if form is Format.KLOUDLESS:
        return NEWS
    if form is Format.CRONOFY:
        if activity.kind is not Kind.ACCOUNT:
            return CHANGE
        return word_of(activity).replace(".", "_")
    return word_of(activity)


def message_of(
    subscription: Subscription,
    stream: Stream,
    activity: Activity,
    record: bytes,
    *,
    since: datetime | None = None,
) -> Message:
    """Return the message of an activity; ``record`` is its body as it is to be read now.

    ``since`` is the time of what it tells of, if that is more than one record.
    """
    identity, recorded = _head(record)
    cursor = str(Cursor(stream.epoch, activity.position))
    return Message(
        id=message_id(subscription.id, stream.profile_id, identity),
        record_id=identity,
        word=told_as(subscription.format, activity),
        at=since or recorded,
        profile_id=stream.profile_id,
        cursor=cursor,
        object_id=activity.object_id,
        record=record[:-1] + b',"cursor":"%b"}' % cursor.encode(),
    )


@lru_cache(maxsize=_MOST_HEADS)
def _head(record: bytes) -> tuple[str, datetime]:
    """Return a record's id and time; many webhooks are sent the same one at about the same time."""
    told = orjson.loads(record)
    return told["id"], datetime.fromisoformat(told["recorded_at"])


def trial_message(subscription: Subscription, now: datetime) -> Message:
    """Return a message that tells of nothing."""
    identity = f"msg_{short(subscription.id, 'test', now.isoformat(), length=26)}"
    return Message(id=identity, word=TEST, at=now)
