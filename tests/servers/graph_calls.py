"""What each request does at the Graph fake; ``graph.py`` judges it and the answer."""

import re
from collections.abc import Callable
from datetime import timedelta

from tests.servers.graph_contacts import ContactCalls
from tests.servers.graph_dates import moment
from tests.servers.graph_feed import LONGEST, Place, changed, everything, instant, shown
from tests.servers.graph_mailbox import Call, RefusedError
from tests.servers.graph_schedules import LONGEST_SCHEDULE, MOST_SCHEDULES, no_schedule, schedule
from tests.servers.graph_truth import CalendarTruth, Json, meets
from tests.servers.graph_writes import GraphWrites

_FEW = 10  # entries of a feed that asks for no number
_REFUSED_OF_FEEDS = {"$select", "$expand", "$filter", "$orderby", "$search", "$top", "$skip"}
Answering = Callable[[Call], tuple[int, object]]


class GraphCalls(GraphWrites):
    """The calls by method and path."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts = ContactCalls(self.habits)

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
            ("POST", "/me/calendar/getSchedule", self._schedules),
            ("GET", f"/users/{one}/calendar/calendarView", self._view),
            ("GET", f"/users/{one}/calendar/events", self._list_room),
            ("GET", f"/users/{one}/calendar/events/{one}", self._get_of_room),
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

    def _list_calendars(self, call: Call) -> tuple[int, object]:
        return self._listed(call, [one.resource() for one in self.calendars.values()])

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

    def _feed(self, call: Call) -> tuple[int, object]:
        truth = self._truth(call)
        if wrong := call.query.keys() & _REFUSED_OF_FEEDS:
            self.complaints.append(f"a change feed takes no {wrong} (MG2)")
        sizes = re.findall(r"odata\.maxpagesize=(\d+)", call.headers.get("Prefer", ""))
        if sizes != ["200"]:
            self.complaints.append("a change feed was asked for without odata.maxpagesize (MG3)")
        entries, place = self._entries(call, truth)
        size = min(int(sizes[0]) if sizes else _FEW, self.page_size)
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

    def _get(self, call: Call) -> tuple[int, object]:
        return 200, self._shown(self._find(call)[1], call)

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

    def _room(self, call: Call) -> CalendarTruth:
        """Return the calendar of another mailbox, if it is shared with who asks."""
        if not self.shared:
            raise RefusedError(403, "ErrorAccessDenied")
        found = self.rooms.get(call.names[0])
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound")
        return found

    def _view(self, call: Call) -> tuple[int, object]:
        """List single events, and what series come to within a window."""
        truth = self._room(call)
        after, before = (instant(call.query[one]) for one in ("startDateTime", "endDateTime"))
        if before < after:
            raise RefusedError(400, "ErrorInvalidParameter")
        if before - after > LONGEST:
            raise RefusedError(400, "ErrorCalendarViewRangeTooBig")
        found = list[Json]()
        for key, one in truth.events.items():
            if one["type"] == "seriesMaster":
                found += truth.instances(key, after, before)
            elif one["type"] == "singleInstance" and meets(one, after, before):
                found.append(one)
        return self._listed(call, self._ordered(call, found))

    def _schedules(self, call: Call) -> tuple[int, object]:
        after, before = moment(call.body["startTime"]), moment(call.body["endTime"])
        if before - after >= LONGEST_SCHEDULE:
            raise RefusedError(400, "ErrorTimeIntervalTooBig")
        minutes = call.body.get("availabilityViewInterval", 30)
        if len(call.body["schedules"]) > MOST_SCHEDULES or not 5 <= minutes <= 1440:
            raise RefusedError(400, "ErrorInvalidParameter")
        slot = timedelta(minutes=minutes)
        told = list[Json]()
        for name in call.body["schedules"]:
            if name not in self.rooms or name in self.hidden:
                told.append(no_schedule(name, known=name in self.rooms))
            else:
                told.append(schedule(name, self.rooms[name], (after, before), slot, self.habits))
        return 200, {"value": told[::-1]}

    def _list_room(self, call: Call) -> tuple[int, object]:
        """List single events and series, without exceptions (MG6)."""
        whole = [one for one in self._room(call).events.values() if one["type"] != "exception"]
        return self._listed(call, self._ordered(call, whole))

    def _get_of_room(self, call: Call) -> tuple[int, object]:
        found = self._room(call).find(call.names[3])
        if found is None:
            raise RefusedError(404, "ErrorItemNotFound")
        return 200, self._shown(found, call)

    def _ordered(self, call: Call, found: list[Json]) -> list[Json]:
        told = [self._shown(one, call) for one in found]
        if call.query.get("$orderby") == "start/dateTime":
            return sorted(told, key=lambda one: moment(one["start"]))
        assert "$orderby" not in call.query, "this fake orders by start only"
        return told


def _selected(item: Json, call: Call) -> Json:
    """Return what ``$select`` names; id and etag come in any case."""
    if "$select" not in call.query:
        return item
    wanted = {"id", "@odata.etag", *call.query["$select"].split(",")}
    return {name: one for name, one in item.items() if name in wanted}
