"""W1: kloudless-python 2.0.1 writes; a second client of the server sees what it wrote."""

from collections.abc import Iterator
from typing import Any

import kloudless
import pytest
from kloudless.exceptions import APIException, ForbiddenException, NotFoundException
from kloudless.resources.base import Resource

from tests.clients.kloudless_account import account_of, calendar
from tests.clients.world import Person, World

MEETING = {
    "name": "Meeting",
    "description": "Bring the plan; and pens",
    "location": "Room 2, first floor",
    "start": "2026-11-24T10:00:00+01:00",
    "start_time_zone": "Europe/Berlin",
    "end": "2026-11-24T11:00:00+01:00",
    "end_time_zone": "Europe/Berlin",
}


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person("work", "home")


@pytest.fixture
def account(ada: Person) -> Iterator[kloudless.Account]:
    with account_of(ada) as made:
        yield made


@pytest.fixture
def work(account: kloudless.Account) -> Any:  # noqa: ANN401 - of an untyped library
    return calendar(account, "Work")


def records_after(account: kloudless.Account, cursor: str) -> list[Any]:
    listed = account.get("events", params={"cursor": cursor})
    return [one.data for one in listed.get_paging_iterator()]


def latest(account: kloudless.Account) -> str:
    return str(account.get("events/latest").data["cursor"])


def test_an_event_is_created_changed_and_deleted(
    account: kloudless.Account,
    work: Any,  # noqa: ANN401
    ada: Person,
) -> None:
    """Each write is in the stream when its call returns; the next poll finds nothing new."""
    cursor = latest(account)
    made = work.post("events", json=MEETING)
    assert isinstance(made, Resource)
    assert made.response.status_code == 201
    assert {name: made.data[name] for name in MEETING} == MEETING
    changed = made.patch(json={"name": "Moved", "description": None})
    assert changed.data["name"] == "Moved"
    assert changed.data["description"] is None
    assert changed.data["location"] == MEETING["location"]
    made.refresh()
    assert made.data == changed.data
    gone = made.delete()
    assert gone.response.status_code == 204
    assert gone.response.content == b""
    with pytest.raises(NotFoundException):
        made.refresh()
    told = records_after(account, cursor)
    assert [one["type"] for one in told] == ["add", "update", "delete"]
    assert {one["metadata"]["id"] for one in told} == {made.data["id"]}
    end = latest(account)
    ada.sync()
    assert not records_after(account, end)


def test_what_is_written_stands_at_the_server(
    work: Any,  # noqa: ANN401
    ada: Person,
) -> None:
    made = work.post("events", json={**MEETING, "name": "Seen from outside"})
    raw = made.get(get_raw_data=True).data["raw"]["object"]
    text = ada.world.do(ada.device.send("GET", raw["href"])).decode()
    assert "SUMMARY:Seen from outside" in text
    assert f"UID:{made.data['ical_uid']}" in text
    assert "DTSTART;TZID=Europe/Berlin:20261124T100000" in text


def test_a_calendar_is_created_changed_and_deleted(account: kloudless.Account) -> None:
    wanted = {"name": "Holidays", "description": "Days off", "timezone": "Europe/Paris"}
    made = account.post("cal/calendars", json=wanted)
    assert made.response.status_code == 201
    assert {name: made.data[name] for name in wanted} == wanted
    changed = made.patch(json={"name": "Leave"})
    assert (changed.data["name"], changed.data["description"]) == ("Leave", "Days off")
    assert calendar(account, "Leave").data == changed.data
    event = changed.post("events", json=MEETING)
    assert event.data["calendar_id"] == made.data["id"]
    assert made.delete().response.status_code == 204
    with pytest.raises(NotFoundException):
        made.refresh()
    with pytest.raises(NotFoundException):
        made.delete()


def test_a_series_and_one_occurrence_of_it(
    account: kloudless.Account,
    work: Any,  # noqa: ANN401
) -> None:
    weekly = [{"rrule": "RRULE:FREQ=WEEKLY;COUNT=4"}]
    master = work.post("events", json={**MEETING, "name": "Series", "recurrence": weekly})
    assert master.data["recurrence_type"] == "recurring_master"
    assert master.data["recurrence"] == weekly
    window = {"start": "2026-11-24", "end": "2027-01-01"}
    mine = [
        one
        for one in work.get("events", params=window).get_paging_iterator()
        if one.data.get("recurring_master_id") == master.data["id"]
    ]
    assert len(mine) == 4
    changed = mine[1].patch(json={"name": "Another room"})
    assert changed.data["id"] == mine[1].data["id"]
    assert changed.data["original_start"] == mine[1].data["original_start"]
    mine[2].delete()
    again = [
        one.data["name"]
        for one in work.get("events", params=window).get_paging_iterator()
        if one.data.get("recurring_master_id") == master.data["id"]
    ]
    assert again == ["Series", "Another room", "Series"]
    assert master.delete().response.status_code == 204
    left = [one.data["id"] for one in work.get("events", params=window).get_paging_iterator()]
    assert not [one for one in left if one.startswith(master.data["id"])]
    assert account.get("cal/calendars").data["count"] >= 2


def test_an_answer_to_an_invitation(
    account: kloudless.Account,
    work: Any,  # noqa: ANN401
    ada: Person,
) -> None:
    """RSVP by PATCH: the others stay as they were."""
    invitation = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        "UID:invited@example.org\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261203T090000Z\r\n"
        "DTEND:20261203T100000Z\r\nSUMMARY:Invitation\r\n"
        "ORGANIZER;CN=Bo:mailto:bo@example.org\r\n"
        "ATTENDEE;CN=Bo;PARTSTAT=ACCEPTED:mailto:bo@example.org\r\n"
        f"ATTENDEE;CN=Ada;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ada.name}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    ada.put("work", "invited", invitation)
    ada.sync()
    listed = work.get("events", params={"start": "2026-12-03", "end": "2026-12-04"})
    (event,) = (one for one in listed if one.data["name"] == "Invitation")
    answer = {"name": "Ada", "email": ada.name, "status": "accepted"}
    changed = event.patch(json={"attendees": [answer]})
    told = {one["email"]: one["status"] for one in changed.data["attendees"]}
    assert told == {"bo@example.org": "accepted", ada.name: "accepted"}
    text = ada.world.do(ada.device.send("GET", ada.device.path("work", "invited.ics"))).decode()
    assert "PARTSTAT=NEEDS-ACTION" not in text
    assert account.get("cal/calendars").data["type"] == "object_list"


def test_attendees_reminders_and_custom_properties(
    work: Any,  # noqa: ANN401
) -> None:
    made = work.post(
        "events",
        json={
            **MEETING,
            "attendees": [{"name": "Bo", "email": "bo@example.org"}],
            "reminders": [{"minutes": 10, "method": "popup", "popup": "Now"}],
            "custom_properties": [{"key": "color", "value": "green"}],
        },
    )
    (bo,) = made.data["attendees"]
    assert (bo["email"], bo["name"], bo["required"], bo["resource"]) == (
        "bo@example.org",
        "Bo",
        True,
        False,
    )
    assert made.data["reminders"] == [{"minutes": 10, "method": "popup", "popup": "Now"}]
    green = {"key": "color", "value": "green", "private": True}
    assert made.data["custom_properties"] == [green]
    merged = made.patch(json={"custom_properties": [{"key": "opacity", "value": "0.5"}]})
    assert {one["key"] for one in merged.data["custom_properties"]} == {"color", "opacity"}
    removed = made.patch(json={"custom_properties": [{"key": "color", "value": None}]})
    assert [one["key"] for one in removed.data["custom_properties"]] == ["opacity"]


def test_an_all_day_event_keeps_its_dates(
    work: Any,  # noqa: ANN401
) -> None:
    days = {"name": "Fair", "start": "2027-01-01", "end": "2027-01-03", "all_day": True}
    made = work.post("events", json=days)
    assert {name: made.data[name] for name in days} == days
    assert made.data["start_time_zone"] is None
    timed = made.patch(json={"all_day": False})
    assert timed.data["all_day"] is False
    assert "T00:00:00" in timed.data["start"]


def test_raw_values_go_to_the_server(
    work: Any,  # noqa: ANN401
) -> None:
    raw = {"object": {"X-COST-CENTRE": "42"}}
    made = work.post("events", json={**MEETING, "raw": raw})
    assert "raw" not in made.data
    text = made.get(get_raw_data=True).data["raw"]["object"]["ical"]
    assert "X-COST-CENTRE:42" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"end": "2026-11-24T09:00:00Z"},
        {"start_time_zone": "Mars/Olympus"},
        {"recurrence": [{"rrule": "FREQ=SOMETIMES"}]},
        {"attendees": [{"name": "Bo"}]},
        {"reminders": [{"minutes": -1}]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_is_refused_with_the_fields_name(
    work: Any,  # noqa: ANN401
    wrong: dict[str, Any],
) -> None:
    with pytest.raises(APIException) as refused:
        work.post("events", json={**MEETING, **wrong})
    assert refused.value.status == 400
    assert next(iter(wrong)) in refused.value.error_data["message"]


def test_a_reader_may_not_write(ada: Person) -> None:
    narrow = ada.narrow("read_events", "list_calendars", profile=True)
    with account_of(ada, narrow) as reader:
        work = calendar(reader, "Work")
        for refused in (
            lambda: work.post("events", json=MEETING),
            lambda: work.patch(json={"name": "Mine"}),
            work.delete,
            lambda: reader.post("cal/calendars", json={"name": "New"}),
        ):
            with pytest.raises(ForbiddenException) as lacking:
                refused()
            assert lacking.value.error_data["error_code"] == "insufficient_scope"


def test_a_header_for_the_upstream_service_may_hold_no_credentials(
    work: Any,  # noqa: ANN401
) -> None:
    """R20: ``raw_headers`` is an option of every call."""
    made = work.post("events", json=MEETING, raw_headers={"X-Trace": "one"})
    assert made.response.status_code == 201
    with pytest.raises(APIException) as refused:
        work.post("events", json=MEETING, raw_headers={"Authorization": "Basic eA=="})
    assert refused.value.status == 400


def test_nobody_is_impersonated(account: kloudless.Account) -> None:
    """R20: ``impersonate_user_id`` needs an admin profile of Google or Microsoft."""
    with pytest.raises(APIException) as refused:
        account.get("cal/calendars", impersonate_user_id="bo")
    assert refused.value.status == 400
    assert refused.value.error_data["error_code"] == "not_supported"
