"""Google's People API as its document describes it: contacts with a change log and tokens (G13)."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.servers.discovery import Json, people_api
from tests.servers.google_faults import RefusedError, error_info
from tests.servers.google_host import Host
from tests.servers.google_people_rules import PeopleRules
from tests.servers.tokens import TokenServer

LASTS = timedelta(days=7)  # a sync token, from the full read on
_births = count(1)
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
_SOURCES = "READ_SOURCE_TYPE_CONTACT"
_FIELDS = frozenset({
    *("addresses", "ageRanges", "biographies", "birthdays", "calendarUrls", "clientData"),
    *("coverPhotos", "emailAddresses", "events", "externalIds", "genders", "imClients"),
    *("interests", "locales", "locations", "memberships", "metadata", "miscKeywords", "names"),
    *("nicknames", "occupations", "organizations", "phoneNumbers", "photos", "relations"),
    *("sipAddresses", "skills", "urls", "userDefined"),
})  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What a sync token says: who gave it, from where on, since when, for which parameters."""

    born: int
    position: int
    full_at: str
    query: str

    def __str__(self) -> str:
        told = json.dumps([self.born, self.position, self.full_at, self.query])
        return base64.b64encode(b"\xfb\xff\xfe" + told.encode()).decode()  # with + / and =

    @classmethod
    def parse(cls, text: str) -> "Place":
        return cls(*json.loads(base64.b64decode(text, validate=True)[3:]))


class PeopleServer(Host):
    """The contacts of one person; another device edits them by ``put``, ``rename``, ``delete``.

    ``hidden`` changes are not yet told to sync requests, as Google takes minutes for that.
    """

    base = "/v1"
    path = "/people/me/connections"

    def __init__(self, tokens: TokenServer, complaints: list[str]) -> None:
        super().__init__(people_api(), tokens, complaints)
        self.people: dict[str, Json] = {}
        self.log: list[str] = []
        self.former: dict[str, list[str]] = {}
        self.now = BEGIN
        self.hidden = 0
        self.born = next(_births)
        self.rules = PeopleRules()

    def put(self, name: str, display: str | None = None, **fields: Any) -> Json:  # noqa: ANN401
        """Write a contact, or change the fields given."""
        self.log.append(name)
        plain: Json = {"resourceName": f"people/{name}"}
        person = {**self.people.get(name, plain), **fields}
        if display is not None:
            given, _, family = display.partition(" ")
            told = {"displayName": display, "givenName": given}
            person["names"] = [field({**told, "familyName": family} if family else told)]
        held = self.people.get(name, {}).get("metadata", {}).get("sources", [{}])[0]
        source = {"type": "CONTACT", "id": held.get("id", f"{name}5f"), "updateTime": self.stamp()}
        person["metadata"] = {"sources": [source], "objectType": "PERSON"}
        person["etag"] = f"%{name}{len(self.log)}"
        self.people[name] = person
        return person

    def delete(self, name: str) -> None:
        self.log.append(name)
        del self.people[name]

    def rename(
        self, before: str, after: str, *, source: str | None = None, tombstone: bool = False
    ) -> None:
        """Give a contact another resource name, as linking it to a profile does.

        ``source`` is a new id of what it is made of; as a rule that stays.
        """
        person = self.people.pop(before)
        self.log += [before] if tombstone else []
        self.former[after] = [*self.former.get(before, []), before]
        self.people[after] = {**person, "resourceName": f"people/{after}"}
        if source is not None:
            self.people[after]["metadata"]["sources"][0]["id"] = source
        self.put(after)

    def stamp(self) -> str:
        return f"{self.now + timedelta(seconds=len(self.log)):%Y-%m-%dT%H:%M:%S.%fZ}"

    def expire(self) -> None:
        """Let every token be too old."""
        self.now += LASTS + timedelta(seconds=1)

    async def listed(self, query: dict[str, str]) -> Json:
        self._check(query)
        size = int(query.get("pageSize", "100") or "100")
        if not 1 <= size <= 1000:
            raise RefusedError.by(error_info(400, "INVALID_ARGUMENT", "badPageSize"))
        plain = {key: one for key, one in query.items() if key not in {"pageToken", "syncToken"}}
        place = self._place(query, json.dumps(plain, sort_keys=True))
        everything = self._everything() if place is None else self._since(place.position)
        page = self.cut(everything, query, size)
        told: Json = {"connections": page} if page else {}
        if page:
            told |= {"totalItems": len(self.people), "totalPeople": len(self.people)}
        if self.page_token is not None:
            return {**told, "nextPageToken": self.page_token}
        if query.get("requestSyncToken") == "true":
            full = self.now.isoformat() if place is None else place.full_at
            end = len(self.log) - self.hidden
            made = Place(self.born, end, full, json.dumps(plain, sort_keys=True))
            told["nextSyncToken"] = str(made)
        return told

    def further_faults(self, query: dict[str, str], told: Json) -> list[str]:
        return self.rules.faults(query, told, self.now)

    def _check(self, query: dict[str, str]) -> None:
        fields = query.get("personFields", "").split(",")
        if not set(fields) <= _FIELDS:
            raise RefusedError.by(error_info(400, "INVALID_ARGUMENT", "badFieldMask"))
        if query.get("sources") != _SOURCES:
            self.complaints.append("profiles were asked for, not only contacts")

    def _place(self, query: dict[str, str], plain: str) -> Place | None:
        if "syncToken" not in query:
            return None
        try:
            place = Place.parse(query["syncToken"])
        except (ValueError, TypeError):
            raise RefusedError.by(error_info(400, "INVALID_ARGUMENT", "badSyncToken")) from None
        if place.query != plain:
            self.complaints.append(f"parameters differ from those of the full read: {plain}")
            raise RefusedError.by(error_info(400, "INVALID_ARGUMENT", "otherParameters"))
        old = self.now - datetime.fromisoformat(place.full_at) > LASTS
        if old or place.born != self.born:
            words = (
                "Sync token is expired. Clear local cache and retry call without the sync token."
            )
            fault = error_info(400, "FAILED_PRECONDITION", "EXPIRED_SYNC_TOKEN", words)
            raise RefusedError.by(fault)
        return place

    def _everything(self) -> list[Json]:
        """Return a full listing: it knows of neither tombstones nor former names."""
        return list(self.people.values())

    def _since(self, position: int) -> list[Json]:
        end = max(position, len(self.log) - self.hidden)
        names = dict.fromkeys(reversed(self.log[position:end]))
        return [self._changed(name) for name in reversed(names)]

    def _changed(self, name: str) -> Json:
        if name not in self.people:
            gone = {"deleted": True, "sources": [{"type": "CONTACT", "id": f"{name}5f"}]}
            return {"resourceName": f"people/{name}", "etag": "%x", "metadata": gone}
        person = self.people[name]
        former = [f"people/{one}" for one in self.former.get(name, [])]
        metadata = person["metadata"] | ({"previousResourceNames": former} if former else {})
        return {**person, "metadata": metadata}


def field(value: Json, *, primary: bool = True) -> Json:
    """Return an entry of a person's field."""
    return {"metadata": {"primary": primary, "source": {"type": "CONTACT"}}, **value}
