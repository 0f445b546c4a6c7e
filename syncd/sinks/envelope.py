"""Bodies of pushed messages (api.md N16)."""

from typing import Any

import orjson

from syncd.model.ids import profile_name
from syncd.model.subscription import Format, Subscription
from syncd.model.when import utc
from syncd.ports.sink import Message

LONGEST = 256 << 10
CONTENT_TYPES = {
    Format.STANDARD: "application/json",
    Format.CLOUDEVENTS: "application/cloudevents+json",
}
_IDS = ("id", "account_id", "calendar_id", "type", "api")


def envelope(subscription: Subscription, message: Message) -> bytes:
    """Return a message's body; above 256 KiB the object in it is cut to its ids."""
    body = _body(subscription, message, orjson.Fragment(message.record), truncated=False)
    if len(body) <= LONGEST or not message.record:
        return body
    record = orjson.loads(message.record)
    record["metadata"] = {key: record["metadata"][key] for key in _IDS if key in record["metadata"]}
    record.pop("changes", None)
    return _body(subscription, message, record, truncated=True)


def _body(
    subscription: Subscription,
    message: Message,
    record: Any,  # noqa: ANN401 - JSON, or a fragment of it
    *,
    truncated: bool,
) -> bytes:
    told = dict[str, Any]()
    if message.profile_id is not None:
        told = {
            "profile_id": profile_name(message.profile_id),
            "account_id": str(message.profile_id),
            "cursor": message.cursor,
            "record": record,
        }
    if truncated:
        told["truncated"] = True
    if subscription.format is not Format.CLOUDEVENTS:
        whole = {"type": message.word, "timestamp": utc(message.at), "data": told}
        return orjson.dumps(whole)
    source = "/" if message.profile_id is None else f"/accounts/{message.profile_id}"
    subject = {"subject": message.object_id} if message.object_id else {}
    word = message.word if message.word.startswith("syncd.") else f"syncd.{message.word}"
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": message.id,
            "source": source,
            "type": word,
            **subject,
            "time": utc(message.at),
            "datacontenttype": "application/json",
            "data": told,
        }
    )
