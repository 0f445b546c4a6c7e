"""Events of all profiles in Cronofy's words (api.md C6, C7)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from syncd.model.access import Scope
from syncd.model.event import Answer, Person, Status, Visibility
from syncd.model.managed import ManagedKey
from tests.api.serving import Api
from tests.engine.ground import all_day, event, exception, on_store, series

ADA = Person(email="ada@example.org", name="Ada")
NOVEMBER = "from=2026-11-01&to=2026-12-01"


async def every(api: Api, path: str, **more: Any) -> list[Any]:  # noqa: ANN401 - of a request
    """Return all events, page by page, as clients read them."""
    body = await api.json(path, **more)
    found = list(body["events"])
    while body["pages"]["current"] < body["pages"]["total"]:
        assert len(body["events"]) == 200
        number = body["pages"]["current"]
        body = await api.json(body["pages"]["next_page"].removeprefix(api.url), **more)
        assert body["pages"]["current"] == number + 1
        found += body["events"]
    assert "next_page" not in body["pages"]
    return found


def names(events: list[Any]) -> list[str]:
    return [one["summary"] for one in events]


async def managed(api: Api, key: str, own_id: str) -> str:
    """Say that the command line's application made the event of that name."""
    store = api.ground.store
    (calendar,) = await store.calendars(api.ground.profile_id)
    (found,) = [
        one
        for one in (
            await api.json(f"/v1/accounts/{api.account}/cal/calendars/{calendar.id}/events")
        )["objects"]
        if one["name"] == key
    ]
    place = ManagedKey(
        application="", profile=api.ground.profile_id, calendar=calendar.id, own_id=own_id
    )
    claimed = await store.claim(place, name="n" * 26, at=api.clock.now())
    await store.bind(claimed, found["id"], api.clock.now())
    return str(found["id"])


async def test_an_event_has_every_member(api: Api) -> None:
    """C7."""
    bo = Person(email="bo@example.org", name="Bo", answer=Answer.PENDING)
    me = Person(email="ADA@example.org", answer=Answer.TENTATIVE)
    work = api.ground.server.add("/work/", primary=True)
    work.put(
        "a.ics",
        event(
            "Review",
            description="Bring notes",
            location="Room 2",
            created=datetime(2026, 10, 1, tzinfo=UTC),
            modified=datetime(2026, 10, 2, tzinfo=UTC),
            organizer=bo,
            attendees=(me, bo, replace(bo, email="x@example.org", answer=None)),
            transparent=True,
            status=Status.TENTATIVE,
            visibility=Visibility.PRIVATE,
        ),
    )
    await api.ground.poll()
    (one,) = await every(api, f"/v1/events?{NOVEMBER}")
    (calendar,) = await api.ground.store.calendars(api.ground.profile_id)
    assert one == {
        "calendar_id": calendar.id,
        "event_uid": one["event_uid"],
        "summary": "Review",
        "description": "Bring notes",
        "start": "2026-11-01T09:00:00Z",
        "end": "2026-11-01T10:00:00Z",
        "deleted": False,
        "created": "2026-10-01T00:00:00Z",
        "updated": "2026-10-02T00:00:00Z",
        "location": {"description": "Room 2"},
        "participation_status": "tentative",
        "attendees": [
            {"email": "ADA@example.org", "display_name": None, "status": "tentative"},
            {"email": "bo@example.org", "display_name": "Bo", "status": "needs_action"},
            {"email": "x@example.org", "display_name": "Bo", "status": "unknown"},
        ],
        "organizer": {"email": "bo@example.org", "display_name": "Bo"},
        "transparency": "transparent",
        "status": "tentative",
        "categories": [],
        "recurring": False,
        "event_private": True,
        "options": {"delete": True, "update": True, "change_participation_status": True},
    }


async def test_bare_events_have_empty_texts_and_no_location(api: Api) -> None:
    """C7: strings are empty, never null; a read-only calendar allows nothing."""
    fixed = api.ground.server.add("/fixed/", read_only=True)
    fixed.put("a.ics", replace(all_day("Fair", 3, days=2), name=None, attendees=(ADA,)))
    await api.ground.poll()
    (one,) = await every(api, f"/v1/events?{NOVEMBER}")
    assert (one["summary"], one["description"]) == ("", "")
    assert (one["start"], one["end"]) == ("2026-11-03", "2026-11-05")
    assert "location" not in one
    assert one["options"] == {
        "delete": False,
        "update": False,
        "change_participation_status": False,
    }


async def test_events_of_all_profiles_and_calendars_come_in_one_order(api: Api) -> None:
    """C6: 200 a page, series expanded, each once; the freshness is that of the first page."""
    second = await on_store(api.ground.store, api.clock)
    for here, key in ((api.ground, "/a/"), (api.ground, "/b/"), (second, "/c/")):
        calendar = here.server.add(key)
        for number in range(70):
            start = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=7 * number)
            end = start + timedelta(hours=1)
            calendar.put(f"{number}.ics", event(f"{key}{number}", start=start, end=end))
        calendar.put("s.ics", series(f"{key}series"))
    await api.ground.poll()
    await second.poll()
    path = f"/v1/events?{NOVEMBER}"
    first = await api.get(path)
    found = await every(api, path)
    assert len(found) == 3 * (70 + 30)
    assert len({one["event_uid"] for one in found}) == len(found)
    starts = [one["start"] for one in found]
    assert starts == sorted(starts)
    body = await first.json(content_type=None)
    assert body["pages"]["total"] == 2
    api.ground.server.calendars["/a/"].put("new.ics", event("New"))  # type: ignore[index]
    await api.ground.poll()
    more = await api.get(body["pages"]["next_page"].removeprefix(api.url))
    assert more.headers["X-Syncd-Cursor"] == first.headers["X-Syncd-Cursor"]
    assert (await api.get(path)).headers["X-Syncd-Cursor"] != first.headers["X-Syncd-Cursor"]
    rest = (await more.json(content_type=None))["events"]
    assert names(rest) == names(found[200:])


async def test_a_page_is_of_one_token_and_one_hour(api: Api) -> None:
    """C6: the same token, no parameters; unknown or older: 404."""
    calendar = api.ground.server.add("/work/")
    for number in range(201):
        calendar.put(f"{number}.ics", event(f"{number}"))
    await api.ground.poll()
    body = await api.json(f"/v1/events?{NOVEMBER}&localized_times=true")
    path = body["pages"]["next_page"].removeprefix(api.url)
    (last,) = (await api.json(path))["events"]
    assert last["start"]["tzid"]
    assert (await api.get(path, token=await api.token())).status == 404
    changed = "A" if path[-9] != "A" else "B"
    assert (await api.get(f"{path[:-9]}{changed}{path[-8:]}")).status == 404
    assert (await api.get(path.replace("/events/", "/free_busy/"))).status == 404
    for odd in ("x", "€", "A" * 100):
        assert (await api.get(f"/v1/events/pages/{quote(odd)}")).status == 404
    api.clock.advance(timedelta(minutes=59))
    assert (await api.get(path)).status == 200
    api.clock.advance(timedelta(minutes=2))
    gone = await api.get(path)
    assert gone.status == 404
    assert (await gone.json(content_type=None))["error"] == "not_found"


async def test_the_window_holds_what_begins_before_its_end_and_ends_at_or_after_its_start(
    api: Api,
) -> None:
    """C6."""
    calendar = api.ground.server.add("/work/")
    day = datetime(2026, 11, 10, tzinfo=UTC)
    spans = {
        "over": (-2, -1),
        "ends at start": (-2, 0),
        "point at start": (0, 0),
        "point before": (-1, -1),
        "within": (1, 2),
        "begins at end": (24, 25),
        "around": (-5, 40),
    }
    for name, (start, end) in spans.items():
        times: dict[str, Any] = {
            "start": day + timedelta(hours=start),
            "end": day + timedelta(hours=end),
        }
        calendar.put(f"{name}.ics", event(name, **times))
        calendar.put(
            f"{name} s.ics", series(f"{name} series", rule="RRULE:FREQ=DAILY;COUNT=1", **times)
        )
    await api.ground.poll()
    wanted = {"ends at start", "point at start", "within", "around"}
    found = await every(api, "/v1/events?from=2026-11-10&to=2026-11-11")
    assert set(names(found)) == wanted | {f"{name} series" for name in wanted}


async def test_dates_of_the_window_are_days_of_tzid(api: Api) -> None:
    """C6: and the default window is 42 days back, 201 days ahead."""
    calendar = api.ground.server.add("/work/")
    for name, hour in (("early", 1), ("late", 14)):
        start = datetime(2026, 11, 10, hour, tzinfo=UTC)
        calendar.put(f"{name}.ics", event(name, start=start, end=start + timedelta(hours=1)))
    await api.ground.poll()
    window = "from=2026-11-10&to=2026-11-11"
    assert names(await every(api, f"/v1/events?{window}")) == ["early", "late"]
    tokyo = await every(api, f"/v1/events?{window}&tzid=Asia/Tokyo")
    assert names(tokyo) == ["early", "late"]
    auckland = await every(api, f"/v1/events?{window}&tzid=Pacific/Auckland")
    assert names(auckland) == ["early"]
    response = await api.get("/v1/events?tzid=Mars/Base&from=soon&include_deleted=maybe")
    assert response.status == 422
    assert (await response.json(content_type=None))["errors"].keys() == {"from", "include_deleted"}
    response = await api.get("/v1/events?tzid=Mars/Base")
    assert (await response.json(content_type=None))["errors"]["tzid"][0]["key"] == "errors.invalid"
    response = await api.get("/v1/events?from=2026-11-11&to=2026-11-10")
    assert (await response.json(content_type=None))["errors"].keys() == {"to"}


async def test_the_usual_window_is_42_days_back_and_201_ahead(api: Api) -> None:
    calendar = api.ground.server.add("/work/")
    today = datetime.combine(api.clock.now().date(), time(), UTC)
    for days in (-43, -42, 200, 201):
        start = today + timedelta(days=days)
        calendar.put(f"{days}.ics", event(f"{days}", start=start, end=start + timedelta(hours=1)))
    await api.ground.poll()
    assert names(await every(api, "/v1/events")) == ["-42", "200"]


async def test_calendars_are_chosen_in_brackets(api: Api) -> None:
    """C6, R9: an unknown one is 404, `primary` needs exactly one profile."""
    server = api.ground.server
    server.add("/work/", "Work", primary=True).put("a.ics", event("Review"))
    server.add("/team/", "Team").put("b.ics", event("Sprint"))
    server.add("/fun/", "Fun").put("c.ics", event("Party"))
    await api.ground.poll()
    ids = [one["calendar_id"] for one in (await api.json("/v1/calendars"))["calendars"]]
    some = f"/v1/events?{NOVEMBER}&calendar_ids[]={ids[1]}&calendar_ids[]=primary"
    assert sorted(names(await every(api, some))) == ["Party", "Review"]
    unknown = await api.get(f"/v1/events?{NOVEMBER}&calendar_ids[]=cal_none")
    assert unknown.status == 404
    await on_store(api.ground.store, api.clock)
    ambiguous = await api.get(some)
    assert ambiguous.status == 422
    assert "calendar_ids" in (await ambiguous.json(content_type=None))["errors"]


async def test_localized_times_carry_their_zone(api: Api) -> None:
    """C6."""
    calendar = api.ground.server.add("/work/")
    start = datetime.fromisoformat("2026-11-05T09:00:00+01:00")
    berlin: dict[str, Any] = {"start_zone": "Europe/Berlin", "end_zone": "Europe/Berlin"}
    calendar.put("a.ics", event("Zoned", start=start, end=start + timedelta(hours=1), **berlin))
    calendar.put("b.ics", event("Plain", 6))
    calendar.put("c.ics", all_day("Fair", 7))
    await api.ground.poll()
    found = await every(api, f"/v1/events?{NOVEMBER}&localized_times=True&tzid=Asia/Tokyo")
    assert [one["start"] for one in found] == [
        {"time": "2026-11-05T09:00:00+01:00", "tzid": "Europe/Berlin"},
        {"time": "2026-11-06T09:00:00Z", "tzid": "Etc/UTC"},
        {"time": "2026-11-07", "tzid": "Asia/Tokyo"},
    ]


async def test_occurrences_are_recurring_events_of_their_own(api: Api) -> None:
    """C6: exceptions stand in for what they replace, cancelled ones are left out."""
    calendar = api.ground.server.add("/work/")
    calendar.put(
        "s.ics",
        series("Stand-up", rule="RRULE:FREQ=DAILY;COUNT=4"),
        exception("Late", 2, uid="Stand-up"),
        exception("Off", 3, uid="Stand-up", status=Status.CANCELLED),
    )
    await api.ground.poll()
    found = await every(api, f"/v1/events?{NOVEMBER}")
    assert names(found) == ["Stand-up", "Late", "Stand-up"]
    assert all(one["recurring"] for one in found)
    assert len({one["event_uid"] for one in found}) == 3


@pytest.mark.parametrize("narrow", [Scope.READ_FREE_BUSY, Scope.LIST_CALENDARS])
async def test_reading_events_needs_its_scope(api: Api, narrow: Scope) -> None:
    response = await api.get("/v1/events", token=await api.token(narrow))
    assert response.status == 403
    assert (await response.json(content_type=None)).keys() == {"error", "error_description"}


async def test_managed_events_are_shown_when_asked_for(api: Api) -> None:
    """C6: left out by default; and not bound to a window that nobody named."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", event("Theirs"))
    calendar.put("b.ics", event("Mine", 2))
    far = date(2030, 1, 1)
    calendar.put("c.ics", event("Far", start=far, end=far + timedelta(days=1)))
    await api.ground.poll()
    await managed(api, "Mine", "mine-1")
    await managed(api, "Far", "far-1")
    assert names(await every(api, "/v1/events")) == ["Theirs"]
    both = await every(api, "/v1/events?include_managed=True")
    assert [(one["summary"], one.get("event_id")) for one in both] == [
        ("Theirs", None),
        ("Mine", "mine-1"),
        ("Far", "far-1"),
    ]
    assert names(await every(api, "/v1/events?only_managed=true")) == ["Mine", "Far"]
    assert names(await every(api, f"/v1/events?only_managed=true&{NOVEMBER}")) == ["Mine"]
