"""The dashboard's pages about subscriptions: who is told what, and what came of it (N14-N20)."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.engine.fanout import settle_fanout
from syncd.model.ids import ApplicationId
from syncd.model.subscription import Format, Outcome, Reason, Subscription
from syncd.ports.sink import Message, Receipt
from tests.api.serving import Api
from tests.engine.ground import USER, event
from tests.fakes.sink import FakeSink, refused
from tests.web.desk import Operator, shown

URL = "https://app.example/hooks/syncd"
LIST = "/dashboard/subscriptions"
ROW = re.compile(rf'<h2><a href="{LIST}/([^"]+)"')
ATTEMPT = re.compile(r'/deliveries/(dlv_\w+)"')


@pytest.fixture
def sink(api: Api) -> FakeSink:
    """What every subscription is sent through."""
    found = api.parts.deliverer._sender.sinks[Format.STANDARD]
    assert isinstance(found, FakeSink)
    return found


async def subscribe(api: Api, url: str = URL, **fields: object) -> Subscription:
    plain = {"id": "", "url": url, "created": api.clock.now(), "secrets": (), "user_id": USER}
    asked = Subscription(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time
    made, _ = await api.parts.subscriptions.add(asked)
    return made


async def record(api: Api, *names: str) -> None:
    """Let a poll find events, and have what is ahead tried."""
    calendar = api.ground.server.add("/work/", name="Work", primary=True)
    for name in names:
        calendar.put(f"{name}.ics", event(name))
    await api.ground.poll()
    await api.parts.deliverer.wake(api.ground.profile_id)
    await api.parts.deliverer.settled()


def down(_url: str, _message: Message) -> Receipt:
    return refused(503, answer=b"<b>overloaded</b>")


async def test_all_are_listed_with_how_they_are_doing(operator: Operator, sink: FakeSink) -> None:
    """Whose it is, its format, what it is behind, and why nothing is sent."""
    api = operator.api
    sink.answers = down
    await subscribe(api, description="Desk")
    await record(api, "a")
    paused = await subscribe(
        api, "https://b.example/", format=Format.CLOUDEVENTS, profile_id=api.ground.profile_id,
        user_id=None,
    )  # fmt: skip
    await api.parts.subscriptions.enable(paused.id, enabled=False)
    await settle_fanout(api.ground.store, api.clock, "nats://127.0.0.1:4222")
    page = shown(await operator.text(LIST))
    for words in (
        "All 3", "Failing 1", "Disabled 1", "Active 1",
        f"{URL} Standard Webhooks · of user ada · Desk Failing",
        "Behind 3 records Last delivery never",
        "1 attempt failed in a row; the next one in 5 s",
        "https://b.example/ CloudEvents · of profile 1", "Nothing is sent until it is resumed.",
        "nats://127.0.0.1:4222 NATS JetStream · of everything",
    ):  # fmt: skip
        assert words in page
    failing = shown(await operator.text(f"{LIST}?status=failing"))
    assert (URL in failing, "https://b.example/" in failing) == (True, False)
    for odd in ("?status=odd", "?after=zzzz", "?status=active&after=%00"):
        assert "Subscriptions" in await operator.text(LIST + odd)


async def test_what_a_grants_end_disabled_is_offered_nothing_that_is_refused(
    operator: Operator,
) -> None:
    made = await subscribe(operator.api)
    await operator.api.ground.store.save_subscription(replace(made, reason=Reason.REVOKED))
    for path in (LIST, f"{LIST}/{made.id}"):
        page = await operator.text(path)
        assert "The grant that it was made through has ended" in page
        assert ("/resume" in page, "/replay" in page) == (False, False)


async def test_nobody_told_yet_is_said_with_what_to_do(operator: Operator) -> None:
    page = await operator.text(LIST)
    assert "Nobody is told yet" in page
    assert "syncd webhook add" in page
    assert "None is like that" in await operator.text(f"{LIST}?status=failing")


async def test_there_are_pages_of_them(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.web.dashboard.subscriptions.PER_PAGE", 2)
    made = sorted([(await subscribe(operator.api)).id for _ in range(3)])
    first = await operator.text(LIST)
    assert ROW.findall(first) == made[:2]
    assert f'href="{LIST}?after={made[1]}" rel="next"' in first
    assert ROW.findall(await operator.text(f"{LIST}?after={made[1]}")) == made[2:]


async def test_the_log_tells_each_attempt_and_what_was_answered(
    operator: Operator, sink: FakeSink
) -> None:
    """N18, by outcome, page by page; what the endpoint said is only ever text."""
    api = operator.api
    made = await subscribe(api)
    path = f"{LIST}/{made.id}"
    assert "Nothing like that was tried." in await operator.text(path)
    await record(api, "a")
    sink.answers = down
    await record(api, "b")
    page = shown(await operator.text(path))
    assert "Failed" in page
    assert "answered 503 · 5.0 ms · again in 5 s" in page
    assert "Delivered" in page
    tried = await api.ground.store.deliveries(made.id)
    for outcome in Outcome:
        wanted = [one.id for one in tried if one.outcome is outcome]
        assert ATTEMPT.findall(await operator.text(f"{path}?status={outcome}")) == wanted
    (failed,) = await api.ground.store.deliveries(made.id, limit=1)
    one = await operator.text(f"{path}/deliveries/{failed.id}")
    assert "&lt;b&gt;overloaded&lt;/b&gt;" in one
    for words in ("answered 503", "Attempt 1", failed.record_id, '"recorded_at"'):
        assert words in shown(one)


async def test_a_log_has_pages(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.web.dashboard.subscriptions.PER_PAGE", 2)
    made = await subscribe(operator.api)
    await record(operator.api, "a", "b")  # and the calendar
    ids = [one.id for one in await operator.api.ground.store.deliveries(made.id)]
    first = await operator.text(f"{LIST}/{made.id}")
    assert ATTEMPT.findall(first) == ids[:2]
    assert f'href="{LIST}/{made.id}?before={ids[1]}#log" rel="next"' in first
    assert ATTEMPT.findall(await operator.text(f"{LIST}/{made.id}?before={ids[1]}")) == ids[2:]


async def test_pausing_and_resuming_skip_nothing(operator: Operator, sink: FakeSink) -> None:
    """N15."""
    api = operator.api
    made = await subscribe(api)
    path = f"{LIST}/{made.id}"
    answer = await operator.post(f"{path}/pause")
    assert (answer.status, answer.headers["Location"]) == (303, f"{path}?done=held")
    assert "Nothing is sent until it is resumed, and nothing is skipped." in await operator.text(
        f"{path}?done=held"
    )
    await record(api, "a")
    assert sink.arrived[URL] == []
    refused_replay = await operator.post(f"{path}/replay")
    assert refused_replay.status == 409
    await operator.post(f"{path}/resume")
    await api.parts.deliverer.settled()
    assert len(sink.arrived[URL]) == 3


async def test_one_that_fails_is_tried_again_at_once(operator: Operator, sink: FakeSink) -> None:
    """N15: a button for whoever has mended the endpoint; none where nothing fails."""
    api = operator.api
    sink.answers = lambda _url, _message: refused(429, retry_after=timedelta(hours=5))
    made = await subscribe(api)
    path = f"{LIST}/{made.id}"
    for page in (LIST, path):
        assert "Try again now" not in await operator.text(page)
    await record(api, "a")
    for page in (LIST, path):
        text = await operator.text(page)
        assert ("Try again now" in text, f"{path}/resume" in text) == (True, True)
    sink.answers = FakeSink().answers
    answer = await operator.post(f"{path}/resume")
    assert "It is tried at once" in await operator.text(answer.headers["Location"])
    await api.parts.deliverer.settled()
    assert len(sink.arrived[URL]) == 3


async def test_a_test_message_shows_its_outcome(operator: Operator, sink: FakeSink) -> None:
    """N20."""
    path = f"{LIST}/{(await subscribe(operator.api)).id}"
    well = await operator.post(f"{path}/test")
    assert "The test message arrived · answered 204 after 5.0 ms" in shown(await well.text())
    sink.answers = down
    ill = await operator.post(f"{path}/test")
    assert "The test message did not arrive: answered 503" in shown(await ill.text())


async def test_one_and_all_that_failed_are_sent_again(operator: Operator, sink: FakeSink) -> None:
    """N20: with the same ids; the place does not move."""
    api = operator.api
    made = await subscribe(api)
    path = f"{LIST}/{made.id}"
    none = await operator.post(f"{path}/replay")
    assert none.headers["Location"] == f"{path}?done=no_replay"
    await record(api, "a")
    before = list(sink.arrived[URL])
    (last, *_) = await api.ground.store.deliveries(made.id)
    answer = await operator.post(f"{path}/deliveries/{last.id}/replay")
    assert answer.headers["Location"] == f"{path}?done=replayed"
    await api.parts.deliverer.settled()
    assert sink.arrived[URL] == [*before, before[-1]]
    sink.answers = down
    await record(api, "b")
    answer = await operator.post(f"{path}/replay")
    assert answer.headers["Location"] == f"{path}?done=replayed"
    assert "Pending" in await operator.text(f"{path}?status=pending")


async def test_a_new_secret_is_shown_once_and_signs(operator: Operator) -> None:
    """N19: the old one lives on for as long as was chosen."""
    api = operator.api
    made = await subscribe(api)
    path = f"{LIST}/{made.id}"
    assert "New signing secret" in await operator.text(f"{path}/secret")
    odd = await operator.post(f"{path}/secret", overlap="1")
    assert odd.status == 422
    answer = await operator.post(f"{path}/secret", overlap="604800")
    page = await answer.text()
    assert page.count("whsec_") == 1
    assert "whsec_" not in await operator.text(path)
    new, old = (await api.ground.store.subscription(made.id)).secrets
    assert (new.until, old.until) == (None, api.clock.now() + timedelta(days=7))


async def test_what_an_application_signs_has_no_secret_to_replace(operator: Operator) -> None:
    made = await subscribe(operator.api, format=Format.CRONOFY, client=ApplicationId("app_x"))
    path = f"{LIST}/{made.id}"
    assert "New secret" not in await operator.text(path)
    answer = await operator.post(f"{path}/secret", overlap="0")
    assert answer.status == 409
    assert "rotate the application" in shown(await answer.text())


async def test_removing_asks_first_and_ends_it(operator: Operator) -> None:
    made = await subscribe(operator.api)
    path = f"{LIST}/{made.id}"
    assert "Remove this subscription?" in await operator.text(f"{path}/remove")
    answer = await operator.post(f"{path}/remove")
    assert answer.headers["Location"] == f"{LIST}?done=unsubscribed"
    assert (await operator.get(path)).status == 404
    assert "with all that was kept of it" in await operator.text(f"{LIST}?done=unsubscribed")


async def test_what_the_settings_keep_is_told_so(operator: Operator) -> None:
    """ADR 46."""
    store, clock = operator.api.ground.store, operator.api.clock
    await settle_fanout(store, clock, "nats://127.0.0.1:4222")
    answer = await operator.post(f"{LIST}/nats/remove")
    assert answer.status == 409
    assert "remove [nats] url" in shown(await answer.text())
    await settle_fanout(store, clock, "")
    page = shown(await operator.text(f"{LIST}/nats"))
    assert "The settings name no server: nothing is sent until [nats] url is set." in page
    assert (await operator.post(f"{LIST}/nats/resume")).status == 409


@pytest.mark.parametrize("reason", list(Reason))
async def test_every_reason_is_a_sentence(operator: Operator, reason: Reason) -> None:
    api = operator.api
    made = await subscribe(api)
    await api.ground.store.save_subscription(replace(made, reason=reason))
    page = shown(await operator.text(f"{LIST}/{made.id}"))
    assert ("Paused" if reason is Reason.OPERATOR else "Disabled") in page


async def test_what_people_and_endpoints_write_is_only_ever_text(
    operator: Operator, sink: FakeSink
) -> None:
    hostile = "<script>alert('x')</script>"
    sink.answers = lambda _url, _message: refused(500, error=hostile, answer=hostile.encode())
    made = await subscribe(operator.api, f"https://a.example/{hostile}", description=hostile)
    await record(operator.api, hostile)
    (tried,) = await operator.api.ground.store.deliveries(made.id)
    path = f"{LIST}/{made.id}"
    quoted = "?status=%3Cscript%3E&before=%3Cscript%3E&after=%3Cscript%3E"
    places = (LIST, path, f"{path}/secret", f"{path}/remove", f"{path}/deliveries/{tried.id}")
    for place in (*places, LIST + quoted, path + quoted):
        assert "<script>" not in await operator.text(place)
