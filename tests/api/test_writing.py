"""Writing calendars and events (api.md K13, K15, K16, K19, K21, K22, R13, R15, R18)."""

from syncd.model.access import Scope
from syncd.model.errors import (
    TransientError,
)
from syncd.model.event import Person
from syncd.model.ids import CalendarKey
from tests.api.serving import Api
from tests.api.writing import ADA, BO, REVIEW, body, made, polled
from tests.engine.ground import event, series


async def news(api: Api, since: int) -> list[str]:
    return await api.ground.told(since)


async def test_an_event_is_made_and_found_where_it_says(api: Api) -> None:
    """K19, R13: 201 with Location, ETag and the place in the stream that tells of it."""
    path = await polled(api)
    before = await api.ground.head()
    response = await api.send("POST", f"{path}/events", json=REVIEW)
    told = await body(response, 201)
    assert told["start"] == "2026-11-24T10:00:00+01:00"
    assert told["start_time_zone"] == "Europe/Berlin"
    assert response.headers["Location"] == told["href"]
    assert "X-Syncd-Ignored" not in response.headers
    found = await api.get(told["href"].removeprefix(api.url))
    assert await body(found, 200) == told
    assert found.headers["ETag"] == response.headers["ETag"]
    assert await news(api, before) == ["add event Review"]
    stream = f"/v1/accounts/{api.account}/events"
    after = await api.json(f"{stream}?cursor={response.headers['X-Syncd-Cursor']}")
    assert after["objects"] == []


async def test_raw_objects_come_back_if_asked_for_and_go_to_the_provider(api: Api) -> None:
    """K11 in both directions; what names the object is refused."""
    path = await polled(api)
    sent = {**REVIEW, "raw": {"object": {"importance": "low"}}}
    raw = {"X-Kloudless-Raw-Data": "true"}
    told = await body(await api.send("POST", f"{path}/events", json=sent, headers=raw), 201)
    assert told["raw"]["object"]["ical"].startswith("BEGIN")
    assert "raw" not in await made(api, path)
    for name in ("id", "UID", "etag", "href", "iCalUID"):
        sent = {**REVIEW, "raw": {"object": {name: "mine"}}}
        refused = await body(await api.send("POST", f"{path}/events", json=sent), 400)
        assert refused["message"].startswith("raw: ")


async def test_a_patch_replaces_clears_and_leaves(api: Api) -> None:
    """K21: given replaces, null clears, missing stays, the end too."""
    path = await polled(api)
    one = await made(api, path, location="Room 2", description="Agenda")
    where = f"{path}/events/{one['id']}"
    patch = {"name": "Review (moved)", "location": None, "start": "2026-11-24T10:30:00"}
    response = await api.send("PATCH", where, json=patch)
    told = await body(response, 200)
    assert (told["name"], told["location"], told["description"]) == (
        "Review (moved)", None, "Agenda",
    )  # fmt: skip
    assert (told["start"], told["end"]) == (
        "2026-11-24T10:30:00+01:00", "2026-11-24T11:00:00+01:00",
    )  # fmt: skip
    assert response.headers["ETag"] != one
    cleared = dict.fromkeys(("attendees", "reminders", "recurrence", "visibility"))
    cleared |= {"custom_properties": None, "all_day": None, "transparent": None, "organizer": None}
    assert (await api.send("PATCH", where, json=cleared)).status == 200
    for time in ("start", "end"):
        refused = await body(await api.send("PATCH", where, json={time: None}), 400)
        assert refused["message"].startswith(f"{time}: ")


async def test_an_occurrence_is_written_as_an_exception(api: Api) -> None:
    """K21, K22: an exception; cancelled, the series gains an excluded start."""
    path = await polled(api)
    one = await made(api, path, recurrence=[{"rrule": "FREQ=DAILY;COUNT=4"}])
    assert one["recurrence"] == [{"rrule": "RRULE:FREQ=DAILY;COUNT=4"}]
    where = f"{path}/events/{one['id']}_20261125T090000Z"
    told = await body(await api.send("PATCH", where, json={"name": "Longer"}), 200)
    assert told["recurring_master_id"] == one["id"]
    assert (await api.send("DELETE", where)).status == 204
    assert (await api.send("DELETE", where)).status == 404
    master = await api.json(f"{path}/events/{one['id']}")
    assert {"rrule": "EXDATE:20261125T090000Z"} in master["recurrence"]


async def test_a_deleted_event_is_gone(api: Api) -> None:
    """K22: 204 without a body, then 404."""
    path = await polled(api)
    one = await made(api, path)
    response = await api.send("DELETE", f"{path}/events/{one['id']}")
    assert (response.status, await response.read()) == (204, b"")
    assert "Content-Type" not in response.headers
    for method in ("GET", "PATCH", "DELETE"):
        again = await api.send(method, f"{path}/events/{one['id']}", json={})
        assert (await body(again, 404))["error_code"] == "not_found"


async def test_custom_properties_merge(api: Api) -> None:
    """K26: the three examples of the seed."""
    path = await polled(api)
    one = await made(api, path, custom_properties=[{"key": "color", "value": "green"}])
    where = f"{path}/events/{one['id']}"
    for pair, expected in (
        ({"key": "opacity", "value": "0.5"}, {"color": "green", "opacity": "0.5"}),
        ({"key": "color", "value": "red"}, {"color": "red", "opacity": "0.5"}),
        ({"key": "color", "value": None}, {"opacity": "0.5"}),
    ):
        sent = {"custom_properties": [pair]}
        told = await body(await api.send("PATCH", where, json=sent), 200)
        assert {one["key"]: one["value"] for one in told["custom_properties"]} == expected


async def test_who_only_answers_needs_no_more_than_that_scope(api: Api) -> None:
    """R7, K26: an answer drops nobody, and is all that such a token may give."""
    path = await polled(api)
    one = await made(api, path, attendees=[ADA, BO])
    where = f"{path}/events/{one['id']}"
    narrow = await api.token(Scope.CHANGE_PARTICIPATION_STATUS)
    answer = {"attendees": [{**ADA, "status": "accepted"}]}
    told = await body(await api.send("PATCH", where, json=answer, token=narrow), 200)
    assert [each.get("status") for each in told["attendees"]] == ["accepted", "pending"]
    both = {"attendees": [{**ADA, "status": "declined"}, {**BO, "status": "accepted"}]}
    told = await body(await api.send("PATCH", where, json=both, token=narrow), 200)
    assert [each.get("status") for each in told["attendees"]] == ["declined", "pending"]
    more = {**answer, "name": "Mine"}
    refused = await api.send("PATCH", where, json=more, token=narrow)
    assert (await body(refused, 403))["error_code"] == "insufficient_scope"
    assert 'scope="create_event"' in refused.headers["WWW-Authenticate"]
    assert (await api.send("DELETE", where, token=narrow)).status == 403
    stranger = {"attendees": [{**BO, "status": "accepted"}]}
    refused = await api.send("PATCH", where, json=stranger, token=narrow)
    assert (await body(refused, 400))["message"].startswith("attendees: ")


async def test_a_guests_list_is_only_ever_an_answer(api: Api) -> None:
    """K26: the organizer is somebody else; own address not invited: 400."""
    path = await polled(api)
    people = (Person(email="bo@example.org", name="Bo"), Person(email="ada@example.org"))
    work = api.ground.server.calendars[CalendarKey("/work/")]
    work.put("b.ics", event("Party", organizer=people[0], attendees=people))
    work.put("c.ics", event("Secret", organizer=people[0], attendees=people[:1]))
    await api.ground.poll()
    listed = {one["name"]: one for one in await api.pages(f"{path}/events", 10)}
    answer = {"attendees": [{**ADA, "status": "accepted"}]}
    where = f"{path}/events/{listed['Party']['id']}"
    told = await body(await api.send("PATCH", where, json=answer), 200)
    assert len(told["attendees"]) == 2
    where = f"{path}/events/{listed['Secret']['id']}"
    refused = await body(await api.send("PATCH", where, json=answer), 400)
    assert refused["message"].startswith("attendees: ")


async def test_a_calendar_is_made_used_changed_and_deleted(api: Api) -> None:
    """K13, K15, K16, K42: each is in the stream at once, events before their calendar."""
    path = await polled(api)
    calendars = path.removesuffix("/primary")
    before = await api.ground.head()
    sent = {"name": "My Calendar", "description": "For events", "timezone": "America/Los_Angeles"}
    response = await api.send("POST", calendars, json=sent)
    told = await body(response, 201)
    assert {name: told[name] for name in sent} == sent
    assert response.headers["Location"] == told["href"]
    where = f"{calendars}/{told['id']}"
    one = await made(api, where)
    assert one["start_time_zone"] == "America/Los_Angeles"
    patch = {"name": "Ours", "description": None}
    changed = await body(await api.send("PATCH", where, json=patch), 200)
    assert (changed["name"], changed["description"]) == ("Ours", None)
    assert (await api.send("DELETE", where)).status == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert (await api.send(method, where, json={})).status == 404
    assert await news(api, before) == [
        "add calendar My Calendar",
        "add event Review",
        "update calendar Ours",
        "delete event Review",
        "delete calendar Ours",
    ]
    head = await api.ground.head()
    await api.ground.poll(listing=True)
    assert await news(api, head) == []


async def test_a_repeated_request_makes_one_event(api: Api) -> None:
    """R17: the name at the provider is the key's, also if the first answer was lost."""
    path = await polled(api)
    key = {"Idempotency-Key": "once"}
    api.ground.server.faults.answering = TransientError("reset")
    lost = await api.send("POST", f"{path}/events", json=REVIEW, headers=key)
    assert lost.status == 502
    api.ground.server.faults.answering = None
    await body(await api.send("POST", f"{path}/events", json=REVIEW, headers=key), 201)
    await body(await api.send("POST", f"{path}/events", json=REVIEW, headers=key), 201)
    await api.ground.poll()
    assert len(await api.pages(f"{path}/events", 10)) == 2


async def test_a_series_is_moved_whole(api: Api) -> None:
    path = await polled(api)
    work = api.ground.server.calendars[CalendarKey("/work/")]
    work.put("s.ics", series("Stand-up", 2, rule="RRULE:FREQ=DAILY;COUNT=3"))
    await api.ground.poll()
    listed = await api.pages(f"{path}/events?instances=false", 10)
    (master,) = [one for one in listed if one["name"] == "Stand-up"]
    patch = {"start": "2026-11-02T08:00:00Z", "end": "2026-11-02T08:30:00Z"}
    where = f"{path}/events/{master['id']}"
    assert (await body(await api.send("PATCH", where, json=patch), 200))["recurrence"]
    starts = [one["start"] for one in await api.pages(f"{path}/events", 10)][:3]
    assert starts == [f"2026-11-0{day}T09:00:00+01:00" for day in (2, 3, 4)]
