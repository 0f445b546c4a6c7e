"""What is refused of writes, and how it is said (api.md R13, R15, R18, R23, K25, K27)."""

from dataclasses import replace
from typing import Any

import pytest

from syncd.model.abilities import CALENDAR_MEMBERS, EVENT_MEMBERS, Abilities
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    RelinkRequiredError,
    TransientError,
)
from syncd.model.ids import CalendarKey
from tests.api.serving import Api
from tests.api.writing import BO, REVIEW, body, made, polled


@pytest.mark.parametrize(
    ("members", "code", "field"),
    [
        ({"name": None}, "invalid_parameters", "name"),
        ({"start": "tomorrow"}, "invalid_parameters", "start"),
        ({"end": "2026-11-24T10:00:00"}, "invalid_parameters", "end"),
        ({"all_day": True, "end": "2026-11-24"}, "invalid_parameters", "end"),
        ({"start_time_zone": "Mars/Base"}, "invalid_parameters", "start_time_zone"),
        ({"end_time_zone": "W. Europe Standard Time"}, "invalid_parameters", "end_time_zone"),
        ({"attendees": [{"email": "bo@example.org"}]}, "invalid_parameters", "attendees"),
        ({"attendees": [{"name": "Bo", "email": "nobody"}]}, "invalid_parameters", "attendees"),
        ({"attendees": [{**BO, "email": f"{n}@example.org"} for n in range(501)]},
         "invalid_parameters", "attendees"),
        ({"name": "n" * 1025}, "invalid_parameters", "name"),
        ({"description": "d" * 65_537}, "invalid_parameters", "description"),
        ({"name": "\u0007"}, "invalid_parameters", "name"),
        ({"custom_properties": [{"key": str(n), "value": ""} for n in range(301)]},
         "invalid_parameters", "custom_properties"),
        ({"recurrence": [{"rrule": "FREQ=SOMETIMES"}]}, "invalid_parameters", "recurrence"),
        ({"recurrence": [{"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20261130T000000Z"}]},
         "invalid_parameters", "recurrence"),
        ({"recurrence": [{"rrule": "FREQ=DAILY"}, {"rrule": "FREQ=WEEKLY"}]},
         "invalid_parameters", "recurrence"),
        ({"reminders": [{"minutes": -1}]}, "invalid_parameters", "reminders"),
        ({"reminders": [{"minutes": 5, "method": "sms"}]}, "invalid_parameters", "reminders"),
        ({"visibility": "hidden"}, "invalid_parameters", "visibility"),
        ({"all_day": "yes"}, "invalid_parameters", "all_day"),
        ({"raw": {"object": 5}}, "invalid_parameters", "raw"),
        ({"name": "refused"}, "upstream_rejected", None),
    ],
)  # fmt: skip
async def test_a_wrong_member_is_named(
    api: Api, members: dict[str, Any], code: str, field: str | None
) -> None:
    """R14, R15, R23: 400, and the message begins with the member."""
    path = await polled(api)
    head = await api.ground.head()
    refused = await api.send("POST", f"{path}/events", json={**REVIEW, **members})
    told = await body(refused, 400)
    assert told["error_code"] == code
    if field is not None:
        assert told["message"].startswith(f"{field}: ")
        assert api.ground.server.writes == 0
    assert await api.ground.head() == head


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("start", 5, "start: must be a date or a time as RFC 3339 writes them"),
        ("start", None, "start: must be a date or a time as RFC 3339 writes them"),
        ("end", True, "end: must be a date or a time as RFC 3339 writes them"),
        (
            "attendees",
            [{"name": "Bo", "email": "b@a.example"}, {}],
            "attendees: [1].email: required",
        ),
        ("attendees", {}, "attendees: must be a list"),
        ("recurrence", ["RRULE:FREQ=DAILY"], "recurrence: [0]: must be an object"),
        ("raw", 5, "raw: must be an object"),
    ],
    ids=str,
)
async def test_a_wrong_part_is_named_in_words_of_json(
    api: Api, member: str, value: object, told: str
) -> None:
    """R12, R15: a number is no time, and nobody has to know what a tuple is."""
    path = await polled(api)
    response = await api.send("POST", f"{path}/events", json={**REVIEW, member: value})
    assert (response.status, (await response.json())["message"]) == (400, told)


async def test_what_is_required_is_said(api: Api) -> None:
    path = await polled(api)
    told = await body(await api.send("POST", f"{path}/events", json={}), 400)
    assert {part.split(":")[0] for part in told["message"].split("; ")} == {"name", "start", "end"}
    calendars = path.removesuffix("/primary")
    for sent in ({}, {"name": " "}):
        told = await body(await api.send("POST", calendars, json=sent), 400)
        assert told["message"] == "name: required"


async def test_the_limits_of_a_provider_are_told_with_their_numbers(api: Api) -> None:
    """K25, K27: the most reminders, and the part of a rule that has no place."""
    path = await polled(api)
    api.ground.server.can = Abilities(
        reminders=1, reminder_methods=frozenset({"popup"}), any_rule=False
    )
    sent = {**REVIEW, "reminders": [{"minutes": 5}, {"minutes": 10}]}
    told = await body(await api.send("POST", f"{path}/events", json=sent), 400)
    assert (told["error_code"], told["max"]) == ("too_many_reminders", 1)
    sent = {**REVIEW, "reminders": [{"minutes": 5, "method": "email"}]}
    told = await body(await api.send("POST", f"{path}/events", json=sent), 400)
    assert told["message"].startswith("reminders: ")
    sent = {**REVIEW, "recurrence": [{"rrule": "FREQ=DAILY;BYHOUR=9"}]}
    told = await body(await api.send("POST", f"{path}/events", json=sent), 400)
    assert (told["error_code"], told["part"]) == ("unsupported_recurrence", "BYHOUR")


async def test_what_cannot_be_stored_is_named_in_a_header(api: Api) -> None:
    """R13: `X-Syncd-Ignored: custom_properties, visibility`."""
    path = await polled(api)
    api.ground.server.can = Abilities(
        event=EVENT_MEMBERS - {"visibility", "custom_properties", "use_default_reminder"},
        calendar=CALENDAR_MEMBERS - {"location"},
    )
    sent = {**REVIEW, "visibility": "private", "custom_properties": [{"key": "a", "value": "b"}]}
    response = await api.send("POST", f"{path}/events", json=sent)
    assert response.headers["X-Syncd-Ignored"] == "custom_properties, visibility"
    told = await body(response, 201)
    other = {"use_default_reminder": True, "name": "Other"}
    response = await api.send("PATCH", f"{path}/events/{told['id']}", json=other)
    assert response.headers["X-Syncd-Ignored"] == "use_default_reminder"
    response = await api.send("PATCH", path, json={"location": "Berlin", "name": "Work"})
    assert response.headers["X-Syncd-Ignored"] == "location"
    assert (await body(response, 200))["location"] is None


@pytest.mark.parametrize(
    ("theirs", "status", "code"),
    [
        (TransientError("reset"), 502, "upstream_error"),
        (ForbiddenError("not yours"), 403, "upstream_forbidden"),
        (ConflictError("changed"), 409, "conflict"),
        (InvalidError("no such colour"), 400, "upstream_rejected"),
        (RelinkRequiredError("401"), 423, "account_disconnected"),
    ],
)
async def test_what_the_provider_says_has_its_status(
    api: Api, theirs: Exception, status: int, code: str
) -> None:
    """R15, for every writing route."""
    path = await polled(api)
    (lunch,) = await api.pages(f"{path}/events", 10)
    where = f"{path}/events/{lunch['id']}"
    api.ground.server.faults.writing = theirs  # type: ignore[assignment]  # one of ours
    for method, target, sent in (
        ("POST", f"{path}/events", REVIEW),
        ("PATCH", where, {"name": "Other"}),
        ("DELETE", where, None),
        ("POST", path.removesuffix("/primary"), {"name": "Other"}),
        ("PATCH", path, {"name": "Other"}),
        ("DELETE", path, None),
    ):
        told = await body(await api.send(method, target, json=sent), status)
        assert told["error_code"] == code, (method, target)
        if status == 423:
            assert "relink_url" in told


async def test_a_version_that_has_passed_is_not_changed(api: Api) -> None:
    """R18: `If-Match` against what we hold, then against what the provider holds; `*` is any."""
    path = await polled(api)
    one = await made(api, path)
    where = f"{path}/events/{one['id']}"
    raw = {"X-Kloudless-Raw-Data": "true"}
    first = ""
    for number, written in enumerate(["{plain}", '"other", {raw}', "*"]):
        plain, rawly = await api.get(where), await api.get(where, headers=raw)
        tag = written.format(plain=plain.headers["ETag"], raw=rawly.headers["ETag"])
        sent = {"name": f"for {number}"}
        told = await api.send("PATCH", where, json=sent, headers={"If-Match": tag})
        assert told.status == 200, tag
        first = told.headers["ETag"]
    for method, tag in (("PATCH", '"old"'), ("DELETE", '"old"'), ("PATCH", f"W/{first}")):
        told = await api.send(method, where, json={"name": "No"}, headers={"If-Match": tag})
        assert (await body(told, 412))["error_code"] == "precondition_failed"
    work = api.ground.server.calendars[CalendarKey("/work/")]
    key = next(key for key in work.resources if key != "a.ics")
    work.put(key, replace(work.resources[key].events[0], name="Theirs"))
    for method in ("PATCH", "DELETE"):
        held = {"If-Match": (await api.get(where)).headers["ETag"]}
        if method == "DELETE":
            work.put(key, replace(work.resources[key].events[0], name="Theirs again"))
        told = await api.send(method, where, json={"name": "No"}, headers=held)
        assert told.status == 412
    assert (await api.json(where))["name"] == "Theirs again"
    tag = (await api.get(path)).headers["ETag"]
    for method in ("PATCH", "DELETE"):
        told = await api.send(method, path, json={"name": "No"}, headers={"If-Match": '"old"'})
        assert told.status == 412
    told = await api.send("PATCH", path, json={"name": "Yes"}, headers={"If-Match": tag})
    assert told.headers["ETag"] == (await api.get(path)).headers["ETag"] != tag


async def test_calendars_that_take_no_writes_say_so(api: Api) -> None:
    """R15 `read_only_calendar`; K15 `not_supported` where calendars do not change."""
    path = await polled(api)
    (lunch,) = await api.pages(f"{path}/events", 10)
    api.ground.server.can = Abilities(calendar_updates=False)
    told = await body(await api.send("PATCH", path, json={"name": "Other"}), 400)
    assert told["error_code"] == "not_supported"
    api.ground.server.can = Abilities()
    work = api.ground.server.calendars[CalendarKey("/work/")]
    work.calendar = replace(work.calendar, read_only=True)
    await api.ground.poll(listing=True)
    for method, target in (
        ("POST", f"{path}/events"),
        ("PATCH", f"{path}/events/{lunch['id']}"),
        ("DELETE", f"{path}/events/{lunch['id']}"),
        ("PATCH", path),
        ("DELETE", path),
    ):
        told = await body(await api.send(method, target, json=REVIEW), 403)
        assert told["error_code"] == "read_only_calendar"
    assert api.ground.server.writes == 0


async def test_a_disconnected_profile_is_told_where_to_mend_it(api: Api) -> None:
    """R15: 423 with the relink URL, and the provider is not asked."""
    path = await polled(api)
    await api.disconnect()
    told = await body(await api.send("POST", f"{path}/events", json=REVIEW), 423)
    assert told["relink_url"].startswith(f"{api.url}/relink/")
    assert api.ground.server.writes == 0
