"""Profiles: Cronofy's list (api.md C1) and the native routes (N8, N10, N12, N13)."""

import asyncio
from typing import Any

import pytest

from syncd.model.access import Scope
from syncd.model.errors import TransientError
from syncd.model.ids import profile_name
from tests.api.serving import Api
from tests.engine.ground import event

N8 = {
    "profile_id", "account_id", "user_id", "provider", "service", "login", "name", "state",
    "state_reason", "state_since", "relink_url", "created", "polled_at", "next_poll_at",
    "consecutive_failures", "last_error", "cursor", "oldest_cursor", "calendars",
}  # fmt: skip
N8_CALENDAR = {
    "calendar_id", "name", "primary", "readonly", "events", "polled_at", "lag_seconds",
    "reconciled_at", "mode", "suspect_deletes", "unparsed", "last_error",
}  # fmt: skip


def path(api: Api, rest: str = "") -> str:
    return f"/v1/profiles/{profile_name(api.ground.profile_id)}{rest}"


async def post(api: Api, rest: str, status: int, **more: Any) -> Any:  # noqa: ANN401 - JSON
    response = await api.send("POST", path(api, rest), **more)
    body = await response.json(content_type=None)
    assert response.status == status, body
    return body


async def test_profiles_are_listed_as_the_seed_shows_them(api: Api) -> None:
    """C1, W7: connected ones have no relink URL at all."""
    (one,) = (await api.json("/v1/profiles"))["profiles"]
    assert one == {
        "provider_name": "caldav",
        "provider_service": "caldav",
        "profile_id": profile_name(api.ground.profile_id),
        "profile_name": "ada@example.org",
        "profile_connected": True,
        "profile_initial_sync_required": True,
    }


async def test_a_disconnected_profile_is_listed_with_its_own_stable_link(api: Api) -> None:
    """C1, N1: the same wherever it is shown; a paused one is still connected."""
    await api.parts.control.pause(api.ground.profile_id)
    (one,) = (await api.json("/v1/profiles"))["profiles"]
    assert one["profile_connected"] is True
    await api.disconnect()
    seen = {
        (await api.json("/v1/profiles"))["profiles"][0]["profile_relink_url"],
        (await api.json("/v1/profiles"))["profiles"][0]["profile_relink_url"],
        (await api.json(path(api)))["relink_url"],
        (await api.json("/v1/accounts/me"))["relink_url"],
    }
    assert len(seen) == 1
    assert seen.pop().startswith(f"{api.url}/relink/")
    (one,) = (await api.json("/v1/profiles"))["profiles"]
    assert one["profile_connected"] is False


async def test_a_user_sees_her_own_profiles_only(api: Api) -> None:
    """C1, R6."""
    await api.another()
    assert len((await api.json("/v1/profiles"))["profiles"]) == 1
    alone = await api.token(profile_id=api.ground.profile_id)
    assert len((await api.json("/v1/profiles", token=alone))["profiles"]) == 1
    everyone = await api.token(admin=True)
    assert len((await api.json("/v1/profiles", token=everyone))["profiles"]) == 2


async def test_bodies_of_reads_are_ignored(api: Api) -> None:
    """R3: pycronofy sends {} with every GET, the Go client null."""
    for body in (b"{}", b"null", b"no JSON at all"):
        assert (await api.get("/v1/profiles", data=body)).status == 200


async def test_a_profile_tells_how_it_and_its_calendars_are_doing(api: Api) -> None:
    """N8, N12, R8: by either name."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", event("Review"))
    await api.ground.poll()
    body = await api.json(path(api))
    assert body == await api.json(f"/v1/profiles/{api.account}")
    assert body.keys() == N8
    assert (body["state"], body["state_reason"]) == ("connected", None)
    (calendar,) = body["calendars"]
    assert calendar.keys() == N8_CALENDAR
    assert (calendar["events"], calendar["mode"], calendar["lag_seconds"]) == (1, "token", 0)
    assert body["cursor"] == (await api.json("/v1/accounts/me/events/latest"))["cursor"]
    oldest = await api.json(f"/v1/accounts/me/events?cursor={body['oldest_cursor']}")
    assert oldest["count"] == 4


async def test_a_failing_poll_is_told_in_words(api: Api) -> None:
    """N8."""
    api.ground.server.faults.opening = TransientError("dav.example does not answer")
    await api.ground.poll()
    body = await api.json(path(api))
    assert body["consecutive_failures"] == 1
    assert "dav.example does not answer" in body["last_error"]["message"]
    assert body["last_error"].keys() == {"at", "code", "message"}


async def test_events_that_cannot_be_read_are_listed(api: Api) -> None:
    """N10, I10, R11."""
    work = api.ground.server.add("/work/")
    for number in range(3):
        work.put(f"{number}.ics", event(f"{number}"))
        api.ground.server.faults.unread.add(next(reversed(work.resources)))
    await api.ground.poll()
    errors = path(api, "/errors")
    body = await api.json(errors)
    assert (body["count"], body["page"], body["next_page"]) == (3, 1, None)
    assert body["objects"][0].keys() == {"calendar_id", "href", "first_seen", "count", "message"}
    assert {one["href"] for one in body["objects"]} == {"0.ics", "1.ics", "2.ics"}
    assert await api.pages(errors, 1) == body["objects"]
    assert (await api.get(f"{errors}?page=x")).status == 400


async def test_sync_answers_at_once_or_after_the_poll(api: Api) -> None:
    """N13."""
    api.ground.server.add("/work/").put("a.ics", event("Review"))
    assert await post(api, "/sync", 202) == {"polled_at": None}
    async with asyncio.timeout(5):
        body = await post(api, "/sync?wait=60", 200)
    assert body.keys() == N8 | {"activities"}
    assert body["activities"] == 2  # the calendar and the event
    assert body["state"] == "connected"


async def test_sync_of_what_cannot_be_polled_says_why(api: Api) -> None:
    """N13, R15: 409 when paused; 423 with the link when disconnected."""
    await api.parts.control.pause(api.ground.profile_id)
    assert (await post(api, "/sync", 409))["code"] == "conflict"
    await api.parts.control.resume(api.ground.profile_id)
    await api.disconnect()
    body = await post(api, "/sync?wait=1", 423)
    assert body["code"] == "account_disconnected"
    assert body["relink_url"] == (await api.json(path(api)))["relink_url"]


async def test_pausing_and_resuming(api: Api) -> None:
    """N13, N9."""
    paused = await post(api, "/pause", 200)
    assert (paused["state"], paused["state_reason"]) == ("paused", "operator")
    assert (await api.json("/v1/accounts/me"))["enabled"] is False
    resumed = await post(api, "/resume", 200)
    assert resumed["state"] == "initial"


async def test_a_connected_profile_can_be_given_a_link_too(api: Api) -> None:
    """N13: 24 h, the same while it lives."""
    body = await post(api, "/relink", 200)
    assert body["relink_url"].startswith(f"{api.url}/relink/")
    assert await post(api, "/relink", 200) == body
    assert (await api.json(path(api)))["relink_url"] is None


@pytest.mark.parametrize("body", [None, {}, {"calendar_id": "primary"}, {"calendar_id": None}])
async def test_suspect_absences_become_deletes_when_confirmed(
    api: Api, body: dict[str, str] | None
) -> None:
    """N13, I7: of one calendar or of all; `primary` is a name like any other (R9)."""
    api.ground.server.faults.no_tokens = True
    work = api.ground.server.add("/work/", primary=True)
    for number in range(30):
        work.put(f"{number}.ics", event(f"{number}"))
    await api.ground.poll()
    for number in range(30):
        work.remove(f"{number}.ics")
    await api.ground.poll()
    suspect = await api.json(path(api))
    assert (suspect["state"], suspect["state_reason"]) == ("suspect", "mass_delete")
    assert suspect["calendars"][0]["suspect_deletes"] == 30
    missing = await post(api, "/confirm_deletes", 404, json={"calendar_id": "cal_none"})
    assert missing["code"] == "not_found"
    sent = {} if body is None else {"json": body}
    confirmed = await post(api, "/confirm_deletes", 202, **sent)
    assert confirmed["state"] == "connected"
    assert confirmed["calendars"][0]["events"] == 0


@pytest.mark.parametrize("called", ["profiles", "accounts"])
async def test_a_removed_profile_is_gone(api: Api, called: str) -> None:
    """N13, K5: by either name of it, with the scope for it."""
    place = f"/v1/{called}/{api.account}"
    narrow = await api.token(
        *[one for one in Scope if one not in {Scope.ALL, Scope.MANAGE_PROFILES}]
    )
    assert (await api.send("DELETE", place, token=narrow)).status == 403
    removed = await api.send("DELETE", place)
    assert (removed.status, await removed.read()) == (204, b"")
    for gone in (path(api), f"/v1/accounts/{api.account}"):
        assert (await api.get(gone)).status == 404
    assert (await api.json("/v1/profiles"))["profiles"] == []
    assert (await api.send("DELETE", place)).status == 404
