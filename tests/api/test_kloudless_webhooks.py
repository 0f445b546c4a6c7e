"""Webhooks in Kloudless's format over HTTP: who may have them, and what changes them (N14, K46)."""

from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.model.access import Application
from syncd.model.ids import ApplicationId
from syncd.model.subscription import SCHEDULE
from tests.api.serving import Api
from tests.api.test_webhooks import HOOKS, URL, happen, settled, sink_of
from tests.engine.ground import USER
from tests.fakes.sink import FakeSink, refused

OURS, THEIRS = ApplicationId("app_ours"), ApplicationId("app_theirs")


@pytest.fixture
async def key(api: Api) -> str:
    """The API key of one of two applications."""
    for one in (OURS, THEIRS):
        await api.ground.store.add_application(
            Application(id=one, name=one, created=api.clock.now())
        )
    return await api.token(application_id=OURS)


async def by_key(api: Api, key: str, method: str, path: str, **more: Any) -> ClientResponse:  # noqa: ANN401
    return await api.send(
        method, path, token="", headers={"Authorization": f"APIKey {key}"}, **more
    )


async def granted(api: Api, application: ApplicationId = OURS) -> str:
    """Return a token that a person gave to an application."""
    return await api.token(user_id=USER, application_id=application)


async def test_an_application_is_called_about_its_accounts(api: Api, key: str) -> None:
    """N14, K45, K46: its key signs, after a probe that tells of nothing."""
    asked = {"url": URL, "format": "kloudless"}
    response = await by_key(api, key, "POST", HOOKS, json=asked)
    hook = await response.json()
    assert (response.status, hook["format"], hook["status"]) == (201, "kloudless", "active")
    assert (await api.ground.store.subscription(hook["id"])).client == OURS
    (probe,) = sink_of(api).arrived[URL]
    assert (probe.profile_id, probe.record) == (None, b"")
    await happen(api, "Review", "Retro")
    (news,) = sink_of(api).arrived[URL][1:]
    assert (news.profile_id, news.word) == (api.ground.profile_id, "activity")
    listed = await (await by_key(api, key, "GET", f"{HOOKS}/{hook['id']}/deliveries")).json()
    assert [one["status"] for one in listed["objects"]] == ["delivered"]


async def test_a_token_that_a_person_gave_to_an_application_has_its_key_sign(
    api: Api, key: str
) -> None:
    """N14: it covers the person's accounts."""
    assert key
    asked = {"url": URL, "format": "kloudless"}
    response = await api.send("POST", HOOKS, json=asked, token=await granted(api))
    found = await api.ground.store.subscription((await response.json())["id"])
    assert (found.client, found.user_id, found.application_id) == (OURS, USER, None)


async def test_a_token_of_no_application_is_told_what_to_send(api: Api) -> None:
    """K46: there is no key that could sign."""
    admin = await api.token(admin=True)
    for token in (api.everything, admin):
        response = await api.send(
            "POST", HOOKS, json={"url": URL, "format": "kloudless"}, token=token
        )
        told = (await response.json())["detail"]
        assert response.status == 400
        assert told.startswith("format: ")
        assert "API key" in told
    assert sink_of(api).tried == []


async def test_an_endpoint_that_fails_the_probe_is_422_and_nothing_is_kept(
    api: Api, key: str
) -> None:
    """K46."""
    sink_of(api).answers = lambda _url, _message: refused(200, error="answered 200, but not that")
    response = await by_key(api, key, "POST", HOOKS, json={"url": URL, "format": "kloudless"})
    told = await response.json()
    assert (response.status, told["code"]) == (422, "probe_failed")
    assert told["detail"].startswith("url: ")
    assert "answered 200, but not that" in told["detail"]
    assert (await (await by_key(api, key, "GET", HOOKS)).json())["objects"] == []


async def test_a_format_is_changed_after_a_probe_and_back_without_one(api: Api, key: str) -> None:
    """N15: what a failed probe refuses stays as it was, and no record is lost on the way."""
    assert key
    token = await granted(api)
    hook = (await (await api.send("POST", HOOKS, json={"url": URL}, token=token)).json())["id"]
    place = f"{HOOKS}/{hook}"
    sink_of(api).answers = lambda _url, _message: refused(500)
    response = await api.send("PATCH", place, json={"format": "kloudless"}, token=token)
    assert (response.status, (await response.json())["code"]) == (422, "probe_failed")
    assert (await api.json(place, token=token))["format"] == "standard"
    await happen(api, "Review")
    assert (await api.json(place, token=token))["status"] == "failing"
    sink_of(api).answers = FakeSink().answers
    response = await api.send("PATCH", place, json={"format": "kloudless"}, token=token)
    assert (response.status, (await response.json())["status"]) == (200, "active")
    await settled(api)
    assert [one.word for one in sink_of(api).arrived[URL]] == ["syncd.test", "activity"]
    response = await api.send("PATCH", place, json={"format": "standard"}, token=token)
    assert (response.status, (await response.json())["format"]) == (200, "standard")
    assert (await api.ground.store.subscription(hook)).client is None
    await happen(api, "Retro")
    assert [one.word for one in sink_of(api).arrived[URL]][2:] == ["event.add"]


async def test_nobody_else_moves_what_an_applications_key_signs(api: Api, key: str) -> None:
    """K46: a new address has the key of who names it, or it is refused."""
    assert key
    token, asked = await granted(api), {"url": URL, "format": "kloudless"}
    hook = (await (await api.send("POST", HOOKS, json=asked, token=token)).json())["id"]
    elsewhere = {"url": "https://elsewhere.example/"}
    response = await api.send("PATCH", f"{HOOKS}/{hook}", json=elsewhere)
    assert response.status == 400
    assert (await api.ground.store.subscription(hook)).url == URL
    response = await api.send("PATCH", f"{HOOKS}/{hook}", json={"description": "mine"})
    assert response.status == 200
    assert (await api.ground.store.subscription(hook)).client == OURS
    other = await granted(api, THEIRS)
    response = await api.send("PATCH", f"{HOOKS}/{hook}", json=elsewhere, token=other)
    assert response.status == 200
    assert (await api.ground.store.subscription(hook)).client == THEIRS


async def test_a_test_message_is_the_probe(api: Api, key: str) -> None:
    """N20: it says how the endpoint would be judged."""
    asked = {"url": URL, "format": "kloudless"}
    hook = (await (await by_key(api, key, "POST", HOOKS, json=asked)).json())["id"]
    sink_of(api).answers = lambda _url, _message: refused(403)
    told = await (await by_key(api, key, "POST", f"{HOOKS}/{hook}/test")).json()
    assert (told["status"], told["response_code"]) == ("failed", 403)
    assert sink_of(api).tried[-1][1].profile_id is None
    api.clock.advance(SCHEDULE[0])
    await settled(api)
    assert len(sink_of(api).tried) == 2  # and it is not tried again by itself
