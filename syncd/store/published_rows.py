"""What we publish: row ⇄ value."""

import orjson

from syncd.model.access import SpentSecret
from syncd.model.ids import CalendarId
from syncd.model.published import Detail, Feed, Label, Noticed, SecretPath, TokenCalendar, Watch
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.rows import AnyRow, Values, instant_of, stamp


def spent_of(row: AnyRow) -> SpentSecret:
    """Return the secret of a row that was spent."""
    return SpentSecret(
        token_id=row.token_id,
        digest=row.digest,
        nonce=row.nonce,
        spent_at=from_milliseconds(row.spent_at),
    )


def token_calendar_values(calendar: TokenCalendar) -> Values:
    """Return a token calendar's columns, all but what was noticed."""
    return {
        "token_calendar_id": calendar.id,
        "user_id": calendar.user_id,
        "name": calendar.name,
        "description": calendar.description,
        "labels": orjson.dumps(calendar.labels),
        "path_digest": calendar.path.digest,
        "path_sealed": calendar.path.sealed,
        "created_at": milliseconds(calendar.created),
    }


def token_calendar_of(row: AnyRow) -> TokenCalendar:
    """Return the token calendar of a row with all columns."""
    return TokenCalendar(
        id=row.token_calendar_id,
        user_id=row.user_id,
        name=row.name,
        description=row.description,
        labels=tuple(orjson.loads(row.labels)),
        path=SecretPath(digest=row.path_digest, sealed=row.path_sealed),
        created=from_milliseconds(row.created_at),
        noticed=_noticed_of(row),
    )


def watch_values(watch: Watch) -> Values:
    """Return a watch's columns."""
    return {
        "token_calendar_id": watch.calendar_id,
        "token_id": watch.token_id,
        "since_at": milliseconds(watch.since),
        "removal_digest": watch.removal,
        "recreation_digest": watch.recreation,
        "comment": watch.comment,
    }


def watch_of(row: AnyRow) -> Watch:
    """Return the watch of a row with all columns."""
    return Watch(
        calendar_id=row.token_calendar_id,
        token_id=row.token_id,
        since=from_milliseconds(row.since_at),
        removal=row.removal_digest,
        recreation=row.recreation_digest,
        comment=row.comment,
    )


def label_values(label: Label) -> Values:
    """Return a label's columns."""
    return {
        "label_id": label.id,
        "user_id": label.user_id,
        "name": label.name,
        "color": label.color,
    }


def label_of(row: AnyRow) -> Label:
    """Return the label of a row."""
    return Label(id=row.label_id, user_id=row.user_id, name=row.name, color=row.color)


def feed_values(feed: Feed) -> Values:
    """Return a feed's columns, all but what was noticed."""
    return {
        "feed_id": feed.id,
        "name": feed.name,
        "calendar_ids": orjson.dumps(feed.calendars),
        "detail": feed.detail,
        "path_digest": feed.path.digest,
        "path_sealed": feed.path.sealed,
        "user_id": feed.user_id,
        "profile_id": feed.profile_id,
        "application_id": feed.application_id,
        "created_at": milliseconds(feed.created),
        "revision": feed.revision,
        "expires_at": stamp(feed.expires_at),
    }


def feed_of(row: AnyRow) -> Feed:
    """Return the feed of a row with all columns."""
    return Feed(
        id=row.feed_id,
        name=row.name,
        calendars=tuple(map(CalendarId, orjson.loads(row.calendar_ids))),
        detail=Detail(row.detail),
        path=SecretPath(digest=row.path_digest, sealed=row.path_sealed),
        user_id=row.user_id,
        profile_id=row.profile_id,
        application_id=row.application_id,
        created=from_milliseconds(row.created_at),
        revision=row.revision,
        expires_at=instant_of(row.expires_at),
        noticed=_noticed_of(row),
    )


def _noticed_of(row: AnyRow) -> Noticed | None:
    if row.version is None:
        return None
    return Noticed(version=row.version, since=from_milliseconds(row.noticed_at))
