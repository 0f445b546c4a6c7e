"""Accounts, calendars and events (api.md K1-K4, K10-K12, K14, K17, K18, K20, K23)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from yarl import URL

from syncd.model.access import User
from syncd.model.event import Answer, CustomProperty, File, Person
from syncd.model.ids import UserId
from tests.api.serving import Api
from tests.engine.ground import all_day, event, exception, series
from tests.store.samples import an_application

EVENT = {  # of the seed's example, but for what CalDAV has not
    "api", "type", "id", "account_id", "ical_uid", "calendar_id", "recurrence_type", "creator",
    "organizer", "attendees", "created", "modified", "all_day", "start", "start_time_zone", "end",
    "end_time_zone", "name", "description", "location", "status", "visibility", "attachments",
    "custom_properties", "reminders", "reminder", "recurrence", "transparent", "href",
}  # fmt: skip
CALENDAR = {
    "id", "name", "description", "location", "timezone", "account_id", "api", "type", "href",
}  # fmt: skip


async def polled(api: Api) -> str:
    """Read two calendars; return the path of the primary one."""
    work = api.ground.server.add("/work/", "Work", primary=True)
    work.put("a.ics", event("Review", 20))
    work.put("b.ics", series("Stand-up", 2, rule="RRULE:FREQ=DAILY;COUNT=5"))
    work.put("c.ics", all_day("Holiday", 25))
    api.ground.server.add("/home/", "Home")
    await api.ground.poll()
    return f"/v1/accounts/{api.account}/cal/calendars/primary"


def names(objects: list[Any]) -> list[str]:
    return [one["name"] for one in objects]


async def test_an_account_tells_its_state_and_is_found_as_me(api: Api) -> None:
    """K1-K3: the authenticator reads id, account, service_name and apis."""
    me = await api.json("/v1/accounts/me")
    assert me == await api.json(f"/v1/accounts/{api.account}/?retrieve_full=False")
    assert me["href"] == f"{api.url}/v1/accounts/{api.account}"
    assert (me["id"], me["account"], me["service_name"]) == (
        api.account, "ada@example.org", "CalDAV",
    )  # fmt: skip
    assert (me["type"], me["api"], me["apis"]) == ("account", "core", ["calendar", "contact"])
    assert (me["active"], me["enabled"], me["state"]) == (True, True, "initial")
    assert (me["relink_url"], me["polled_at"]) == (None, None)


async def test_me_is_only_ever_one_account(api: Api) -> None:
    """R6: several accounts are named, none is 404, an API key has none of its own."""
    await api.another()
    admin = await api.token(admin=True)
    several = await api.get("/v1/accounts/me", token=admin)
    body = await several.json(content_type=None)
    assert (several.status, body["error_code"]) == (400, "ambiguous_account")
    assert body["accounts"] == [str(api.account), str(api.account + 1)]
    user = UserId("acc_nobody")
    await api.ground.store.add_user(User(id=user, name="nobody", created=api.clock.now()))
    nobody = await api.token(user_id=user)
    assert (await api.get("/v1/accounts/me", token=nobody)).status == 404


async def test_several_tokens_cover_what_each_of_them_covers(api: Api) -> None:
    """R5: in any order on a path with one account; a lone me is 400."""
    eve = await api.another()
    hers = await api.token(profile_id=eve.profile_id)
    both = f"{api.everything} , {hers}"
    for number in (api.account, int(eve.profile_id)):
        assert (await api.json(f"/v1/accounts/{number}", token=both))["id"] == number
    listed = await api.json("/v1/accounts", token=both)
    assert [one["id"] for one in listed["objects"]] == [api.account, int(eve.profile_id)]
    assert (await api.get("/v1/accounts/me", token=both)).status == 400
    many = ",".join([hers] * 21)
    assert (await api.get("/v1/accounts", token=many)).status == 401


async def test_an_api_key_covers_what_was_made_on_the_command_line(api: Api) -> None:
    """R5, R6: by its own scheme only, in any case; accounts are named by id."""
    application = an_application()
    await api.ground.store.add_application(application)
    key = await api.token(application_id=application.id)
    for scheme in ("APIKey", "apikey", "APIKEY"):
        headers = {"Authorization": f"{scheme} {key}"}
        listed = await api.json("/v1/accounts", token="", headers=headers)
        assert [one["id"] for one in listed["objects"]] == [api.account]
        me = await api.get("/v1/accounts/me", token="", headers=headers)
        assert me.status == 400
    assert (await api.get("/v1/accounts", token=key)).status == 401
    headers = {"Authorization": f"APIKey {api.everything}"}
    assert (await api.get("/v1/accounts", token="", headers=headers)).status == 401


async def test_accounts_are_listed_by_id_page_by_page_and_filtered(api: Api) -> None:
    """K4, R11."""
    for name in ("eve", "bob", "cyd"):
        await api.another(name)
    api.everything = await api.token(admin=True)
    whole = await api.json("/v1/accounts")
    assert (whole["type"], whole["api"], whole["page"], whole["next_page"]) == (
        "object_list", "core", 1, None,
    )  # fmt: skip
    ids = [one["id"] for one in whole["objects"]]
    assert ids == sorted(ids)
    assert len(ids) == 4
    assert await api.pages("/v1/accounts", 1) == whole["objects"]
    assert await api.pages("/v1/accounts?service=caldav&active=TRUE", 3) == whole["objects"]
    assert await api.pages("/v1/accounts?service=exchange", 3) == []
    await api.disconnect()
    assert [one["id"] for one in await api.pages("/v1/accounts?active=0", 3)] == [api.account]


async def test_calendars_come_with_the_primary_one_first(api: Api) -> None:
    """K12: every documented member, page a string, null at the end."""
    await polled(api)
    listing = f"/v1/accounts/{api.account}/cal/calendars"
    body = await api.json(listing)
    assert body.keys() == {"count", "page", "next_page", "objects", "type", "api"}
    assert (body["count"], body["page"], body["next_page"]) == (2, "1", None)
    assert names(body["objects"]) == ["Work", "Home"]
    assert body["objects"][0].keys() == CALENDAR
    assert body["objects"][0]["timezone"] == "Europe/Berlin"
    assert await api.pages(listing, 1) == body["objects"]
    second = (await api.json(f"{listing}?page_size=1"))["next_page"]
    assert (await api.json(f"{listing}?page_size=1&page={second}"))["page"] == "2"
    assert (await api.json(f"{listing}?page=1"))["objects"] == body["objects"]


async def test_a_page_of_another_list_is_refused(api: Api) -> None:
    """R11: foreign or stale is 400 invalid_page."""
    primary = await polled(api)
    listing = f"/v1/accounts/{api.account}/cal/calendars"
    calendars = (await api.json(f"{listing}?page_size=1"))["next_page"]
    events = (await api.json(f"{primary}/events?page_size=1"))["next_page"]
    for place, page in (
        (listing, events), (listing, "2"), (listing, "&"), (f"{primary}/events", calendars),
        (f"{primary}/events", "x"), ("/v1/accounts", calendars),
    ):  # fmt: skip
        response = await api.get(f"{place}?page={page}")
        body = await response.json(content_type=None)
        assert (response.status, body["error_code"]) == (400, "invalid_page"), (place, page)


async def test_following_href_leads_to_the_object_itself(api: Api) -> None:
    """R10, W1: of accounts, calendars and events; at the address that was used."""
    primary = await polled(api)
    objects = [await api.json("/v1/accounts/me"), await api.json(primary)]
    objects += (await api.json(f"{primary}/events?instances=false"))["objects"]
    assert len(objects) == 5
    for one in objects:
        assert one["href"].startswith(api.url)
        assert await api.json(URL(one["href"]).path) == one


async def test_links_carry_the_public_address_unless_the_host_is_ours(api: Api) -> None:
    """R10."""
    for host, expected in (
        ("evil.example", "https://syncd.example"),
        ("syncd.example", "http://syncd.example"),
        ("localhost:99", "http://localhost:99"),
        ("127.0.0.2:1", "http://127.0.0.2:1"),
    ):
        me = await api.json("/v1/accounts/me", headers={"Host": host})
        assert me["href"] == f"{expected}/v1/accounts/{api.account}"


async def test_an_event_has_every_documented_member(api: Api) -> None:
    """K17, W7."""
    person = Person(email="bo@example.org", name="Bo", answer=Answer.PENDING)
    api.ground.server.add("/work/", primary=True).put(
        "a.ics",
        event(
            "Review",
            20,
            organizer=Person(email="ada@example.org", name="Ada"),
            attendees=(person,),
            attachments=(File(url="https://example.org/a.png", mime_type="image/png"),),
            custom_properties=(CustomProperty(key="color", value="green"),),
        ),
    )
    await api.ground.poll()
    primary = f"/v1/accounts/{api.account}/cal/calendars/primary"
    (one,) = (await api.json(f"{primary}/events"))["objects"]
    assert set(one) >= EVENT
    assert not {"raw", "original_start", "recurring_master_id", "use_default_reminder"} & set(one)
    assert (one["start"], one["end"]) == ("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z")
    assert one["attendees"][0] == {
        "id": None, "name": "Bo", "email": "bo@example.org", "required": True,
        "resource": False, "status": "pending",
    }  # fmt: skip
    assert one["attachments"][0].keys() == {"id", "name", "url", "mime_type"}
    assert one["custom_properties"] == [{"key": "color", "value": "green", "private": True}]


async def test_series_are_listed_as_occurrences_or_as_masters(api: Api) -> None:
    """K18, K20, K23: and each occurrence is found by its id."""
    primary = await polled(api)
    whole = await api.json(f"{primary}/events")
    expected = ["Stand-up"] * 5 + ["Review", "Holiday"]
    assert names(whole["objects"]) == expected
    assert (whole["total"], whole["page"], whole["count"]) == (7, 1, 7)
    assert await api.pages(f"{primary}/events", 2) == whole["objects"]
    occurrence = whole["objects"][1]
    assert occurrence["recurrence_type"] == "recurring"
    assert await api.json(f"{primary}/events/{occurrence['id']}") == occurrence
    plain = (await api.json(f"{primary}/events?instances=false"))["objects"]
    assert names(plain) == ["Stand-up", "Review", "Holiday"]
    for word in ("0", "False"):
        assert (await api.json(f"{primary}/events?instances={word}"))["objects"] == plain
    master = plain[0]
    assert master["recurrence"] == [{"rrule": "RRULE:FREQ=DAILY;COUNT=5"}]
    assert occurrence["recurring_master_id"] == master["id"]
    assert (await api.get(f"{primary}/events/{master['id']}_20261231T090000Z")).status == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start=2026-11-20T10:00:00Z", ["Holiday"]),
        ("start=2026-11-20T09:59:59Z", ["Review", "Holiday"]),
        ("start=2026-11-20T11:59:59 02:00", ["Review", "Holiday"]),
        ("start=2026-11-20T10:59:59", ["Review", "Holiday"]),  # local: Berlin, the calendar's zone
        ("start=2026-11-20&end=2026-11-21", ["Review"]),
        ("start=2026-11-20&end=2026-11-20T09:00:00Z", []),
        ("end=1158-09-21T00:29:24+03:37", []),
        ("start=2026-11-24T23:00:00Z&end=2026-11-24T23:00:01Z", ["Holiday"]),  # 00:00 in Berlin
        ("start=2026-11-24T22:00:00Z&end=2026-11-24T23:00:00Z", []),
    ],
)
async def test_the_window_is_exclusive_at_both_ends(
    api: Api, query: str, expected: list[str]
) -> None:
    """K18, R12."""
    primary = await polled(api)
    assert names((await api.json(f"{primary}/events?{query}"))["objects"]) == expected


async def test_a_window_that_cannot_be_is_refused(api: Api) -> None:
    """K18, R12."""
    primary = await polled(api)
    for query in (
        "start=2026-11-21&end=2026-11-20", "start=yesterday", "end=2026-13-01", "instances=maybe",
        "start=2026-11-20T25:00:00Z",
    ):  # fmt: skip
        response = await api.get(f"{primary}/events?{query}")
        body = await response.json(content_type=None)
        assert (response.status, body["error_code"]) == (400, "invalid_parameters"), query


@pytest.mark.parametrize(
    "path",
    [
        "/v1/accounts/me/cal/calendars/primary/events?start=9999-12-31T23:59:59-12:00",
        "/v1/accounts/me/cal/calendars/primary/events?start=9999-12-31",
        "/v1/accounts/me/cal/calendars/primary/events?end=0001-01-01T00:00:00%2B14:00",
        "/v1/events?from=0001-01-01&tzid=Asia/Tokyo",
        "/v1/events?to=9999-12-31&tzid=America/New_York",
        "/v1/events?last_modified=0001-01-01T00:00:00",
        "/v1/events?last_modified=9999-12-31T23:59:59-12:00&include_deleted=1",
    ],
)
async def test_the_ends_of_time_are_no_failure(api: Api, path: str) -> None:
    """R12: every time of RFC 3339 is taken, whatever its offset makes of it."""
    await polled(api)
    response = await api.get(path)
    assert response.status == 200


async def test_a_cut_expansion_says_so(api: Api) -> None:
    """K23, R21: 2,000 occurrences of a series."""
    api.ground.server.add("/work/", primary=True).put(
        "a.ics", series("Often", 2, rule="RRULE:FREQ=HOURLY")
    )
    await api.ground.poll()
    primary = f"/v1/accounts/{api.account}/cal/calendars/primary"
    response = await api.get(f"{primary}/events?page_size=1")
    assert response.headers["X-Syncd-Truncated"] == "true"
    short = await api.get(f"{primary}/events?end=2026-11-03")
    assert "X-Syncd-Truncated" not in short.headers


async def test_raw_objects_come_only_when_asked_for(api: Api) -> None:
    """K11: of lists and single objects, of exceptions the whole resource."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("b.ics", series("Stand-up"), exception("Late", 3, uid="Stand-up"))
    await api.ground.poll()
    primary = f"/v1/accounts/{api.account}/cal/calendars/primary"
    asked = {"X-Kloudless-Raw-Data": "true"}
    unclear = await api.get(primary, headers={"X-Kloudless-Raw-Data": "perhaps"})
    told = (await unclear.json(content_type=None))["message"]
    assert (unclear.status, told.split(":")[0]) == (400, "X-Kloudless-Raw-Data")
    listed = (await api.json(f"{primary}/events?instances=false", headers=asked))["objects"]
    assert [one["raw"]["id"] for one in listed] == ["b.ics", "b.ics"]
    assert listed[0]["raw"]["object"].keys() == {"href", "etag", "ical"}
    assert listed[0]["raw"]["object"]["ical"] == "BEGIN"
    single = await api.json(f"{primary}/events/{listed[0]['id']}", headers=asked)
    assert single == listed[0]
    assert (await api.json(primary, headers=asked))["raw"]["id"] == "/work/"
    unasked = await api.json(primary, headers={"X-Kloudless-Raw-Data": "false"})
    assert "raw" not in unasked


async def test_a_version_that_is_held_is_not_sent_again(api: Api) -> None:
    """R18: of one calendar and one event; a change gives another version."""
    primary = await polled(api)
    (review,) = [
        one for one in (await api.json(f"{primary}/events"))["objects"] if one["name"] == "Review"
    ]
    for place in (primary, f"{primary}/events/{review['id']}"):
        first = await api.get(place)
        tag = first.headers["ETag"]
        assert tag.startswith('"')
        held = await api.get(place, headers={"If-None-Match": f'"x", {tag}'})
        assert (held.status, await held.read(), held.headers["ETag"]) == (304, b"", tag)
        assert (await api.get(place, headers={"If-None-Match": '"x"'})).status == 200
    place = f"{primary}/events/{review['id']}"
    tag = (await api.get(place)).headers["ETag"]
    work = next(iter(api.ground.server.calendars.values()))
    work.put("a.ics", event("Review (moved)", 20, uid="Review"))
    await api.ground.poll()
    changed = await api.get(place, headers={"If-None-Match": tag})
    assert changed.status == 200


async def test_list_then_follow_loses_nothing(api: Api) -> None:
    """R21: all pages name the cursor of the first one, and the stream goes on from it."""
    primary = await polled(api)
    first = await api.get(f"{primary}/events?page_size=3")
    cursor = first.headers["X-Syncd-Cursor"]
    work = next(iter(api.ground.server.calendars.values()))
    work.put("d.ics", event("New", 21))
    await api.ground.poll()
    page = (await first.json(content_type=None))["next_page"]
    second = await api.get(f"{primary}/events?page_size=3&page={page}")
    assert second.headers["X-Syncd-Cursor"] == cursor
    news = await api.json(f"/v1/accounts/{api.account}/events?cursor={cursor}")
    assert [one["metadata"]["name"] for one in news["objects"]] == ["New"]
    calendars = f"/v1/accounts/{api.account}/cal/calendars"
    for place in (calendars, primary):
        listed = await api.get(place)
        latest = await api.json(f"/v1/accounts/{api.account}/events/latest")
        assert listed.headers["X-Syncd-Cursor"] == latest["cursor"]


async def test_reads_tell_state_and_age_and_go_on_when_disconnected(api: Api) -> None:
    """R21, R15."""
    listing = f"/v1/accounts/{api.account}/cal/calendars"
    before = await api.get(listing)
    assert before.headers["X-Syncd-State"] == "initial"
    assert "X-Syncd-Polled-At" not in before.headers
    primary = await polled(api)
    for place in (listing, primary, f"{primary}/events"):
        response = await api.get(place)
        assert response.headers["X-Syncd-State"] == "connected"
        age = api.clock.now() - datetime.fromisoformat(response.headers["X-Syncd-Polled-At"])
        assert timedelta() <= age < timedelta(minutes=1)
    await api.disconnect()
    gone = await api.get(f"{primary}/events")
    assert (gone.status, gone.headers["X-Syncd-State"]) == (200, "disconnected")
    await api.parts.control.pause(api.ground.profile_id)
    assert (await api.get(listing)).headers["X-Syncd-State"] == "disconnected"
