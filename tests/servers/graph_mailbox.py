"""The mailbox of the Graph fake, and what its calls have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote, unquote

from tests.servers.graph_feed import Habits, Place, shown
from tests.servers.graph_truth import EXTENSION, OWNER, CalendarTruth, Json

_PAGE = 10  # entries of a list that asks for no number (MG3)
_EXPANDED = f"extensions($filter=id eq '{EXTENSION}')"


class RefusedError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Call:
    """One request, alone or in a batch; ``path`` is quoted, below the API's address."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def names(self) -> list[str]:
        return [unquote(one) for one in self.path.split("/")[2:]]


class Mailbox:
    """One person's calendars; another device edits them directly."""

    url: str

    def __init__(self) -> None:
        self.calendars: dict[str, CalendarTruth] = {}
        self.rooms: dict[str, CalendarTruth] = {}  # the calendars of other mailboxes, by address
        self.shared = True  # Calendars.Read.Shared
        self.hidden: set[str] = set()  # rooms whose free time is not shown
        self.categories: dict[str, str] = {}  # name → preset
        self.person: Json = {
            "id": "5f1c0f5a-0000-4000-8000-0a1b2c3d4e5f",
            "displayName": "Ada",
            "mail": OWNER,
            "userPrincipalName": OWNER,
        }
        self.habits = Habits()
        self.complaints: list[str] = []
        self.generation = 1  # of links: an older one is gone
        self.page_size = 1000
        self.unlisted: set[str] = set()  # events that a listing leaves out, as pages shift
        self.responses: list[tuple[str, str, bool]] = []  # event, answer, tells the organizer
        self._keys = count(1)
        self._pages: dict[str, tuple[list[Json], Place]] = {}
        self._transactions: dict[str, str] = {}

    def add_calendar(self, name: str, *, primary: bool = False) -> CalendarTruth:
        made = CalendarTruth(f"AAMkc{len(self.calendars)}_-=", name, primary=primary)
        self.calendars[made.key] = made
        return made

    @property
    def work(self) -> CalendarTruth:
        return next(iter(self.calendars.values()))

    def expire(self) -> None:
        self.generation += 1

    def _truth(self, call: Call) -> CalendarTruth:
        found = self.calendars.get(call.names[1])
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound")
        return found

    def _listed(self, call: Call, whole: list[Json]) -> tuple[int, object]:
        size = min(int(call.query.get("$top", _PAGE)), self.page_size)
        begin = int(call.query.get("$skip", "0"))
        page: Json = {"value": whole[begin : begin + size]}
        if begin + size < len(whole):
            query = {**call.query, "$skip": str(begin + size)}
            page["@odata.nextLink"] = self._link(call.path, query)
        return 200, page

    def _link(self, path: str, query: Mapping[str, str]) -> str:
        pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return f"{self.url}{path}?{pairs}"

    def _shown(self, item: Json, call: Call) -> Json:
        told = shown(item, self.habits)
        if "$expand" in call.query:
            if call.query["$expand"] != _EXPANDED:
                self.complaints.append(f"this fake expands {_EXPANDED} only")
            if item.get("extensions"):
                told["extensions"] = item["extensions"]
        return told

    def _find(self, call: Call) -> tuple[CalendarTruth, Json]:
        """Return an event and where it is; below a calendar only what is in there."""
        inside = call.names[0] == "calendars"
        key = call.names[3 if inside else 1]
        for truth in [self._truth(call)] if inside else self.calendars.values():
            found = truth.find(key)
            if found is not None:
                return truth, found
        raise RefusedError(404, "ErrorItemNotFound")

    def _current(self, call: Call) -> tuple[CalendarTruth, Json]:
        truth, found = self._find(call)
        if not truth.members["canEdit"]:
            raise RefusedError(403, "ErrorAccessDenied")
        etag = found["@odata.etag"]
        if call.headers.get("If-Match", etag) != etag:
            raise RefusedError(412, "ErrorIrresolvableConflict")
        return truth, found
