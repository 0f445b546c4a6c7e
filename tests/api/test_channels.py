"""Opening, listing and closing channels (C13, C14), and how they show as webhooks (N15)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from syncd.engine import callbacks
from syncd.engine.prune import Pruner
from syncd.model.access import Scope
from syncd.model.profile import changed
from syncd.model.subscription import SCHEDULE
from tests.api.channels import CHANNELS, URL, Desk, at_work, desk
from tests.api.cronofy import faults
from tests.api.serving import Api
from tests.api.test_webhooks import HOOKS, settled, sink_of
from tests.engine.ground import event
from tests.fakes.meter import FakeMeter
from tests.fakes.sink import FakeSink, refused


@pytest.fixture
async def here(api: Api) -> Desk:
    return await at_work(api)


async def calendars(here: Desk) -> list[str]:
    known = await here.api.ground.store.calendars(here.api.ground.profile_id)
    return [one.id for one in known]


async def happen(here: Desk, name: str = "Review") -> None:
    next(iter(here.api.ground.server.calendars.values())).put(f"{name}.ics", event(name))
    await here.api.ground.poll()
    await here.told()


async def exhaust(here: Desk) -> None:
    """Let all attempts at a push fail, and then let all go well."""
    sink_of(here.api).answers = lambda _url, _message: refused(500)
    await happen(here)
    for pause in SCHEDULE:
        here.api.clock.advance(pause)
        await settled(here.api)
    sink_of(here.api).answers = FakeSink().answers


async def test_a_channel_is_what_was_asked_for_and_is_verified_at_once(here: Desk) -> None:
    """C13: unknown members are echoed, ``primary`` is a real id by then (R9)."""
    assert await here.open() == {
        "channel_id": (await here.channels())[0]["channel_id"],
        "callback_url": URL,
        "filters": {},
    }
    assert here.sent() == ["syncd.test"]
    here.api.clock.advance(timedelta(seconds=1))
    filters = {"calendar_ids": ["primary"], "only_managed": False, "theirs": {"a": [1, None]}}
    channel = await here.open("https://app.example/b", filters=filters)
    (main, _) = await calendars(here)
    assert channel["channel_id"].startswith("chn_")
    assert channel["filters"] == {**filters, "calendar_ids": [main]}
    assert (await here.channels())[1] == channel


async def test_a_verification_that_fails_undoes_nothing(here: Desk) -> None:
    """C15: whatever it is answered, 410 too; the next change is told."""
    sink_of(here.api).answers = lambda _url, _message: refused(410, gone=True)
    channel = await here.open()
    assert await here.channels() == [channel]
    sink_of(here.api).answers = FakeSink().answers
    await happen(here)
    assert here.sent() == ["change"]


async def test_the_same_request_is_the_same_channel(here: Desk) -> None:
    """C13: for the same application and the same user; the order of calendars is nothing."""
    both = await calendars(here)
    first = await here.open(filters={"calendar_ids": both, "x": 1})
    same = await here.open(filters={"x": 1, "calendar_ids": both[::-1]})
    assert same == first
    assert here.sent() == ["syncd.test"]
    others = [
        await here.open(filters={"calendar_ids": both[:1], "x": 1}),
        await here.open(filters={"calendar_ids": both, "x": 2}),
        await here.open(filters={"calendar_ids": both, "x": 1, "only_managed": True}),
        await here.open(f"{URL}/b", filters={"calendar_ids": both, "x": 1}),
        await (await desk(here.api, "Other")).open(filters={"calendar_ids": both, "x": 1}),
    ]
    assert len({one["channel_id"] for one in (first, *others)}) == 6


async def test_two_requests_at_once_open_one_channel(here: Desk) -> None:
    found = await asyncio.gather(*(here.open() for _ in range(3)))
    assert found[0] == found[1] == found[2]
    assert await here.channels() == [found[0]]
    assert here.sent() == ["syncd.test"]


async def test_a_closed_channel_is_told_nothing_more(here: Desk) -> None:
    """C14: 202 without a body, once."""
    channel = await here.open()
    path = f"{CHANNELS}/{channel['channel_id']}"
    response = await here.api.send("DELETE", path, token=here.token)
    assert (response.status, await response.read()) == (202, b"")
    assert await here.channels() == []
    assert (await here.api.send("DELETE", path, token=here.token)).status == 404
    await happen(here)
    assert here.sent() == ["syncd.test"]


async def test_channels_of_others_are_as_if_there_were_none(here: Desk) -> None:
    """R5: another application's of the same user, another user's of the same application."""
    channel = await here.open()
    await here.api.another()
    eve = await here.api.token(user_id="acc_eve", application_id=here.client)
    for token in (eve, (await desk(here.api, "Other")).token, here.api.everything):
        assert await here.channels(token=token) == []
        path = f"{CHANNELS}/{channel['channel_id']}"
        assert (await here.api.send("DELETE", path, token=token)).status == 404
    hook = await here.api.send("POST", HOOKS, token=here.token, json={"url": URL})
    path = f"{CHANNELS}/{(await hook.json())['id']}"
    assert (await here.api.send("DELETE", path, token=here.token)).status == 404
    assert await here.channels() == [channel]


async def test_a_channel_covers_what_its_token_covers(here: Desk) -> None:
    """C13: a user's profiles, one profile, or an application's."""
    api = here.api
    one = await api.token(profile_id=api.ground.profile_id, application_id=here.client)
    theirs = await here.open(f"{URL}/user")
    alone = await here.open(f"{URL}/one", token=one)
    every = await here.open(f"{URL}/all", token="", headers=here.by_secret)
    assert await here.channels() == [theirs]
    assert await here.channels(token=one) == [alone]
    assert await here.channels(token="", headers=here.by_secret) == [every]
    eve = await api.another()
    eve.server.add("/work/").put("a.ics", event("Hers"))
    await eve.poll()
    await here.told()
    assert "change" not in here.sent(f"{URL}/user") + here.sent(f"{URL}/one")
    assert "change" in here.sent(f"{URL}/all")  # made on the command line: of every application


async def test_a_token_of_no_application_is_told_which_one_to_use(here: Desk) -> None:
    """C15: nobody's secret could sign."""
    response = await here.api.send("POST", CHANNELS, json={"callback_url": URL})
    (fault,) = (await response.json())["errors"]["base"]
    assert (response.status, fault["key"]) == (422, "errors.not_supported")
    assert "application" in fault["description"]
    assert await here.channels(token=here.api.everything) == []


WRONG: list[tuple[Any, Any]] = [
    ({}, {"callback_url": ["errors.required"]}),
    ({"callback_url": " "}, {"callback_url": ["errors.required"]}),
    ({"callback_url": "app.example"}, {"callback_url": ["errors.invalid"]}),
    ({"callback_url": "ftp://app.example"}, {"callback_url": ["errors.invalid"]}),
    ({"callback_url": "https://a:b@app.example"}, {"callback_url": ["errors.invalid"]}),
    ({"callback_url": "https://app.example:22"}, {"callback_url": ["errors.invalid"]}),
    ({"callback_url": "http://10.0.0.1/"}, {"callback_url": ["errors.invalid"]}),
    ({"callback_url": "http://[::1]:8080/"}, {"callback_url": ["errors.invalid"]}),
    ({"callback_url": f"{URL}/{'x' * 2048}"}, {"callback_url": ["errors.too_long"]}),
    (
        {"callback_url": 1, "filters": {"calendar_ids": "a", "only_managed": "perhaps"}},
        {"callback_url": ["errors.invalid"], "filters": ["errors.invalid"] * 2},
    ),
    ({"callback_url": URL, "filters": []}, {"filters": ["errors.invalid"]}),
    (
        {"callback_url": URL, "filters": {"calendar_ids": ["cal_none"]}},
        {"calendar_ids": ["errors.unknown"]},
    ),
    (
        {"callback_url": URL, "filters": {"theirs": "x" * 20_000}},
        {"filters": ["errors.too_long"]},
    ),
]


async def test_what_is_wrong_is_told_by_field(here: Desk) -> None:
    """C13, R14b."""
    for body, wrong in WRONG:
        assert await faults(here.api, "POST", CHANNELS, token=here.token, json=body) == wrong
    assert await here.channels() == []


async def test_a_calendar_of_somebody_else_is_unknown(here: Desk) -> None:
    eve = await here.api.another()
    eve.server.add("/work/")
    await eve.poll()
    (hers,) = await eve.store.calendars(eve.profile_id)
    body = {"callback_url": URL, "filters": {"calendar_ids": [hers.id]}}
    wrong = await faults(here.api, "POST", CHANNELS, token=here.token, json=body)
    assert wrong == {"calendar_ids": ["errors.unknown"]}


async def test_channels_need_the_scope_to_read_events(here: Desk) -> None:
    """R7."""
    fields = {"user_id": "acc_ada", "application_id": here.client}
    free = await here.api.token(Scope.READ_FREE_BUSY, **fields)
    for method, path in (("POST", CHANNELS), ("GET", CHANNELS), ("DELETE", f"{CHANNELS}/chn_x")):
        assert (await here.api.send(method, path, token=free, json={})).status == 403
    assert await here.open(token=await here.api.token(Scope.READ_EVENTS, **fields))


async def test_there_are_at_most_128_for_a_user_and_an_application(
    here: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C13: the same request again is no further one."""
    assert callbacks.MOST == 128
    monkeypatch.setattr(callbacks, "MOST", 2)
    for number in range(2):
        await here.open(f"{URL}/{number}")
    body = {"callback_url": URL}
    wrong = await faults(here.api, "POST", CHANNELS, token=here.token, json=body)
    assert wrong == {"base": ["errors.invalid"]}
    assert await here.open(f"{URL}/1")
    assert await (await desk(here.api, "Other")).open()


async def test_410_closes_and_the_same_request_opens_another(here: Desk) -> None:
    """C15: what N15 shows as gone C14 does not show."""
    channel = await here.open()
    sink_of(here.api).answers = lambda _url, _message: refused(410, gone=True)
    await happen(here)
    assert await here.channels() == []
    (hook,) = await here.api.pages(HOOKS, 10)
    assert (hook["id"], hook["status_reason"]) == (channel["channel_id"], "gone")
    path = f"{CHANNELS}/{channel['channel_id']}"
    assert (await here.api.send("DELETE", path, token=here.token)).status == 404
    sink_of(here.api).answers = FakeSink().answers
    newer = await here.open()
    assert newer["channel_id"] != channel["channel_id"]
    assert await here.channels() == [newer]
    (hook,) = await here.api.pages(HOOKS, 10)
    assert (hook["id"], hook["status"], hook["behind"]) == (newer["channel_id"], "active", 0)


async def test_what_retention_has_passed_is_closed_too(here: Desk) -> None:
    """S9: what was missed can no longer be told, so who asks again begins anew, and knows it."""
    for attempts in (1, len(SCHEDULE) + 1):
        channel = await here.open()
        sink_of(here.api).answers = lambda _url, _message: refused(500)
        await happen(here, f"Missed {attempts}")
        for pause in SCHEDULE[: attempts - 1]:
            here.api.clock.advance(pause)
            await settled(here.api)
        assert await here.channels() == [channel]
        here.api.clock.advance(timedelta(days=31))
        await Pruner(here.api.ground.store, here.api.clock, FakeMeter(), days=30).prune()
        assert await here.channels() == []
        assert (await here.open())["channel_id"] != channel["channel_id"]


async def test_one_whose_attempts_ran_out_goes_on_where_it_stood(here: Desk) -> None:
    """C14 lists it, N15 calls it disabled, and the same request enables it."""
    channel = await here.open()
    await exhaust(here)
    assert await here.channels() == [channel]
    (hook,) = await here.api.pages(HOOKS, 10)
    assert (hook["status"], hook["status_reason"]) == ("disabled", "exhausted")
    assert here.sent() == ["syncd.test"]
    assert await here.open() == channel
    assert here.sent() == ["syncd.test", "change"]


async def test_one_that_somebody_paused_stays_paused(here: Desk) -> None:
    """N15: pausing is a decision that the same request does not undo."""
    channel = await here.open()
    path = f"{HOOKS}/{channel['channel_id']}"
    await here.api.send("PATCH", path, json={"enabled": False})
    assert await here.open() == channel
    await happen(here)
    assert here.sent() == ["syncd.test"]
    await here.api.send("PATCH", path, json={"enabled": True})
    await settled(here.api)
    assert here.sent() == ["syncd.test", "change"]


async def test_a_channel_is_shown_as_a_webhook_and_changed_only_by_its_own_routes(
    here: Desk,
) -> None:
    """N15, N19, N20."""
    channel = await here.open()
    path = f"{HOOKS}/{channel['channel_id']}"
    shown = await here.api.json(path)
    assert (shown["format"], shown["url"]) == ("cronofy", URL)
    fixed: list[Any] = [{"url": f"{URL}/b"}, {"format": "standard"}, {"calendars": []}]
    for body in fixed:
        response = await here.api.send("PATCH", path, json=body)
        assert response.status == 400
        assert "open another one" in (await response.json())["detail"]
    response = await here.api.send("PATCH", path, json={"description": "Desk's"})
    assert (await response.json())["description"] == "Desk's"
    response = await here.api.send("POST", f"{path}/rotate_secret", json={})
    assert response.status == 400
    assert "syncd application rotate" in (await response.json())["detail"]
    assert (await here.api.send("POST", f"{path}/test")).status == 200
    assert here.sent() == ["syncd.test"] * 2
    assert (await here.api.send("DELETE", path)).status == 204
    assert await here.channels() == []


async def test_a_key_repeats_the_answer(here: Desk) -> None:
    """R17."""
    send, key = here.api.send, {"Idempotency-Key": "k1"}
    first, again = [
        await send("POST", CHANNELS, token=here.token, headers=key, json={"callback_url": URL})
        for _ in range(2)
    ]
    assert await again.json() == await first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_channels_are_opened_in_a_batch(here: Desk) -> None:
    """C22."""
    entry = {"method": "POST", "relative_url": CHANNELS, "data": {"callback_url": URL}}
    response = await here.api.send("POST", "/v1/batch", token=here.token, json={"batch": [entry]})
    (told,) = (await response.json())["batch"]
    assert (told["status"], told["data"]["channel"]) == (200, (await here.channels())[0])


async def test_what_becomes_of_profiles_is_told_and_no_more_than_that(here: Desk) -> None:
    """C15: whatever the filters; neither pauses nor removals have a word of Cronofy's."""
    api = here.api
    await here.open(filters={"only_managed": True})
    control = api.parts.control
    await control.pause(api.ground.profile_id)
    await control.resume(api.ground.profile_id)
    await api.disconnect()
    await here.told()
    assert here.sent() == ["syncd.test", "profile_disconnected"]
    await control._change(
        api.ground.profile_id, lambda one, now: changed(one, now, refused=None, refused_at=None)
    )
    await here.told()
    assert here.sent()[2:] == ["profile_connected"]
