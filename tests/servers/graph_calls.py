"""What each request does at the Graph fake; ``graph.py`` judges it and the answer."""

import re
from collections.abc import Mapping
from datetime import datetime, time
from itertools import count
from typing import Any
from urllib.parse import quote

from tests.servers.graph_call import Answering, Call, RefusedError
from tests.servers.graph_contacts import ContactCalls
from tests.servers.graph_dates import moment, zone_of
from tests.servers.graph_feed import LONGEST, Habits, Place, changed, everything, instant, shown
from tests.servers.graph_truth import (
    EXTENSION,
    NEVER,
    OWNER,
    CalendarTruth,
    Json,
    meets,
    occurrence_id,
)

_PAGE = 10  # entries of a list that asks for no number (MG3)
_REFUSED_OF_FEEDS = {"$select", "$expand", "$filter", "$orderby", "$search", "$top", "$skip"}
_EXPANDED = f"extensions($filter=id eq '{EXTENSION}')"
_LONG_NAME = f"Microsoft.OutlookServices.OpenTypeExtension.{EXTENSION}"
_ANSWERS = {
    "accept": "accepted",
    "decline": "declined",
    "tentativelyAccept": "tentativelyAccepted",
}


class GraphCalls:
    """The mailbox and its calls."""

    url: str

    def __init__(self) -> None:
        self.calendars: dict[str, CalendarTruth] = {}
        self.categories: dict[str, str] = {}  # name → preset
        self.person: Json = {
            "id": "5f1c0f5a-0000-4000-8000-0a1b2c3d4e5f",
            "displayName": "Ada",
            "mail": OWNER,
            "userPrincipalName": OWNER,
        }
        self.habits = Habits()
        self.contacts = ContactCalls(self.habits)
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

    def perform(self, call: Call) -> tuple[int, object]:
        """Do what is asked; raises RefusedError."""
        self.contacts.admit(call)
        for method, shape, answer in self._routes():
            if call.method == method and re.fullmatch(shape, call.path):
                return answer(call)
        raise AssertionError(f"the fake does not know {call.method} {call.path}")

    def _routes(self) -> tuple[tuple[str, str, Answering], ...]:
        one = "[^/]+"
        return (
            ("GET", "/me", lambda call: (200, self._me(call))),
            ("GET", "/me/outlook/masterCategories", self._categories),
            ("GET", "/me/calendars", self._list_calendars),
            ("POST", "/me/calendars", self._create_calendar),
            ("GET", f"/me/calendars/{one}", lambda call: (200, self._truth(call).resource())),
            ("PATCH", f"/me/calendars/{one}", self._update_calendar),
            ("DELETE", f"/me/calendars/{one}", self._delete_calendar),
            ("GET", f"/me/calendars/{one}/events", self._list),
            ("POST", f"/me/calendars/{one}/events", self._create),
            ("GET", f"/me/calendars/{one}/events/{one}", self._get),
            ("GET", f"/me/calendars/{one}/calendarView/delta", self._feed),
            ("GET", f"/me/events/{one}", self._get),
            ("PATCH", f"/me/events/{one}", self._update),
            ("DELETE", f"/me/events/{one}", self._delete),
            ("GET", f"/me/events/{one}/instances", self._instances),
            ("POST", f"/me/events/{one}/extensions", self._extend),
            ("PATCH", f"/me/events/{one}/extensions/{one}", self._change_extension),
            ("DELETE", f"/me/events/{one}/extensions/{one}", self._drop_extension),
            ("POST", f"/me/events/{one}/(accept|decline|tentativelyAccept)", self._respond),
            *self.contacts.routes(self._listed, self._link),
        )

    def _me(self, call: Call) -> Json:
        wanted = call.query.get("$select", ",".join(self.person)).split(",")
        return {name: self.person[name] for name in wanted}

    def _categories(self, call: Call) -> tuple[int, object]:
        told = [
            {"id": f"c{number}", "displayName": name, "color": preset}
            for number, (name, preset) in enumerate(self.categories.items())
        ]
        return self._listed(call, told)

    def _truth(self, call: Call) -> CalendarTruth:
        found = self.calendars.get(call.names[1])
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound")
        return found

    def _list_calendars(self, call: Call) -> tuple[int, object]:
        return self._listed(call, [one.resource() for one in self.calendars.values()])

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

    def _create_calendar(self, call: Call) -> tuple[int, object]:
        if call.body["name"] in {one.members["name"] for one in self.calendars.values()}:
            raise RefusedError(409, "ErrorFolderExists")
        made = self.add_calendar(call.body["name"])
        made.members |= call.body
        return 201, made.resource()

    def _update_calendar(self, call: Call) -> tuple[int, object]:
        truth = self._truth(call)
        truth.members |= call.body
        return 200, truth.resource()

    def _delete_calendar(self, call: Call) -> tuple[int, object]:
        truth = self._truth(call)
        if not truth.members["isRemovable"]:
            raise RefusedError(400, "ErrorDeleteDistinguishedFolder")
        del self.calendars[truth.key]
        return 204, None

    def _list(self, call: Call) -> tuple[int, object]:
        """List single events and series, without exceptions (MG6)."""
        truth = self._truth(call)
        whole = [
            one
            for key, one in truth.events.items()
            if one["type"] != "exception" and key not in self.unlisted
        ]
        return self._listed(call, [self._shown(one, call) for one in whole])

    def _shown(self, item: Json, call: Call) -> Json:
        told = shown(item, self.habits)
        if "$expand" in call.query:
            if call.query["$expand"] != _EXPANDED:
                self.complaints.append(f"this fake expands {_EXPANDED} only")
            if item.get("extensions"):
                told["extensions"] = item["extensions"]
        return told

    def _feed(self, call: Call) -> tuple[int, object]:
        truth = self._truth(call)
        if wrong := call.query.keys() & _REFUSED_OF_FEEDS:
            self.complaints.append(f"a change feed takes no {wrong} (MG2)")
        sizes = re.findall(r"odata\.maxpagesize=(\d+)", call.headers.get("Prefer", ""))
        if sizes != ["200"]:
            self.complaints.append("a change feed was asked for without odata.maxpagesize (MG3)")
        entries, place = self._entries(call, truth)
        size = min(int(sizes[0]) if sizes else _PAGE, self.page_size)
        page, left = entries[:size], entries[size:]
        told: Json = {"value": [shown(one, self.habits, feed=True) for one in page]}
        if left:
            name = f"skip{len(self._pages)}"
            self._pages[name] = (left, place)
            told["@odata.nextLink"] = self._link(call.path, {"$skiptoken": name})
        else:
            told["@odata.deltaLink"] = self._link(call.path, {"$deltatoken": place.text()})
        return 200, told

    def _entries(self, call: Call, truth: CalendarTruth) -> tuple[list[Json], Place]:
        query = call.query
        if "$skiptoken" in query:
            left, place = self._pages[query["$skiptoken"]]
            self._check(place, truth)
            return left, place
        if "$deltatoken" in query:
            place = Place.read(query["$deltatoken"])
            self._check(place, truth)
            return changed(truth, place, self.habits), place.now(truth)
        after, before = query["startDateTime"], query["endDateTime"]
        if instant(before) - instant(after) > LONGEST:
            raise RefusedError(400, "ErrorCalendarViewRangeTooBig")
        head = len(truth.log)
        place = Place(self.generation, truth.key, after, before, head, head)
        return everything(truth, place), place

    def _check(self, place: Place, truth: CalendarTruth) -> None:
        if (place.generation, place.calendar) != (self.generation, truth.key):
            raise RefusedError(410, "SyncStateNotFound")

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

    def _get(self, call: Call) -> tuple[int, object]:
        return 200, self._shown(self._find(call)[1], call)

    def _create(self, call: Call) -> tuple[int, object]:
        truth, body = self._truth(call), call.body
        if not truth.members["canEdit"]:
            raise RefusedError(403, "ErrorAccessDenied")
        known = self._transactions.get(body.get("transactionId", ""))
        if known in truth.events:
            return 201, self._shown(truth.events[known], call)
        if {"iCalUId", "id"} & body.keys():
            self.complaints.append("an id of ours is not accepted on create (MG12)")
        key = f"AAkALg{next(self._keys)}_-="
        item = self._put(truth, key, body)
        self._transactions[body.get("transactionId", "")] = key
        return 201, self._shown(item, call)

    def _put(self, truth: CalendarTruth, key: str, body: Json) -> Json:
        members = dict(body)
        if "extensions" in members:
            members["extensions"] = [_extension(one) for one in members["extensions"]]
        both = {**(truth.find(key) or {}), **members}
        _check_times(both, members)
        return truth.put(key, **members)

    def _update(self, call: Call) -> tuple[int, object]:
        truth, found = self._current(call)
        if found["type"] in {"occurrence", "exception"}:
            if call.body.get("recurrence"):
                raise RefusedError(400, "ErrorInvalidRequest")
            series, day = _place(found)
            members = {name: one for name, one in call.body.items() if name != "recurrence"}
            return 200, self._shown(truth.put_exception(series, day, **members), call)
        return 200, self._shown(self._put(truth, found["id"], call.body), call)

    def _delete(self, call: Call) -> tuple[int, object]:
        self._remove(*self._current(call))
        return 204, None

    def _remove(self, truth: CalendarTruth, found: Json) -> None:
        if found["type"] in {"occurrence", "exception"}:
            truth.drop(*_place(found))
        else:
            truth.remove(found["id"])

    def _instances(self, call: Call) -> tuple[int, object]:
        truth, found = self._find(call)
        if found["type"] != "seriesMaster":
            raise RefusedError(400, "ErrorInvalidRequest")
        after, before = instant(call.query["startDateTime"]), instant(call.query["endDateTime"])
        if before - after > LONGEST:
            raise RefusedError(400, "ErrorCalendarViewRangeTooBig")
        whole = [
            _selected(self._shown(one, call), call)
            for one in truth.instances(found["id"], after, before)
            if meets(one, after, before)
            and not (self.habits.bare_instances and one["type"] == "exception")
        ]
        return self._listed(call, whole)

    def _respond(self, call: Call) -> tuple[int, object]:
        truth, found = self._find(call)
        if found["isOrganizer"]:
            raise RefusedError(400, "ErrorInvalidRequest")
        if "If-Match" in call.headers:
            self.complaints.append("an answer takes no If-Match (MG13)")
        action = call.names[-1]
        self.responses.append((found["id"], action, call.body.get("sendResponse") is True))
        if action == "decline":
            self._remove(truth, found)
            return 202, None
        status = {"response": _ANSWERS[action], "time": NEVER}
        if found["type"] in {"occurrence", "exception"}:
            truth.put_exception(*_place(found), responseStatus=status)
        else:
            truth.put(found["id"], responseStatus=status)
        return 202, None

    def _extend(self, call: Call) -> tuple[int, object]:
        truth, found = self._current(call)
        if found.get("extensions"):
            raise RefusedError(409, "ErrorItemExists")
        made = _extension(call.body)
        _write_extension(truth, found, [made])
        return 201, made

    def _change_extension(self, call: Call) -> tuple[int, object]:
        truth, found = self._extended(call)
        made = {**found["extensions"][0], **call.body}
        _write_extension(truth, found, [made])
        return 200, made

    def _drop_extension(self, call: Call) -> tuple[int, object]:
        truth, found = self._extended(call)
        _write_extension(truth, found, [])
        return 204, None

    def _extended(self, call: Call) -> tuple[CalendarTruth, Json]:
        truth, found = self._current(call)
        if call.names[-1] not in {EXTENSION, _LONG_NAME} or not found.get("extensions"):
            raise RefusedError(404, "ErrorItemNotFound")
        return truth, found


def _selected(item: Json, call: Call) -> Json:
    """Return what ``$select`` names; id and etag come in any case."""
    if "$select" not in call.query:
        return item
    wanted = {"id", "@odata.etag", *call.query["$select"].split(",")}
    return {name: one for name, one in item.items() if name in wanted}


def _extension(body: Json) -> Json:
    assert body["@odata.type"].lstrip("#") == "microsoft.graph.openTypeExtension"
    assert body["extensionName"] == EXTENSION
    return {**body, "@odata.type": "#microsoft.graph.openTypeExtension", "id": _LONG_NAME}


def _write_extension(truth: CalendarTruth, found: Json, extensions: list[Json]) -> None:
    if found["type"] in {"occurrence", "exception"}:
        truth.put_exception(*_place(found), extensions=extensions)
    else:
        truth.put(found["id"], extensions=extensions)


def _place(found: Json) -> tuple[str, Any]:
    """Return the series and the day of an occurrence or exception."""
    series, _, text = found["id"].rpartition("@")
    day = datetime.fromisoformat(text).date()
    assert found["id"] == occurrence_id(series, day)
    return series, day


def _check_times(item: Json, given: Json) -> None:
    """Refuse what Graph would: times that are no midnights, ranges that begin elsewhere."""
    start, end = (datetime.fromisoformat(item[name]["dateTime"]) for name in ("start", "end"))
    if moment(item["end"]) < moment(item["start"]):
        raise RefusedError(400, "ErrorInvalidRequest")
    if item.get("isAllDay") and (start.time(), end.time()) != (time(), time()):
        raise RefusedError(400, "ErrorInvalidRequest")
    if item.get("isAllDay") and end <= start:
        raise RefusedError(400, "ErrorInvalidRequest")
    if given.get("recurrence") and "start" in given:
        first = given["recurrence"]["range"]["startDate"]
        zone = given["recurrence"]["range"].get("recurrenceTimeZone")
        if first != start.date().isoformat() or zone not in (None, given["start"]["timeZone"]):
            raise RefusedError(400, "ErrorPropertyValidationFailure")
        zone_of({**item, "originalStartTimeZone": given["start"]["timeZone"]})
