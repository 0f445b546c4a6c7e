"""The contacts of a Google account: a listing, or what changed since a token (G13)."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from syncd.model.calendar import Calendar, Holds, Mode
from syncd.model.contact import Contact
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import Resource
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.providers.google import paging
from syncd.providers.google.client import GoogleClient, Json
from syncd.providers.google.persons import (
    contact_of,
    former_keys,
    is_deleted,
    key_of,
    stamp_of,
    uid_of,
)
from syncd.providers.google.translate import BROKEN

BOOK = Calendar(key=CalendarKey("people/me"), name="Contacts", read_only=True, holds=Holds.CONTACTS)
_PATH = ("people", "me", "connections")
_FIELDS = (
    *("names", "emailAddresses", "phoneNumbers", "addresses", "organizations", "relations"),
    *("birthdays", "genders", "urls", "metadata"),
)
_PEOPLE = {  # the same on every page, and with a token those of the listing it came from
    "personFields": ",".join(_FIELDS),
    "pageSize": "1000",
    "requestSyncToken": "true",
    "sources": "READ_SOURCE_TYPE_CONTACT",
}
_INLINE = 100  # persons that are read without a thread: some milliseconds (F42)


class ContactReader:
    """Reads the one address book that a Google account has."""

    def __init__(self, client: GoogleClient) -> None:
        """Read through ``client``, which asks People's own host (G14)."""
        self._client = client

    async def everything(self) -> AsyncIterator[Delta]:
        """Yield all contacts page by page; a tombstone is no contact (P3)."""
        last = Json()
        async for page in self._pages(None):
            last = page
            told = await _read(one for one in page["connections"] if not is_deleted(one))
            if "nextPageToken" in page:
                yield told
            else:
                yield replace(told, complete=True, token=_state(last), mode=Mode.TOKEN)

    async def since(self, token: SyncToken, known: Known) -> AsyncIterator[Delta]:
        """Yield what changed as one page: of a person that comes twice the newest counts (P4)."""
        newest, last = dict[ResourceKey, Json](), Json()
        async for page in self._pages(paging.read_state(token, _PEOPLE)):
            last = page
            for person in page["connections"]:
                key = key_of(person)
                newest[key] = _newer(newest.pop(key, None), person)
        gone = {key for key, person in newest.items() if is_deleted(person)}
        living = [person for key, person in newest.items() if key not in gone]
        renamed = await _renamed(living, known)
        told = await _read(living, renamed.uids)
        yield replace(
            told,
            deleted=renamed.left | gone,
            token=_state(last),
            mode=Mode.TOKEN,
            reconcile=renamed.doubtful,
        )

    def _pages(self, sync: str | None) -> AsyncIterator[Json]:
        query = _PEOPLE if sync is None else {**_PEOPLE, "syncToken": sync}
        return paging.pages(self._client, _PATH, query, _check)


def _check(page: Json) -> None:
    """See that a page has ``connections``, which it may lack where it brings a token."""
    if "connections" not in page and not page.keys() & {"nextPageToken", "nextSyncToken"}:
        raise MalformedReplyError("Google answered with neither contacts nor a token")
    people = page.setdefault("connections", [])
    if not isinstance(people, list) or not all(map(_is_person, people)):
        raise MalformedReplyError("Google answered with contacts that are none")


def _is_person(one: object) -> bool:
    if not isinstance(one, dict):
        return False
    name = one.get("resourceName")
    return isinstance(name, str) and bool(name)


def _state(page: Json) -> SyncToken:
    return paging.state_text(page.get("nextSyncToken"), _PEOPLE)


def _newer(before: Json | None, person: Json) -> Json:
    """Return the newer version, the later one where they do not compare."""
    if before is None:
        return person
    was, now = stamp_of(before), stamp_of(person)
    return before if was is not None and now is not None and was > now else person


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renamed:
    """What former names tell (G13).

    ``uids`` are those that persons had under a name that they have ``left``: what has the UID of
    something that goes with the same page keeps its id (P7). ``doubtful`` tells that a person is
    known by its name and by a former one: only a listing shows whether that is gone (I7).
    """

    uids: Mapping[ResourceKey, str]
    left: frozenset[ResourceKey]
    doubtful: bool


async def _renamed(living: Collection[Json], known: Known) -> _Renamed:
    there = {key_of(person) for person in living}
    former = {key_of(person): former_keys(person) - there for person in living}
    former = {key: names for key, names in former.items() if names}
    if not former:
        return _Renamed(uids={}, left=frozenset(), doubtful=False)
    held = await known.bodies(former.keys() | frozenset().union(*former.values()))
    uids, left, doubtful = dict[ResourceKey, str](), set[ResourceKey](), False
    for key, names in former.items():
        before = names & held.keys()
        doubtful = doubtful or (bool(before) and key in held)
        if before and key not in held:
            uids[key] = uid_of(orjson.loads(held[min(before)]))
            left |= before
    return _Renamed(uids=uids, left=frozenset(left), doubtful=doubtful)


async def _read(people: Iterable[Json], renamed: Mapping[ResourceKey, str] | None = None) -> Delta:
    given = list(people)
    if len(given) <= _INLINE:
        return _delta(given, renamed or {})
    return await asyncio.to_thread(_delta, given, renamed or {})


def _delta(people: Iterable[Json], renamed: Mapping[ResourceKey, str]) -> Delta:
    upserts, unread = dict[ResourceKey, Resource](), dict[ResourceKey, str]()
    for person in people:
        key = key_of(person)
        try:
            contact = contact_of(person)
        except BROKEN as error:
            unread[key] = f"contact {key} cannot be read: {error!r}"
            continue
        uid = renamed.get(key, contact.uid)
        upserts[key] = _resource(key, replace(contact, uid=uid), person)
    unread = {key: why for key, why in unread.items() if key not in upserts}
    return Delta(upserts=tuple(upserts.values()), unread=unread)


def _resource(key: ResourceKey, contact: Contact, person: Json) -> Resource:
    etag: Any = person.get("etag")
    return Resource(
        key=key,
        contact=contact,
        etag=etag if isinstance(etag, str) else "",
        raw=orjson.dumps(person),
    )
