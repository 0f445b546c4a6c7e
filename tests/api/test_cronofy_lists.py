"""Profiles, calendars and the user in Cronofy's words (api.md C1-C4, C21, C23)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.access import Scope
from tests.api.serving import Api
from tests.engine.ground import all_day, event, on_store


async def filled(api: Api) -> None:
    server = api.ground.server
    server.add("/work/", "Work", primary=True).put("a.ics", event("Review"))
    server.add("/team/", "Team", read_only=True).put("b.ics", all_day("Fair", 2))
    await api.ground.poll()


async def test_a_connected_profile_has_no_relink_url_and_a_lost_one_has(api: Api) -> None:
    """C1: the member is there only while there is something to mend."""
    (before,) = (await api.json("/v1/profiles"))["profiles"]
    assert before == {
        "provider_name": "caldav",
        "provider_service": "caldav",
        "profile_id": before["profile_id"],
        "profile_name": "ada@example.org",
        "profile_connected": True,
        "profile_initial_sync_required": True,
    }
    await api.ground.poll()
    await api.disconnect()
    (after,) = (await api.json("/v1/profiles"))["profiles"]
    assert not after["profile_connected"]
    assert not after["profile_initial_sync_required"]
    assert after["profile_relink_url"].startswith(f"{api.url}/relink/")


async def test_calendars_of_all_profiles_are_listed_together(api: Api) -> None:
    """C2: with the members of C5's answer and those beyond."""
    await filled(api)
    second = await on_store(api.ground.store, api.clock)
    second.server.add("/home/", "Home")
    await second.poll()
    response = await api.get("/v1/calendars")
    listed = (await response.json(content_type=None))["calendars"]
    assert [one["calendar_name"] for one in listed] == ["Work", "Team", "Home"]
    profile = await api.ground.profile()
    assert listed[1] == {
        "provider_name": "caldav",
        "profile_id": profile.public_name,
        "profile_name": "ada@example.org",
        "calendar_id": listed[1]["calendar_id"],
        "calendar_name": "Team",
        "calendar_readonly": True,
        "calendar_deleted": False,
        "calendar_primary": False,
        "calendar_integrated_conferencing_available": False,
        "calendar_attachments_available": False,
        "permission_level": "unrestricted",
    }
    streams = [await api.ground.store.stream(one) for one in (profile.id, second.profile_id)]
    names = [profile.public_name, (await second.profile()).public_name]
    told = [f"{name}={stream.latest}" for name, stream in zip(names, streams, strict=True)]
    assert response.headers["X-Syncd-Cursor"] == ", ".join(told)


async def test_a_calendar_deleted_at_the_provider_stays_for_the_retention_time(api: Api) -> None:
    """C2: marked, and gone after it."""
    await filled(api)
    del api.ground.server.calendars["/team/"]  # type: ignore[arg-type]  # a plain str
    for _ in range(3):  # until absence is proven (F4)
        await api.ground.poll(after=timedelta(minutes=10))
    (gone,) = [
        one for one in (await api.json("/v1/calendars"))["calendars"] if one["calendar_deleted"]
    ]
    assert gone["calendar_name"] == "Team"
    api.clock.advance(timedelta(days=31))
    left = (await api.json("/v1/calendars"))["calendars"]
    assert [one["calendar_name"] for one in left] == ["Work"]


async def test_the_state_of_several_profiles_is_the_worst_of_them(api: Api) -> None:
    """R21: the last-named of several; the oldest poll."""
    await filled(api)
    second = await on_store(api.ground.store, api.clock)
    second.server.add("/home/", "Home")
    await second.poll()
    connected = await api.get("/v1/calendars")
    assert connected.headers["X-Syncd-State"] == "connected"
    assert connected.headers["X-Syncd-Polled-At"].startswith("20")
    await api.disconnect()
    assert (await api.get("/v1/calendars")).headers["X-Syncd-State"] == "disconnected"


@pytest.mark.parametrize("kind", ["user", "profile"])
async def test_the_user_is_known_by_a_token_of_either_kind(api: Api, kind: str) -> None:
    """C3: the scope is that of the token, the zone that of the primary calendar."""
    await filled(api)
    reach = {} if kind == "user" else {"profile_id": api.ground.profile_id}
    token = await api.token(Scope.READ_ACCOUNT, Scope.LIST_CALENDARS, **reach)
    account = (await api.json("/v1/account", token=token))["account"]
    assert account == {
        "account_id": "acc_ada",
        "email": "ada@example.org",
        "name": None,
        "scope": "list_calendars read_account",
        "default_tzid": "Europe/Berlin",
    }


async def test_a_name_that_is_known_is_told(api: Api) -> None:
    profile = await api.ground.profile()
    await api.ground.store.save_profile(replace(profile, name="Ada", login="ada"))
    account = (await api.json("/v1/account"))["account"]
    assert (account["name"], account["email"]) == ("Ada", None)
    assert account["default_tzid"] == "Etc/UTC"


async def test_userinfo_holds_every_profile_with_its_calendars(api: Api) -> None:
    """C4."""
    await filled(api)
    body = await api.json("/v1/userinfo")
    profiles = (await api.json("/v1/profiles"))["profiles"]
    calendars = (await api.json("/v1/calendars"))["calendars"]
    assert body == {
        "sub": "acc_ada",
        "email": "ada@example.org",
        "name": None,
        "zoneinfo": "Europe/Berlin",
        "cronofy.type": "account",
        "cronofy.data": {
            "authorization": {"scope": "all", "status": "active"},
            "profiles": [profiles[0] | {"profile_calendars": calendars}],
        },
    }


async def test_a_revoked_profile_is_gone(api: Api) -> None:
    """C21: any token that covers it, whatever its scopes and whatever the body."""
    profile = await api.ground.profile()
    narrow = await api.token(Scope.LIST_CALENDARS)
    path = f"/v1/profiles/{profile.public_name}/revoke"
    eve = await api.another()
    foreign = await api.token(profile_id=eve.profile_id)
    assert (await api.send("POST", path, token=foreign, json={})).status == 404
    response = await api.send("POST", path, token=narrow, data=b"not JSON")
    assert response.status == 202
    assert response.headers["Content-Length"] == "0"
    assert (await api.json("/v1/profiles"))["profiles"] == []
    assert (await api.send("POST", path, json={})).status == 404


@pytest.mark.parametrize(
    "path", ["/v1/smart_invites", "/v1/availability_rules", "/v1/permissions", "/v1/link_tokens"]
)
async def test_what_is_not_served_is_404(api: Api, path: str) -> None:
    """C23."""
    assert (await api.get(path)).status == 404
