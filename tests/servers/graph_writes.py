"""What writes do at the Graph fake: events, answers, extensions."""

from datetime import datetime, time
from typing import Any

from tests.servers.graph_dates import moment, zone_of
from tests.servers.graph_mailbox import Call, Mailbox, RefusedError
from tests.servers.graph_truth import EXTENSION, NEVER, CalendarTruth, Json, occurrence_id

_LONG_NAME = f"Microsoft.OutlookServices.OpenTypeExtension.{EXTENSION}"
_ANSWERS = {
    "accept": "accepted",
    "decline": "declined",
    "tentativelyAccept": "tentativelyAccepted",
}


class GraphWrites(Mailbox):
    """Changes events as one that is signed in does."""

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
