"""The records of api.md K42, and the documents of accounts and calendars inside them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from syncd.model.activity import ACTIONS, Kind, Record, Type
from syncd.model.brands import brand_of_profile
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.content import Json, changes
from syncd.model.ids import CalendarId, EventId, ProfileId
from syncd.model.profile import Profile, State
from syncd.model.resource import KnownResource
from syncd.model.when import utc

WITH_CONTACTS = frozenset({"google", "graph", "ews", "caldav", "icloud"})
# K30: whether a server has any, or the grant covers them, is known by asking it


def account_document(profile: Profile) -> Json:
    """Return api.md K1's object without ``href`` and ``relink_url``."""
    brand = brand_of_profile(profile)
    return {
        "id": int(profile.id),
        "account": profile.login,
        "service": brand.service,
        "service_name": brand.service_name,
        "active": profile.refused is None,
        "enabled": not profile.paused,
        "admin": False,
        "apis": ["calendar", *(["contact"] if profile.provider in WITH_CONTACTS else [])],
        "effective_scope": f"{brand.service}:normal.calendar",
        "created": utc(profile.created),
        "modified": utc(profile.modified),
        "state": profile.state,
        "state_reason": profile.state_reason,
        "polled_at": None if profile.polled_at is None else utc(profile.polled_at),
        "profile_id": profile.public_name,
        "type": "account",
        "api": "core",
    }


def calendar_document(known: KnownCalendar) -> Json:
    """Return api.md's calendar object without ``href`` and ``raw``."""
    return {
        "id": known.id,
        "account_id": str(known.profile_id),
        "name": known.calendar.name,
        "description": known.calendar.description,
        "location": known.calendar.location,
        "timezone": known.calendar.timezone,
        "type": "calendar",
        "api": "calendar",
    }


def account_record(type_: Type, profile: Profile, at: datetime) -> Record:
    """Return the record of a profile that was added or deleted."""
    return _account(type_, profile, at, None)


def account_update(
    before: Profile, after: Profile, at: datetime, *, initial: bool = False
) -> Record | None:
    """Return the record of a profile's own change, None if nothing that is shown changed."""
    told = changes(account_document(before), account_document(after))
    told.pop("polled_at", None)  # moves with every poll and is news to nobody
    return _account(Type.UPDATE, after, at, told, initial=initial) if told else None


def calendar_record(
    type_: Type, known: KnownCalendar, at: datetime, *, initial: bool = False
) -> Record:
    """Return the record of a calendar that was added or deleted."""
    return _calendar(type_, known, at, None, initial=initial)


def calendar_update(before: KnownCalendar, after: KnownCalendar, at: datetime) -> Record | None:
    """Return the record of a calendar's change, None if nothing that is shown changed."""
    told = changes(calendar_document(before), calendar_document(after))
    return _calendar(Type.UPDATE, after, at, told) if told else None


def kind_of(holds: Holds) -> Kind:
    """Return what the records of a collection's objects are."""
    return Kind.CONTACT if holds is Holds.CONTACTS else Kind.EVENT


def event_record(  # noqa: PLR0913 - the members of a record
    type_: Type,
    event_id: EventId,
    document: bytes,
    at: datetime,
    *,
    profile: ProfileId,
    calendar: CalendarId,
    modified: datetime | None,
    kind: Kind = Kind.EVENT,
    told: Json | None = None,
    initial: bool = False,
) -> Record:
    """Return the record of an event's or contact's change, ``modified`` as its provider says."""
    return Record(
        kind=kind,
        type=type_,
        object_id=event_id,
        body=_body(
            profile,
            type_,
            at,
            modified=modified,
            metadata=orjson.Fragment(document),
            told=told,
            initial=initial,
        ),
        recorded_at=at,
        calendar_id=calendar,
    )


def delete_records(  # noqa: PLR0913 - the members of a record
    resources: Iterable[KnownResource],
    documents: Mapping[EventId, bytes],
    at: datetime,
    *,
    profile: ProfileId,
    calendar: CalendarId,
    kind: Kind = Kind.EVENT,
) -> Iterator[Record]:
    """Yield a delete for each object of the resources: exceptions first, then their series."""
    for resource in resources:
        for slot in sorted(resource.events, reverse=True):
            gone = resource.events[slot].id
            yield event_record(
                *(Type.DELETE, gone, documents[gone], at),
                profile=profile,
                calendar=calendar,
                modified=at,
                kind=kind,
            )


def with_relink_url(body: bytes, profile: Profile | None, url: str | None) -> bytes:
    """Return an account's record with ``metadata.relink_url`` as it is to be read now (K42).

    It is ``url`` in records of the disconnection that still lasts, null in all others, and if
    the profile was removed.
    """
    record = orjson.loads(body)
    account = record["metadata"]
    since = None if profile is None else profile.refused_at
    lasting = (
        account["state"] == State.DISCONNECTED
        and since is not None
        and account["modified"] >= utc(since)
    )
    account["relink_url"] = url if lasting else None
    return orjson.dumps(record)


def encoded(document: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return JSON in UTF-8; what UTF-8 cannot hold (lone surrogates) becomes ``?``."""
    try:
        return orjson.dumps(document)
    except TypeError:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


_recorded_at = lru_cache(maxsize=16)(utc)  # one for all of a page


def _account(
    type_: Type, profile: Profile, at: datetime, told: Json | None, *, initial: bool = False
) -> Record:
    body = _body(
        profile.id,
        type_,
        at,
        modified=profile.modified,
        metadata=account_document(profile),
        told=told,
        initial=initial,
    )
    return Record(
        kind=Kind.ACCOUNT, type=type_, object_id=str(profile.id), body=body, recorded_at=at
    )


def _calendar(
    type_: Type, known: KnownCalendar, at: datetime, told: Json | None, *, initial: bool = False
) -> Record:
    body = _body(
        known.profile_id,
        type_,
        at,
        modified=at if type_ is Type.DELETE else None,  # no provider tells when else
        metadata=calendar_document(known),
        told=told,
        initial=initial,
    )
    return Record(
        kind=Kind.CALENDAR,
        type=type_,
        object_id=known.id,
        body=body,
        recorded_at=at,
        calendar_id=known.id,
    )


def _body(  # noqa: PLR0913 - the members of a record
    account: ProfileId,
    type_: Type,
    at: datetime,
    *,
    modified: datetime | None,
    metadata: Any,  # noqa: ANN401 - JSON, or a fragment of it
    told: Json | None = None,
    initial: bool = False,
) -> bytes:
    record: Json = {
        "account": int(account),
        "action": ACTIONS[type_],
        "ip": None,
        "modified": None if modified is None else utc(modified),
        "type": type_,
        "user_id": None,
        "metadata": metadata,
    }
    if told is not None:
        record["changes"] = told
    if initial:
        record["initial"] = True
    record["recorded_at"] = _recorded_at(at)
    return encoded(record)
