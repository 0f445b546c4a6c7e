"""Webhooks over HTTP (N14, N15, N18-N20), over the real store."""

from typing import Any

import pytest

from syncd.engine.fanout import settle_fanout
from syncd.model.access import Scope
from syncd.model.subscription import SCHEDULE
from tests.api.serving import Api
from tests.engine.ground import event
from tests.fakes.sink import FakeSink, refused

HOOKS = "/v1/webhooks"
URL = "https://app.example/hook"


def sink_of(api: Api) -> FakeSink:
    sink = next(iter(api.parts.deliverer._sender.sinks.values()))
    assert isinstance(sink, FakeSink)
    return sink


async def made(api: Api, **fields: Any) -> Any:  # noqa: ANN401 - JSON
    response = await api.send("POST", HOOKS, json={"url": URL, **fields})
    assert response.status == 201, await response.text()
    return await response.json()


async def happen(api: Api, *names: str) -> None:
    """Let events be added, and be told."""
    work = next(iter(api.ground.server.calendars.values()), None) or api.ground.server.add("/work/")
    for name in names:
        work.put(f"{name}.ics", event(name))
    await api.ground.poll()
    await api.parts.deliverer.wake(api.ground.profile_id)
    await settled(api)


async def settled(api: Api) -> None:
    await api.parts.deliverer.tick()
    await api.parts.deliverer.settled()


async def test_a_webhook_shows_its_secret_once_and_tells_how_it_does(api: Api) -> None:
    """N14, N15."""
    response = await api.send("POST", HOOKS, json={"url": URL, "types": ["event.add"]})
    new = await response.json()
    assert (response.status, new["secret"][:6]) == (201, "whsec_")
    assert response.headers["Location"].endswith(f"{HOOKS}/{new['id']}")
    secret = new.pop("secret")
    got = await api.get(f"{HOOKS}/{new['id']}")
    assert await got.json() == new
    assert got.headers["ETag"] == response.headers["ETag"]
    assert (new["status"], new["behind"], new["types"]) == ("active", 0, ["event.add"])
    assert secret not in await (await api.get(HOOKS)).text()
    await happen(api, "Review")
    shown = await api.json(f"{HOOKS}/{new['id']}")
    assert (shown["behind"], shown["last_delivery_at"] is None) == (0, False)
    assert [one.word for one in sink_of(api).arrived[URL]] == ["event.add"]


async def test_changing_pausing_resuming_and_removing(api: Api) -> None:
    """N15."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    response = await api.send("PATCH", place, json={"enabled": False, "description": "later"})
    paused = await response.json()
    assert (paused["status"], paused["status_reason"]) == ("disabled", "operator")
    await happen(api, "Review")
    assert (await api.json(place))["behind"] == 3
    assert sink_of(api).tried == []
    resumed = await (await api.send("PATCH", place, json={"enabled": True})).json()
    assert resumed["status"] == "active"
    await settled(api)
    assert len(sink_of(api).arrived[URL]) == 3
    stale = {"If-Match": '"other"'}
    assert (await api.send("DELETE", place, headers=stale)).status == 412
    assert (await api.send("DELETE", place)).status == 204
    assert (await api.get(place)).status == 404


async def test_enabled_true_tries_one_that_fails_again_at_once(api: Api) -> None:
    """N15."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    sink_of(api).answers = lambda _url, _message: refused(429, retry_after=SCHEDULE[-1])
    await happen(api, "Review")
    assert (await api.json(place))["status"] == "failing"
    sink_of(api).answers = FakeSink().answers
    noted = await (await api.send("PATCH", place, json={"description": "mended"})).json()
    await settled(api)
    assert noted["next_attempt_at"] is not None  # who says nothing of it has it wait
    assert sink_of(api).arrived[URL] == []
    resumed = await (await api.send("PATCH", place, json={"enabled": True})).json()
    assert (resumed["status"], resumed["next_attempt_at"]) == ("active", None)
    await settled(api)
    assert len(sink_of(api).arrived[URL]) == 3
    assert (await api.json(place))["behind"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://a.example"}, "url"),
        ({"url": URL, "types": ["event.moved"]}, "types"),
        *(
            ({"url": URL, "format": form}, "format: must be standard, cloudevents or kloudless")
            for form in ("xml", "cronofy", "nats", ["standard"], None)
        ),
        ({"url": "http://10.0.0.1/"}, "url: 10.0.0.1 is not public"),
        ({"url": "https://a.example/a b"}, "url: the url must have no blanks"),
        *(
            ({"url": f"https://{host}/"}, "url: the url names no host that there could be")
            for host in ("a..example", "...", "a" * 64 + ".example")
        ),
        ({"url": URL, "profiles": ["pro_zzzz"]}, "profiles"),
        ({"url": URL, "calendars": ["cal_none"]}, "calendars"),
        ({"url": URL, "start": "abcdefgh1"}, "start"),
    ],
)
async def test_what_is_wrong_names_its_field(api: Api, body: Any, field: str) -> None:  # noqa: ANN401
    response = await api.send("POST", HOOKS, json=body)
    assert response.status == 400
    assert field in (await response.json())["detail"]


async def test_it_needs_both_scopes_and_is_nobody_elses(api: Api) -> None:
    """R5, R7."""
    narrow = await api.token(Scope.MANAGE_WEBHOOKS)
    response = await api.send("POST", HOOKS, json={"url": URL}, token=narrow)
    assert response.status == 403
    assert 'scope="read_events"' in response.headers["WWW-Authenticate"]
    hook = await made(api)
    one = await api.token(profile_id=api.ground.profile_id)
    assert (await api.get(f"{HOOKS}/{hook['id']}", token=one)).status == 404
    assert (await api.json(HOOKS, token=one))["objects"] == []
    assert len((await api.json(HOOKS))["objects"]) == 1


async def test_the_same_idempotency_key_makes_one_webhook(api: Api) -> None:
    """R17: with the same secret."""
    key = {"Idempotency-Key": "once"}
    first, again = [
        await (await api.send("POST", HOOKS, json={"url": URL}, headers=key)).json()
        for _ in range(2)
    ]
    assert first == again
    assert len((await api.json(HOOKS))["objects"]) == 1


async def test_deliveries_are_listed_newest_first_with_what_was_said(api: Api) -> None:
    """N18."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    sink_of(api).answers = lambda _url, _message: refused(500, answer=b"no \xff")
    await happen(api, "Review")
    sink_of(api).answers = FakeSink().answers
    api.clock.advance(SCHEDULE[0])
    await settled(api)
    listed = await api.pages(f"{place}/deliveries", 2)
    assert [one["status"] for one in listed] == ["delivered"] * 3 + ["failed"]
    assert (listed[2]["attempt"], listed[2]["message_id"]) == (2, listed[3]["message_id"])
    (failed,) = await api.pages(f"{place}/deliveries?status=failed", 10)
    assert (failed["response_code"], failed["error"]) == (500, "answered 500")
    detail = await api.json(f"{place}/deliveries/{failed['id']}")
    assert detail["response_body"] == "no \ufffd"
    assert '"type"' in detail["request_body"]
    assert (await api.get(f"{place}/deliveries/dlv_none")).status == 404
    assert (await api.get(f"{place}/deliveries?status=lost")).status == 400


async def test_replays_and_tests(api: Api) -> None:
    """N20."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    await happen(api, "Review")
    arrived = sink_of(api).arrived[URL]
    ids = [one.id for one in arrived]
    newest = (await api.json(f"{place}/deliveries"))["objects"][0]
    response = await api.send("POST", f"{place}/deliveries/{newest['id']}/replay")
    assert (response.status, await response.json()) == (202, {"count": 1})
    await settled(api)
    assert [one.id for one in arrived[3:]] == ids[-1:]
    profile = (await api.ground.profile()).public_name
    cursor = str((await api.ground.store.stream(api.ground.profile_id)).oldest)
    asked = {"profile_id": profile, "cursor": cursor}
    response = await api.send("POST", f"{place}/replay", json=asked)
    assert await response.json() == {"count": 4}  # the account's own first record too
    await settled(api)
    response = await api.send("POST", f"{place}/replay", json={"failed": True})
    assert await response.json() == {"count": 0}
    assert (await api.send("POST", f"{place}/replay", json={})).status == 400
    tested = await (await api.send("POST", f"{place}/test")).json()
    assert (tested["status"], tested["response_code"]) == ("delivered", 204)
    assert sink_of(api).tried[-1][1].word == "syncd.test"
    await api.send("PATCH", place, json={"enabled": False})
    assert (await api.send("POST", f"{place}/replay", json=asked)).status == 409


async def test_a_replay_that_failed_waits_and_says_until_when(api: Api) -> None:
    """N18, N20; `enabled` true has it tried at once (N15)."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    await happen(api, "Review")
    (newest, *_) = (await api.json(f"{place}/deliveries"))["objects"]
    sink_of(api).arrived.clear()
    sink_of(api).answers = lambda _url, _message: refused(500)
    await api.send("POST", f"{place}/deliveries/{newest['id']}/replay")
    await settled(api)
    (waits,) = await api.pages(f"{place}/deliveries?status=pending", 10)
    (failed,) = await api.pages(f"{place}/deliveries?status=failed", 10)
    assert (failed["attempt"], waits["attempt"]) == (1, 2)
    assert failed["next_attempt_at"] == waits["next_attempt_at"] > failed["at"]
    assert (await api.json(place))["status"] == "active"
    sink_of(api).answers = FakeSink().answers
    await api.send("PATCH", place, json={"enabled": True})
    await settled(api)
    assert await api.pages(f"{place}/deliveries?status=pending", 10) == []
    told = await api.json(f"{place}/deliveries/{waits['id']}")
    assert (told["status"], told["attempt"], told["next_attempt_at"]) == ("delivered", 2, None)
    assert len(sink_of(api).arrived[URL]) == 1


async def test_what_cannot_be_replayed_names_its_field_or_where_to_begin(api: Api) -> None:
    """N20, I4."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}/replay"
    stream = await api.ground.store.stream(api.ground.profile_id)
    asked = {"profile_id": "pro_zzzz", "cursor": str(stream.oldest)}
    wrong = await (await api.send("POST", place, json=asked)).json()
    assert wrong["detail"] == "profile_id: pro_zzzz: there is no such profile"
    beyond = f"{stream.latest}9"
    asked = {"profile_id": (await api.ground.profile()).public_name, "cursor": beyond}
    response = await api.send("POST", place, json=asked)
    told = await response.json()
    assert (response.status, told["detail"]) == (410, "the stream ends before this cursor")
    assert (told["cursor"], told["latest"]) == (str(stream.oldest), str(stream.latest))
    one = await api.token(profile_id=api.ground.profile_id)
    begun = await api.send("POST", HOOKS, json={"url": URL, "start": beyond}, token=one)
    assert (begun.status, (await begun.json())["latest"]) == (410, str(stream.latest))


async def test_a_replay_asks_for_one_thing_in_words_of_json(api: Api) -> None:
    """What else was sent would be passed over without a word."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}/replay"
    for body, told in (
        ({"failed": True, "cursor": "x"}, "send profile_id and cursor, or failed: true, not both"),
        ({"failed": True, "until": "x"}, "send profile_id and cursor, or failed: true, not both"),
        ({"failed": "true"}, "failed: must be true, or left out"),
        ({"failed": False}, "failed: must be true, or left out"),
    ):
        response = await api.send("POST", place, json=body)
        assert response.status == 400, body
        assert (await response.json())["detail"].startswith(told)
    answered = await api.send("POST", place, json={"failed": True, "cursor": None})
    assert answered.status == 202


async def test_what_retention_has_cut_off_is_not_sent_again(api: Api) -> None:
    """N20: it is told so, and not counted."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    sink_of(api).answers = lambda _url, _message: refused(500)
    await happen(api, "Review")
    (failed, *_) = (await api.json(f"{place}/deliveries"))["objects"]
    sink_of(api).answers = FakeSink().answers
    profile, now = api.ground.profile_id, api.clock.now()
    await api.ground.store.prune(profile, before=now + SCHEDULE[-1], keep=None)
    response = await api.send("POST", f"{place}/deliveries/{failed['id']}/replay")
    told, stream = await response.json(), await api.ground.store.stream(profile)
    assert (response.status, told["code"]) == (410, "cursor_expired")
    assert (told["cursor"], told["latest"]) == (str(stream.oldest), str(stream.latest))
    again = await api.send("POST", f"{place}/replay", json={"failed": True})
    assert (again.status, await again.json()) == (202, {"count": 0})


async def test_one_that_is_disabled_names_no_next_attempt(api: Api) -> None:
    hook = await made(api)
    sink_of(api).answers = lambda _url, _message: refused(500)
    await happen(api, "Review")
    place = f"{HOOKS}/{hook['id']}"
    assert (await api.json(place))["next_attempt_at"] is not None
    paused = await (await api.send("PATCH", place, json={"enabled": False})).json()
    assert (paused["status"], paused["next_attempt_at"]) == ("disabled", None)


async def test_a_secret_is_rotated(api: Api) -> None:
    """N19."""
    hook = await made(api)
    place = f"{HOOKS}/{hook['id']}"
    new = await (await api.send("POST", f"{place}/rotate_secret", json={})).json()
    assert new["secret"].startswith("whsec_")
    assert new["secret"] != hook["secret"]
    found = await api.ground.store.subscription(hook["id"])
    assert len(found.signing(api.clock.now())) == 2
    assert len(found.signing(api.clock.now() + SCHEDULE[-1])) == 1


async def test_a_disconnection_is_pushed_with_its_link(api: Api) -> None:
    """N16: from public_url, as there is no request."""
    await made(api, types=["profile.disconnected", "profile.removed"])
    await happen(api, "Review")
    await api.disconnect()
    await api.parts.deliverer.wake(api.ground.profile_id)
    await settled(api)
    (message,) = sink_of(api).arrived[URL]
    assert message.word == "profile.disconnected"
    assert b'"relink_url":"https://syncd.example/relink/' in message.record


async def test_the_operators_nats_server_is_an_administrators_subscription(api: Api) -> None:
    """N24: looked at, paused and resumed by hand; where it leads, and whether, the settings say."""
    server = "nats://127.0.0.1:4222"
    await settle_fanout(api.ground.store, api.clock, server)
    place = f"{HOOKS}/nats"
    assert (await api.get(place)).status == 404
    assert (await api.json(HOOKS))["objects"] == []
    admin = await api.token(admin=True)
    (told,) = (await api.json(HOOKS, token=admin))["objects"]
    assert (told["id"], told["format"], told["url"]) == ("nats", "nats", server)
    for wanted, status in (
        ({"enabled": False}, 200),
        ({"enabled": True, "description": "ours"}, 200),
        ({"url": "https://app.example/"}, 400),
        ({"types": ["event.add"]}, 400),
        ({"format": "standard"}, 400),
    ):
        answer = await api.send("PATCH", place, token=admin, json=wanted)
        assert answer.status == status, await answer.text()
    assert (await api.send("DELETE", place, token=admin)).status == 409
    rotated = await api.send("POST", f"{place}/rotate_secret", token=admin, json={})
    assert rotated.status == 409
    made_so = await api.send("POST", HOOKS, token=admin, json={"url": URL, "format": "nats"})
    assert made_so.status == 400
