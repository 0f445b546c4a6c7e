"""Webhooks and deliveries as they are shown (api.md N14, N18)."""

from datetime import datetime, timedelta

from syncd.model.content import Json
from syncd.model.ids import profile_name
from syncd.model.subscription import Delivery, Subscription, message_id
from syncd.model.when import utc

_MILLISECOND = timedelta(milliseconds=1)


def webhook_document(one: Subscription, behind: int) -> Json:
    """Return N14's object; ``behind`` counts the records that it has not come past."""
    return {
        "id": one.id,
        "url": one.url,
        "format": one.format,
        "types": sorted(one.words),
        "profiles": [profile_name(profile) for profile in sorted(one.profiles)],
        "calendars": sorted(one.calendars),
        "description": one.description,
        "enabled": one.enabled,
        "status": one.status,
        "status_reason": one.reason,
        "created": utc(one.created),
        "last_delivery_at": _instant(one.delivered_at),
        "next_attempt_at": _instant(one.retry_at) if one.enabled else None,
        "behind": behind,
    }


def delivery_document(one: Delivery) -> Json:
    """Return N18's object."""
    return {
        "id": one.id,
        "webhook_id": one.subscription_id,
        "profile_id": profile_name(one.profile_id),
        "record_id": one.record_id,
        "message_id": message_id(one.subscription_id, one.profile_id, one.record_id),
        "attempt": one.attempt,
        "at": utc(one.at),
        "status": one.outcome,
        "response_code": one.code,
        "duration_ms": None if one.duration is None else one.duration // _MILLISECOND,
        "error": one.error,
        "next_attempt_at": _instant(one.next_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else utc(at)
