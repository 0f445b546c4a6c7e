"""Every route and every token that must not open it (R5, R6); new routes are in by themselves.

`test_routes.py` holds what needs no more than a path: no token, dead ones, narrow ones, another
user's path. Here: tokens of another kind, and the objects of others named in a body.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from syncd.api.build import routes
from syncd.api.route import Route
from syncd.model.access import Application, split_token
from syncd.model.ids import ApplicationId
from tests.api.serving import Api
from tests.api.test_routes import GUARDED, OF_ONE_PROFILE, Places, name, refusal
from tests.engine.ground import Ground, event, on_store

BY_SECRET = {"/v1/availability"}  # C16: the client secret counts as the API key
CALENDAR = "mine"  # of expiring tokens
WINDOW = {"start": "2026-11-24T10:00:00Z", "end": "2026-11-24T12:00:00Z"}
STREAMS = [one for one in routes() if one.path.endswith("/stream")]  # they have no end
NAMED: Mapping[str, Any] = {  # by operation: a body that names somebody's objects
    "confirm_deletes": {"calendar_id": "<calendar>"},
    "find_availability": {
        "calendars": ["<calendar>"],
        "meeting_duration": "PT1H",
        "time_windows": [WINDOW],
    },
    "find_meeting_times": {
        "participants": [{"members": [{"sub": "<user>"}], "required": "all"}],
        "required_duration": {"minutes": 60},
        "available_periods": [WINDOW],
    },
    "subscribe_token": {"mom_id": "<lineage>"},
    "create_calendar_in_profile": {"profile_id": "<profile>", "name": "Mine"},
    "delete_managed_events": {"calendar_ids": ["<calendar>"]},
    "create_feed": {"name": "Mine", "calendar_ids": ["<calendar>"], "detail": "full"},
    "update_feed": {"calendar_ids": ["<calendar>"]},
    "create_webhook": {"url": "https://app.example/hook", "profiles": ["<profile>"]},
    "update_webhook": {"profiles": ["<profile>"]},
    "create_subscription": {"monitored_resources": ["<calendar>"]},
    "update_subscription": {"monitored_resources": ["<calendar>"]},
    "open_channel": {
        "callback_url": "https://app.example/",
        "filters": {"calendar_ids": ["<calendar>"]},
    },
    "replay_webhook": {"profile_id": "<profile>", "cursor": "aaaaaaaa0"},
}
NOTHING_NAMED = frozenset({  # operations whose body names no object of anybody
    *("create_calendar", "update_calendar", "create_event", "update_event"),
    *("create_token_calendar", "change_token_calendar", "create_tag", "change_tag"),
    "rotate_webhook_secret",
    "invite_person",  # ``user`` is the application's own name for somebody
    *("upsert_event", "delete_named_event", "change_participation"),  # ids are of the calendar
    "run_batch",  # its entries are asked for like requests of their own
})  # fmt: skip


async def application(api: Api, called: str) -> str:
    """Register an application and return its key."""
    made = Application(id=ApplicationId(called), name=called, created=api.clock.now())
    await api.ground.store.add_application(made)
    return await api.token(application_id=made.id)


async def with_eve(api: Api) -> Ground:
    """Add another user with a profile, a calendar and an event, beside those of the first."""
    eve = await api.another()
    for ground, whose in ((api.ground, "Ours"), (eve, "Hers")):
        ground.server.add("/calendar/", whose, primary=True).put("a.ics", event(whose))
        await ground.poll()
    return eve


async def test_a_token_under_another_scheme_opens_nothing(api: Api) -> None:
    """R5: a person's token is no API key, an API key no bearer's token."""
    key = await application(api, "one")
    for route in GUARDED:
        path = Places(api.account).fill(route)
        as_key = {"Authorization": f"APIKey {api.everything}"}
        refused = await api.send(route.method, path, token="", headers=as_key)
        assert refused.status == 401, name(route)
        await refusal(refused, route)
        if route.path not in BY_SECRET:
            refused = await api.send(route.method, path, token=key)
            told = await refusal(refused, route)
            usage = told.get("error") == "usage_restricted"  # M13: a mytoken has to be of a user
            assert refused.status == (403 if usage else 401), name(route)


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Token", "Bearer:", ""])
async def test_an_unknown_scheme_opens_nothing(api: Api, scheme: str) -> None:
    for route in GUARDED:
        sent = {"Authorization": f"{scheme} {api.everything}".strip()}
        path = Places(api.account).fill(route)
        assert (await api.send(route.method, path, token="", headers=sent)).status == 401, name(
            route
        )


async def test_a_token_is_taken_from_the_header_only(api: Api) -> None:
    """R5: never from the query, never from a cookie."""
    for route in GUARDED:
        path = Places(api.account).fill(route)
        for place in ("token", "access_token", "api_key", "bearer_token"):
            query = f"{path}?{place}={api.everything}"
            cookie = {"Cookie": f"{place}={api.everything}"}
            assert (await api.send(route.method, query, token="")).status == 401, name(route)
            sent = await api.send(route.method, path, token="", headers=cookie)
            assert sent.status == 401, name(route)


async def test_a_profiles_token_does_not_open_its_users_other_profiles(api: Api) -> None:
    """R6: one profile, as if there were no other."""
    other = await on_store(api.ground.store, api.clock)
    alone = await api.token(profile_id=api.ground.profile_id)
    for route in OF_ONE_PROFILE:
        if "{account_id}" in route.path or "{profile_id}" in route.path:
            path = Places(int(other.profile_id)).fill(route)
            refused = await api.send(route.method, path, token=alone)
            assert refused.status == 404, name(route)
            await refusal(refused, route)


async def test_an_application_opens_what_was_connected_through_it_alone(api: Api) -> None:
    """R6: another application's profiles are not there; those of the command line are."""
    ours, theirs = await application(api, "ours"), await application(api, "theirs")
    profile = await api.ground.profile()
    await api.ground.store.save_profile(replace(profile, application_id=ApplicationId("ours")))
    for route in OF_ONE_PROFILE:
        if "{account_id}" in route.path or "{profile_id}" in route.path:
            sent = {"Authorization": f"APIKey {theirs}"}
            path = Places(api.account).fill(route)
            refused = await api.send(route.method, path, token="", headers=sent)
            assert refused.status == 404, name(route)
            await refusal(refused, route)
    opened = await api.send(
        "GET",
        f"/v1/accounts/{api.account}",
        token="",
        headers={"Authorization": f"APIKey {ours}"},
    )
    assert opened.status == 200


async def test_no_list_shows_what_is_anothers(api: Api) -> None:
    """R5: of all that is read without naming anybody, nothing is hers."""
    eve = await with_eve(api)
    (calendar,) = await eve.store.calendars(eve.profile_id)
    profile = await eve.profile()
    hers = {"Hers", calendar.id, profile.public_name, profile.user_id}
    for route in routes():
        if route.method == "GET" and "{" not in route.path and route not in STREAMS:
            body = await (await api.get(route.path)).text()
            assert not {one for one in hers if one in body}, name(route)


def test_each_body_is_known_to_name_somebodys_object_or_none() -> None:
    """A new route with a body has to say here what it names."""
    with_body = {route.name for route in GUARDED if route.body is not None}
    known = NOTHING_NAMED | NAMED.keys()
    assert with_body <= known, f"say what these bodies name: {sorted(with_body - known)}"


async def test_anothers_object_in_a_body_is_as_if_it_did_not_exist(api: Api) -> None:
    """R5: the same status and the same words as for one that nobody has."""
    eve = await with_eve(api)
    (calendar,) = await eve.store.calendars(eve.profile_id)
    profile = await eve.profile()
    hers = {
        "profile": profile.public_name,
        "calendar": calendar.id,
        "user": profile.user_id,
        "account": str(profile.id),
        "lineage": await lineage(api, profile.user_id),
    }
    nobodys = {
        "profile": "pro_aazz",
        "calendar": "cal_aazz_nothing",
        "user": "acc_nobody",
        "account": "999",
        "lineage": b64encode(bytes(64)).decode(),
    }
    made = await api.send("POST", "/api/v0/notifications/calendars", json={"name": CALENDAR})
    assert made.status == 201, await made.text()
    hook = {"url": "https://app.example/hook"}
    webhook = (await (await api.send("POST", "/v1/webhooks", json=hook)).json())["id"]
    places = {"webhook": webhook, "subscription": "default"}
    for route in (one for one in routes() if one.name in NAMED):
        operation, body = route.name, NAMED[route.name]
        mine = {"/none": f"/{places.get(operation.rpartition('_')[2], CALENDAR)}"}
        told = [
            await _answer(api, route, orjson.dumps(body).decode(), mine, names)
            for names in (hers, nobodys)
        ]
        assert told[0] == told[1], operation
        assert told[0][0] in {400, 403, 404, 422}, (operation, told[0])


async def lineage(api: Api, user: str) -> str:
    """Return the name of another user's expiring token."""
    text = await api.token(user_id=user, expires_at=api.clock.now() + timedelta(days=9))
    parts = split_token(text)
    assert parts
    token = await api.ground.store.token(parts[0])
    assert token
    return token.lineage


async def _answer(
    api: Api, route: Route, body: str, mine: Mapping[str, str], names: Mapping[str, str]
) -> tuple[int, str]:
    path = Places(api.account, calendar="primary").fill(route)
    for place, there in mine.items():
        path = path.replace(place, there)
    for key, value in names.items():
        body = body.replace(f"<{key}>", value)
    answer = await api.send(route.method, path, data=body.encode())
    text = (await answer.text()).replace(answer.headers["X-Request-Id"], "<request>")
    for key, value in names.items():
        text = text.replace(value, f"<{key}>")
    return answer.status, text
