"""Contacts and rooms at the Graph fake: folders with a change log, feeds of each (MG18)."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers.graph_feed import Habits
from tests.servers.graph_mailbox import Call, RefusedError
from tests.servers.graph_truth import Json

MAIN = "contacts"  # the folder that no list names
ROOT = "AAMkroot"  # what the folders of the first list say that they are in
Answering = Callable[[Call], tuple[int, object]]
Listing = Callable[[Call, list[Json]], tuple[int, object]]
Linking = Callable[[str, Mapping[str, str]], str]
_REFUSED_OF_FEEDS = {"$select", "$expand", "$filter", "$orderby", "$search", "$top", "$skip"}


@dataclass
class FolderTruth:
    """One folder; whatever is written comes to the end of ``log``."""

    key: str
    name: str
    parent: str = ROOT
    people: dict[str, Json] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def put(self, key: str, display: str | None = None, **members: Any) -> Json:  # noqa: ANN401
        """Write a contact, or change the members given."""
        self.log.append(key)
        stamp = f"2026-11-01T00:{len(self.log) // 60:02}:{len(self.log) % 60:02}.0000000Z"
        held = self.people.get(key) or {**_new(key), "createdDateTime": stamp}
        names = {} if display is None else {"displayName": display, "fileAs": display}
        version = {"@odata.etag": f'W/"{key}{len(self.log)}"', "changeKey": f"{len(self.log)}"}
        item = {**held, **names, **members, **version, "lastModifiedDateTime": stamp}
        self.people[key] = {**item, "parentFolderId": self.key}
        return self.people[key]

    def remove(self, key: str) -> None:
        self.log.append(key)
        del self.people[key]

    def resource(self) -> Json:
        return {"id": self.key, "displayName": self.name, "parentFolderId": self.parent}


def _new(key: str) -> Json:
    """Return a contact as Graph fills it: null and empty, not missing."""
    absent = (
        *("birthday", "displayName", "givenName", "initials", "middleName", "nickName"),
        *("surname", "title", "jobTitle", "companyName", "department", "officeLocation"),
        *("businessHomePage", "mobilePhone", "spouseName", "personalNotes", "fileAs"),
    )
    empty = ("emailAddresses", "homePhones", "businessPhones", "children", "categories")
    return {
        "id": key,
        **dict.fromkeys(absent),
        **{name: [] for name in empty},
        **{name: {} for name in ("homeAddress", "businessAddress", "otherAddress")},
    }


class ContactCalls:
    """What is asked about contacts and rooms; each answer is a status and a body.

    ``consumer`` mailboxes answer 400 or an empty 401 to what only tenants have.
    """

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.folders = {MAIN: FolderTruth(MAIN, "Contacts")}
        self.rooms: list[Json] = []
        self.granted = True  # Contacts.Read
        self.places = True  # Place.Read.All
        self.consumer: int | None = None
        self.generation = 1  # of links: an older one is gone
        self.page_size = 200
        self._pages: dict[str, tuple[list[Json], str]] = {}

    @property
    def main(self) -> FolderTruth:
        return self.folders[MAIN]

    def add_folder(self, name: str, parent: FolderTruth | None = None) -> FolderTruth:
        """Add a folder below the main one, or inside of another."""
        below = ROOT if parent is None else parent.key
        made = FolderTruth(f"AAMkf{len(self.folders)}_-=", name, below)
        self.folders[made.key] = made
        return made

    def add_room(self, name: str, **members: object) -> Json:
        made: Json = {
            "@odata.type": "#microsoft.graph.room",
            "id": f"room-{name}",
            "displayName": name.title(),
            "emailAddress": f"{name}@example.org",
            "capacity": 8,
            "bookingType": "standard",
            "building": "1",
            "tags": ["light"],
            **members,
        }
        self.rooms.append(made)
        return made

    def expire(self) -> None:
        self.generation += 1

    def admit(self, call: Call) -> None:
        """Raise RefusedError for what this mailbox may not be asked, or does not have."""
        if call.path.startswith("/places/"):
            if self.consumer is not None:
                raise RefusedError(self.consumer, "" if self.consumer == 401 else "UnknownError")
            if not self.places:
                raise RefusedError(403, "ErrorAccessDenied")
        contacts = call.path.startswith(("/me/contacts", "/me/contactFolders"))
        if contacts and not self.granted:
            raise RefusedError(403, "ErrorAccessDenied")

    def routes(self, listed: Listing, link: Linking) -> Iterator[tuple[str, str, Answering]]:
        """Yield what is answered here; lists and links are the mailbox' own."""
        one, below = "[^/]+", "(/me/contacts|/me/contactFolders/[^/]+/contacts)"
        yield "GET", "/me/contactFolders", lambda call: listed(call, self._below(ROOT))
        inside = f"/me/contactFolders/{one}/childFolders"
        yield "GET", inside, lambda call: listed(call, self._below(self._folder(call).key))
        yield "GET", f"{below}/delta", lambda call: (200, self._feed(call, link))
        yield "GET", f"{below}/{one}", lambda call: (200, self._contact(call))
        yield "GET", "/places/microsoft.graph.room", lambda call: listed(call, self.rooms)

    def _below(self, parent: str) -> list[Json]:
        below = [one for one in self.folders.values() if one.parent == parent]
        return [one.resource() for one in below if one is not self.main]

    def _folder(self, call: Call) -> FolderTruth:
        found = self.folders.get(MAIN if call.names[0] == "contacts" else call.names[1])
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound")
        return found

    def _contact(self, call: Call) -> Json:
        found = self._folder(call).people.get(call.names[-1])
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound")
        return found

    def _feed(self, call: Call, link: Linking) -> Json:
        """Return a page of a round: a first one, or what changed since a link."""
        folder, query = self._folder(call), call.query
        if query.keys() & _REFUSED_OF_FEEDS:
            raise RefusedError(400, "ErrorInvalidUrlQuery")
        if "$skiptoken" in query:
            found, place = self._pages[query["$skiptoken"]]
        elif "$deltatoken" in query:
            generation, key, position, former = json.loads(
                base64.urlsafe_b64decode(query["$deltatoken"])
            )
            if (generation, key) != (self.generation, folder.key):
                raise RefusedError(410, "SyncStateNotFound")
            found = self._changed(folder, former if self.habits.replays else position)
            place = self._place(folder, position)
        else:
            found, place = list(folder.people.values()), self._place(folder, 0)
        page: Json = {"value": [self._shown(one) for one in found[: self.page_size]]}
        if found[self.page_size :]:
            skip = f"skip{len(self._pages)}"
            self._pages[skip] = (found[self.page_size :], place)
            page["@odata.nextLink"] = link(call.path, {"$skiptoken": skip})
        else:
            page["@odata.deltaLink"] = link(call.path, {"$deltatoken": place})
        return page

    def _place(self, folder: FolderTruth, former: int) -> str:
        told = json.dumps([self.generation, folder.key, len(folder.log), former])
        return base64.urlsafe_b64encode(told.encode()).decode()

    def _changed(self, folder: FolderTruth, position: int) -> list[Json]:
        keys = list(dict.fromkeys(reversed(folder.log[position:])))
        return [
            folder.people.get(key) or {"id": key, "@removed": {"reason": "deleted"}}
            for key in (keys if self.habits.backwards else reversed(keys))
        ]

    def _shown(self, item: Json) -> Json:
        if not self.habits.partial or "@removed" in item:
            return item
        return {"id": item["id"], "displayName": item["displayName"]}
