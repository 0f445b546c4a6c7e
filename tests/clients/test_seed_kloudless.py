"""W7: every example request of the Kloudless document, with our ids, as it is written there."""

from typing import Any

import pytest
import requests

from tests.clients.alike import differences
from tests.clients.world import Person, World

CALENDAR: dict[str, Any] = {
    "id": "a2xv", "name": "My Calendar", "description": "A calendar", "location": "San Francisco",
    "timezone": "US/Pacific", "account_id": "123", "api": "calendar", "type": "calendar",
    "href": "https://",
}  # fmt: skip
ORGANIZER = {"id": None, "name": "inc", "email": "someone@example.org"}
EVENT: dict[str, Any] = {
    "api": "calendar", "type": "event", "id": "fdTJ", "account_id": "123", "ical_uid": "9c87c888",
    "calendar_id": "fa2x", "recurrence_type": "solo", "creator": ORGANIZER,
    "organizer": ORGANIZER, "attendees": [], "created": "2019-05-09T07:03:51Z",
    "modified": "2019-05-09T07:03:51Z", "all_day": False, "start": "2019-09-01T01:00:00-08:00",
    "start_time_zone": "America/Los_Angeles", "end": "2019-09-01T02:00:00-08:00",
    "end_time_zone": "America/Los_Angeles", "name": "Test Event", "description": "testing",
    "location": "PIER 39", "status": "confirmed", "visibility": None,
    "attachments": [{"url": "https://", "id": "0B4", "mime_type": "image/jpeg", "name": "a.png"}],
    "custom_properties": [{"key": "color", "value": "green", "private": True}], "reminders": [],
    "reminder": None, "href": "https://",
}  # fmt: skip
LIST: dict[str, Any] = {"count": 3, "next_page": None, "objects": [], "type": "object_list"}
ATTRIBUTES = frozenset({  # that the document's text names, or api.md beyond it (K17)
    *("recurrence", "transparent", "raw", "color", "tentative", "required", "resource", "status"),
    *("method", "minutes", "popup", "email", "recurring_master_id", "original_start"),
    *("original_start_time_zone", "url"),
})  # fmt: skip
RECORD: dict[str, Any] = {
    "id": "30", "account": 123, "action": "+", "ip": None, "modified": "2018-10-18T08:53:28Z",
    "type": "add", "user_id": None,
}  # fmt: skip
BEYOND = frozenset({"cursor", "recorded_at", "changes", "initial", "metadata"})  # K42
JSON = {"Content-Type": "application/json"}
WINDOWS = [
    {"start": "2027-05-20T08:00:00+07:00", "end": "2027-05-20T12:00:00+07:00"},
    {"start": "2027-05-21T08:00:00+07:00", "end": "2027-05-21T12:00:00+07:00"},
]


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person("work")


def ask(person: Person, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:  # noqa: ANN401
    headers = JSON if body is not None else {}
    return person.send(method, f"/v1/accounts/{path}", json=body, headers=headers, **more)


def answered(response: requests.Response, status: int) -> Any:  # noqa: ANN401 - JSON
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    return response.json()


def an_event(person: Person, **more: Any) -> Any:  # noqa: ANN401 - JSON
    body = {
        "name": "Event",
        "start": "2026-10-01T12:30:00Z",
        "end": "2026-10-01T13:30:00Z",
        **more,
    }
    return answered(ask(person, "POST", "me/cal/calendars/primary/events", body), 201)


def test_calendars_are_listed(ada: Person) -> None:
    told = answered(ask(ada, "GET", "me/cal/calendars"), 200)
    assert differences(told, {**LIST, "objects": [CALENDAR], "page": "1", "api": "calendar"}) == []
    assert told["count"] == len(told["objects"]) > 0


def test_a_calendar_is_created_with_raw_values_retrieved_changed_and_deleted(ada: Person) -> None:
    body = {
        "name": "My Calendar",
        "description": "A calendar for events",
        "location": "San Francisco, CA",
        "timezone": "US/Pacific",
    }
    response = ask(ada, "POST", "me/cal/calendars", body)
    made = answered(response, 201)
    assert differences(made, CALENDAR) == []
    assert (made["name"], made["description"]) == (body["name"], body["description"])
    path = f"{ada.account_id}/cal/calendars/{made['id']}"
    assert answered(ask(ada, "GET", path), 200) == made
    changes = {"name": "My Calendar", "description": "A calendar for my events"}
    changed = answered(ask(ada, "PATCH", path, changes), 200)
    assert changed == {**made, **changes}
    gone = ask(ada, "DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Event", "start": "2016-10-01T12:30:00Z", "end": "2016-10-01T13:30:00Z"},
        {
            "name": "Event",
            "start": "2016-10-01T12:30:00Z",
            "end": "2016-10-01T13:30:00Z",
            "raw": {"object": {"importance": "low"}},
        },
        {
            "name": "Every day for ten days",
            "start": "2019-04-10T10:00:00Z",
            "end": "2019-04-10T11:00:00Z",
            "recurrence": [{"rrule": "RRULE:FREQ=DAILY;COUNT=10"}],
        },
        {
            "name": "Test Event",
            "start": "2019-09-01T01:00:00-08:00",
            "start_time_zone": "America/Los_Angeles",
            "end": "2019-09-01T02:00:00-08:00",
            "end_time_zone": "America/Los_Angeles",
            "custom_properties": [{"key": "color", "value": "green"}],
        },
    ],
    ids=["plain", "raw", "recurring", "custom property"],
)
def test_events_are_created_retrieved_listed_and_deleted(ada: Person, body: dict[str, Any]) -> None:
    made = answered(ask(ada, "POST", "me/cal/calendars/primary/events", body), 201)
    assert differences(made, EVENT, more=ATTRIBUTES) == []
    assert made["name"] == body["name"]
    assert made.get("recurrence", []) == body.get("recurrence", [])
    path = f"me/cal/calendars/primary/events/{made['id']}"
    assert answered(ask(ada, "GET", path), 200) == made
    listing = f"me/cal/calendars/primary/events?start={body['start'][:4]}-01-01T00:00:00Z"
    listed = answered(ask(ada, "GET", f"{listing}&instances=false"), 200)
    shown = {**LIST, "objects": [EVENT], "total": 1, "page": 1, "api": "calendar"}
    assert differences(listed, shown, more=ATTRIBUTES) == []
    assert made in listed["objects"]
    assert ask(ada, "DELETE", path).status_code == 204
    assert ask(ada, "GET", path).status_code == 404


def test_an_event_is_changed(ada: Person) -> None:
    made = an_event(ada)
    path = f"me/cal/calendars/primary/events/{made['id']}"
    changes = {"end": "2026-11-01T15:30:00Z", "description": "A new description"}
    changed = answered(ask(ada, "PATCH", path, changes), 200)
    assert differences(changed, EVENT, more=ATTRIBUTES) == []
    assert {name: changed[name] for name in changes} == changes
    assert changed["name"] == made["name"]


def test_custom_properties_are_added_changed_and_deleted(ada: Person) -> None:
    made = an_event(ada, custom_properties=[{"key": "color", "value": "green"}])
    path = f"me/cal/calendars/primary/events/{made['id']}"
    steps = (
        ({"key": "opacity", "value": "0.5"}, {"color": "green", "opacity": "0.5"}),
        ({"key": "color", "value": "red"}, {"color": "red", "opacity": "0.5"}),
        ({"key": "color", "value": None}, {"opacity": "0.5"}),
    )
    for change, left in steps:
        told = answered(ask(ada, "PATCH", path, {"custom_properties": [change]}), 200)
        assert {one["key"]: one["value"] for one in told["custom_properties"]} == left


def test_an_invitation_is_answered(ada: Person) -> None:
    invited = [
        {"name": "attendee", "email": ada.name},
        {"name": "Bo", "email": "bo@example.org"},
    ]
    made = an_event(ada, organizer={"name": "Bo", "email": "bo@example.org"}, attendees=invited)
    answer = {"name": "attendee", "email": ada.name, "status": "accepted"}
    path = f"me/cal/calendars/primary/events/{made['id']}"
    told = answered(ask(ada, "PATCH", path, {"attendees": [answer]}), 200)
    assert {one["email"]: one["status"] for one in told["attendees"]}[ada.name] == "accepted"
    assert len(told["attendees"]) == 2


def test_times_that_suit_one_account_and_several(ada: Person, world: World) -> None:
    bo = world.person("work")
    calendars = [
        answered(ask(one, "GET", "me/cal/calendars/primary"), 200)["id"] for one in (ada, bo)
    ]
    shown = {"time_windows": [WINDOWS[0]], "type": "availability", "api": "calendar"}
    body = {"calendars": calendars[:1], "meeting_duration": "PT1H", "time_windows": WINDOWS}
    told = answered(ask(ada, "POST", f"{ada.account_id}/cal/availability", body), 200)
    assert differences(told, shown) == []
    assert told["time_windows"] == WINDOWS
    busy = {"start": "2027-05-20T08:00:00+07:00", "end": "2027-05-20T09:00:00+07:00"}
    path = f"me/cal/calendars/{calendars[1]}/events"
    answered(ask(bo, "POST", path, {"name": "Busy", **busy}), 201)
    both = {ada.account_id: calendars[:1], bo.account_id: calendars[1:]}
    told = answered(
        ask(
            ada,
            "POST",
            f"{ada.account_id},{bo.account_id}/cal/availability",
            {**body, "calendars": both},
            token=f"{ada.token},{bo.token}",
        ),
        200,
    )
    assert told["time_windows"] == [{**WINDOWS[0], "start": busy["end"]}, WINDOWS[1]]


def test_activity_is_listed_after_a_cursor(ada: Person) -> None:
    start = answered(ask(ada, "GET", "me/events/latest"), 200)["cursor"]
    made = an_event(ada)
    told = answered(ask(ada, "GET", f"{ada.account_id}/events?cursor={start}"), 200)
    shown = {
        "count": 1, "api": "events", "cursor": "121", "objects": [RECORD], "type": "object_list",
    }  # fmt: skip
    assert differences(told, shown, more=BEYOND) == []
    (record,) = told["objects"]
    assert (record["type"], record["action"], record["account"]) == (
        "add",
        "+",
        int(ada.account_id),
    )
    assert record["metadata"] == {name: made[name] for name in made.keys() - {"href"}}
    again = answered(ask(ada, "GET", f"me/events?cursor={told['cursor']}"), 200)
    assert (again["objects"], again["count"]) == ([], 0)
    assert answered(ask(ada, "GET", "me/events?cursor=after-auth"), 200)["type"] == "object_list"


def test_contacts_and_rooms_are_listed(ada: Person) -> None:
    told = answered(ask(ada, "GET", "me/contact/contacts"), 200)
    assert differences(told, {**LIST, "page": 1, "api": "contact"}) == []
    told = answered(ask(ada, "GET", "me/cal/resources"), 200)
    assert differences(told, {**LIST, "page": "1", "api": "calendar"}) == []
