"""Feeds (api.md N21, N22): kept by the API, read by whoever has the path."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from syncd.formats.ical_read import read_resource
from syncd.model.access import Scope
from syncd.model.ids import CalendarId, ResourceKey
from tests.api.serving import Api
from tests.api.test_mytoken_rotation import everything
from tests.engine.ground import Ground, event
from tests.fakes.calendars import FakeCalendar
from tests.formats.parsers import proven
from tests.formats.test_ical_feed import BERLIN, REVIEW, SERIES, exception, resource

ALL = "/v1/feeds"
SECOND = timedelta(seconds=1)


def put(work: FakeCalendar, key: str, *parts: str) -> None:
    """Put a resource as a CalDAV server holds it."""
    raw, name = resource(BERLIN, *parts), ResourceKey(key)
    work.put(key, *read_resource(name, raw).events)
    work.resources[name] = replace(work.resources[name], raw=raw)


async def polled(ground: Ground, key: str = "/work/") -> tuple[FakeCalendar, CalendarId]:
    """Return a calendar with one event, as the first poll found it."""
    work = ground.server.add(key, primary=True)
    put(work, "review.ics", REVIEW)
    await ground.poll()
    (known,) = await ground.store.calendars(ground.profile_id)
    return work, known.id


async def publish(api: Api, *calendars: str, **body: Any) -> Any:  # noqa: ANN401 - JSON
    told = {"name": "Team", "calendar_ids": calendars, "detail": "full", **body}
    async with await api.send("POST", ALL, json=told) as response:
        assert response.status == 201, await response.text()
        assert response.headers["ETag"]
        made = await response.json()
        assert response.headers["Location"] == f"{api.url}{ALL}/{made['id']}"
        return made


def path_of(feed: Any) -> str:  # noqa: ANN401 - JSON
    return urlsplit(str(feed["ics_path"])).path


async def read(api: Api, feed: Any) -> bytes:  # noqa: ANN401 - JSON
    async with await api.get(path_of(feed), token="") as response:
        assert response.status == 200, await response.text()
        body = await response.read()
        proven(body)
        return body


async def titles(api: Api, feed: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [str(one["SUMMARY"]) for one in proven(await read(api, feed)).events]


async def test_a_feed_is_made_shown_changed_and_removed(api: Api) -> None:
    _, calendar = await polled(api.ground)
    made = await publish(api, "primary")
    assert made["calendar_ids"] == [calendar]
    assert made["ics_path"].startswith(f"{api.url}/feeds/")
    assert made["ics_path"].endswith(".ics")
    assert made["expires_at"] is None
    assert await api.json(f"{ALL}/{made['id']}") == made
    assert (await api.json(ALL))["objects"] == [made]
    change = {"name": "Busy", "detail": "busy", "expires_at": "2027-01-01T00:00:00+01:00"}
    response = await api.send("PATCH", f"{ALL}/{made['id']}", json=change)
    changed = await response.json()
    assert changed == made | change | {"expires_at": "2026-12-31T23:00:00Z"}
    lifted = await api.send("PATCH", f"{ALL}/{made['id']}", json={"expires_at": None})
    assert (await lifted.json())["expires_at"] is None
    assert (await api.send("DELETE", f"{ALL}/{made['id']}")).status == 204
    assert (await api.get(f"{ALL}/{made['id']}")).status == 404
    assert (await api.get(path_of(made), token="")).status == 404


async def test_feeds_have_versions(api: Api) -> None:
    """R18."""
    await polled(api.ground)
    made = await publish(api, "primary")
    place = f"{ALL}/{made['id']}"
    tag = (await api.get(place)).headers["ETag"]
    assert (await api.get(place, headers={"If-None-Match": tag})).status == 304
    changed = await api.send("PATCH", place, json={"name": "B"}, headers={"If-Match": tag})
    assert changed.status == 200
    for method in ("PATCH", "DELETE"):
        late = await api.send(method, place, json={"name": "C"}, headers={"If-Match": tag})
        assert late.status == 412
    new = {"If-Match": changed.headers["ETag"]}
    assert (await api.send("DELETE", place, headers=new)).status == 204


async def test_feeds_are_listed_page_by_page(api: Api) -> None:
    await polled(api.ground)
    made = [await publish(api, "primary", name=f"{number}") for number in range(5)]
    found = await api.pages(ALL, 2)
    assert found == sorted(made, key=lambda one: one["id"])
    foreign = await api.get(f"{ALL}?page=abc")
    assert foreign.status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "detail": "full"},
        {"name": "", "calendar_ids": ["primary"], "detail": "full"},
        {"name": "x", "calendar_ids": [], "detail": "full"},
        {"name": "x", "calendar_ids": ["primary"], "detail": "some"},
        {"name": "x", "calendar_ids": ["cal_none"], "detail": "full"},
        {"name": "x", "calendar_ids": ["primary"], "detail": "full", "expires_at": "2020-01-01"},
        {"name": "x", "calendar_ids": ["primary"], "detail": "full", "expires_at": "soon"},
        {"name": "x", "calendar_ids": ["primary"], "detail": "full", "expires_at": 4102444800},
    ],
)
async def test_feeds_that_cannot_be_are_refused(api: Api, body: Any) -> None:  # noqa: ANN401 - JSON
    await polled(api.ground)
    response = await api.send("POST", ALL, json=body)
    assert response.status == 400, await response.text()
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_only_calendars_that_the_token_covers_are_published(api: Api) -> None:
    """N21: what is another's is as if it were not there."""
    _, mine = await polled(api.ground)
    eve = await api.another()
    _, hers = await polled(eve, "/hers/")
    made = await publish(api, mine)
    token = await api.token(user_id=None, profile_id=eve.profile_id)
    foreign = {"name": "x", "calendar_ids": [mine], "detail": "full"}
    stolen = await api.send("POST", ALL, token=token, json=foreign)
    nothing = await api.send(
        "POST", ALL, token=token, json=foreign | {"calendar_ids": [hers + "x"]}
    )
    assert (stolen.status, nothing.status) == (400, 400)
    told, unknown = (await stolen.json())["detail"], (await nothing.json())["detail"]
    assert told.replace(mine, "…") == unknown.replace(hers + "x", "…")
    assert (await api.json(ALL, token=token))["objects"] == []
    for method, place in (
        ("GET", f"{ALL}/{made['id']}"),
        ("PATCH", f"{ALL}/{made['id']}"),
        ("DELETE", f"{ALL}/{made['id']}"),
        ("POST", f"{ALL}/{made['id']}/rotate"),
    ):
        response = await api.send(method, place, token=token, json={})
        assert response.status == 404
    own = await api.send("POST", ALL, token=token, json=foreign | {"calendar_ids": [hers]})
    assert own.status == 201
    admin = await api.token(admin=True)
    assert len((await api.json(ALL, token=admin))["objects"]) == 2
    assert (await api.json(ALL))["objects"] == [made]


async def test_a_profiles_token_sees_the_profiles_feeds(api: Api) -> None:
    _, calendar = await polled(api.ground)
    token = await api.token(Scope.MANAGE_FEEDS, Scope.LIST_CALENDARS, profile_id=1)
    body = {"name": "Own", "calendar_ids": [calendar], "detail": "busy"}
    assert (await api.send("POST", ALL, token=token, json=body)).status == 201
    await publish(api, calendar, name="The user's")
    assert [one["name"] for one in (await api.json(ALL, token=token))["objects"]] == ["Own"]
    assert len((await api.json(ALL))["objects"]) == 2


async def test_reading_needs_another_scope_than_writing(api: Api) -> None:
    """R7."""
    await polled(api.ground)
    made = await publish(api, "primary")
    reader = await api.token(Scope.LIST_CALENDARS)
    assert (await api.get(f"{ALL}/{made['id']}", token=reader)).status == 200
    assert (await api.send("DELETE", f"{ALL}/{made['id']}", token=reader)).status == 403
    writer = await api.token(Scope.MANAGE_FEEDS)
    assert (await api.get(ALL, token=writer)).status == 403


async def test_a_rotated_feed_has_another_path(api: Api) -> None:
    await polled(api.ground)
    made = await publish(api, "primary")
    rotated = await (await api.send("POST", f"{ALL}/{made['id']}/rotate")).json()
    assert rotated["ics_path"] != made["ics_path"]
    assert rotated | {"ics_path": ""} == made | {"ics_path": ""}
    assert (await api.get(path_of(made), token="")).status == 404
    assert await titles(api, rotated) == ["Review of the plan, once more"]


async def test_a_feed_ends_when_it_expires(api: Api) -> None:
    await polled(api.ground)
    soon = api.clock.now() + timedelta(hours=1)
    made = await publish(api, "primary", expires_at=soon.isoformat())
    assert await titles(api, made)
    api.clock.advance(timedelta(hours=1))
    gone = await api.get(path_of(made), token="")
    unknown = await api.get("/feeds/unknown.ics", token="")
    assert (gone.status, unknown.status) == (404, 404)
    assert (await gone.json())["detail"] == (await unknown.json())["detail"]
    assert (await api.json(f"{ALL}/{made['id']}"))["id"] == made["id"]


async def test_a_feed_follows_its_calendar(api: Api) -> None:
    """N22: kept current from the snapshot; unchanged content is equal bytes, and 304."""
    work, _ = await polled(api.ground)
    made = await publish(api, "primary")
    first = await api.get(path_of(made), token="")
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert 'filename="Team"' in first.headers["Content-Disposition"]
    assert first.headers["Cache-Control"] == "private, max-age=300"
    assert first.headers["X-Robots-Tag"] == "noindex"
    assert first.headers["Referrer-Policy"] == "no-referrer"
    body, tag = await first.read(), first.headers["ETag"]
    await api.ground.poll()
    api.clock.advance(SECOND)
    again = await api.get(path_of(made), token="")
    assert (again.headers["ETag"], await again.read()) == (tag, body)
    for held in (
        {"If-None-Match": tag},
        {"If-Modified-Since": again.headers["Last-Modified"]},
    ):
        assert (await api.get(path_of(made), token="", headers=held)).status == 304
    head = await api.send("HEAD", path_of(made), token="")
    assert (head.status, head.headers["ETag"], await head.read()) == (200, tag, b"")
    put(work, "review.ics", REVIEW.replace("Review", "Second review"))
    put(work, "daily.ics", SERIES, exception("20261104T140000"))
    await api.ground.poll()
    for stale in (
        {"If-None-Match": tag},
        {"If-Modified-Since": again.headers["Last-Modified"]},
    ):
        fresh = await api.get(path_of(made), token="", headers=stale)
        assert fresh.status == 200
        assert fresh.headers["ETag"] != tag
    assert await titles(api, made) == [
        "Stand-up",
        "Stand-up, late",
        "Second review of the plan, once more",
    ]


async def test_busy_tells_only_when(api: Api) -> None:
    """N22: what the profile itself declined is no time of its."""
    work, _ = await polled(api.ground)
    mine = "ATTENDEE;PARTSTAT=DECLINED:mailto:ada@example.org\nLOCATION"
    put(work, "declined.ics", REVIEW.replace("LOCATION", mine).replace(":review", ":other"))
    theirs = "ATTENDEE;PARTSTAT=DECLINED:mailto:eve@example.org\nLOCATION"
    put(work, "theirs.ics", REVIEW.replace("LOCATION", theirs).replace(":review", ":third"))
    await api.ground.poll()
    made = await publish(api, "primary", detail="busy")
    body = await read(api, made)
    assert await titles(api, made) == ["Busy", "Busy"]
    for secret in (b"plan", b"example.org", b"Room", b"UID:review"):
        assert secret not in body
    assert await read(api, made) == body


async def test_a_calendar_that_is_gone_is_left_out(api: Api) -> None:
    await polled(api.ground)
    other = api.ground.server.add("/other/")
    put(other, "daily.ics", SERIES)
    await api.ground.poll(listing=True)
    known = await api.ground.store.calendars(api.ground.profile_id)
    made = await publish(api, *(one.id for one in known))
    assert len(await titles(api, made)) == 2
    tag = (await api.get(path_of(made), token="")).headers["ETag"]
    await api.send("DELETE", f"/v1/profiles/{api.account}")
    gone = await api.get(path_of(made), token="", headers={"If-None-Match": tag})
    assert gone.status == 200
    assert proven(await gone.read()).events == []


@pytest.mark.parametrize("detail", ["full", "busy"])
async def test_a_large_calendar_comes_whole(api: Api, detail: str) -> None:
    """Page by page; a resource is never cut in two."""
    work = api.ground.server.add("/work/", primary=True)
    for number in range(230):
        day = SERIES.replace("UID:daily", f"UID:{number}")
        late = exception("20261104T140000").replace("UID:daily", f"UID:{number}")
        put(work, f"{number}.ics", day, late)
    await api.ground.poll()
    made = await publish(api, "primary", detail=detail)
    events = proven(await read(api, made)).events
    assert len(events) == 460
    assert len({str(one["UID"]) for one in events}) == 230


async def test_the_store_does_not_hold_a_feeds_path(api: Api, tmp_path: Path) -> None:
    """reliability.md §5."""
    await polled(api.ground)
    made = await publish(api, "primary")
    secret = path_of(made).removeprefix("/feeds/").removesuffix(".ics")
    sealed = f"|path\0{secret}".encode()  # as the vault of these tests does
    held = everything(tmp_path)
    assert sealed in held
    assert secret.encode() not in held.replace(sealed, b"")


async def test_a_feed_may_last_to_the_end_of_time(api: Api) -> None:
    """R12: whatever the offset makes of it; it is listed as it was answered."""
    await polled(api.ground)
    made = await publish(api, "primary", expires_at="9999-12-31T23:59:59-12:00")
    assert (await api.json(ALL))["objects"] == [made]
    assert (await api.get(path_of(made), token="")).status == 200


async def test_a_feed_is_read_600_times_an_hour(api: Api) -> None:
    """N22, M9."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", event("Review"))
    await api.ground.poll()
    made = await publish(api, "primary")
    for _ in range(600):
        assert (await api.send("HEAD", path_of(made), token="")).status == 200
    refused = await api.get(path_of(made), token="")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "6")


async def test_of_what_is_no_icalendar_only_busy_times_are_published(api: Api) -> None:
    """N21: never a file without the events."""
    _, known = await polled(api.ground)
    api.ground.server.can = replace(api.ground.server.can, icalendar=False)
    told = {"name": "Team", "calendar_ids": [known], "detail": "full"}
    async with await api.send("POST", ALL, json=told) as response:
        assert response.status == 400
        assert "only busy times" in await response.text()
    busy = await publish(api, known, detail="busy")
    for change in ({"detail": "full"}, {"detail": "full", "calendar_ids": [known]}):
        async with await api.send("PATCH", f"{ALL}/{busy['id']}", json=change) as response:
            assert response.status == 400
