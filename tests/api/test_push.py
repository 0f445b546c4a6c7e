"""Where providers call (providers.md P16, G12, MG16): a channel's secret opens it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.model.channel import Channel
from tests.api.serving import Api, serving
from tests.engine.ground import BASE, event

GOOGLE, GRAPH = "/v1/push/google", "/v1/push/graph"
MINUTE = 60


@pytest.fixture
async def calling(tmp_path: Path) -> AsyncIterator[Api]:
    """A profile whose calendar has a channel, to be polled in a minute."""
    async with serving(tmp_path) as api:
        api.ground.server.can = replace(api.ground.server.can, push=True)
        api.ground.server.add("/work/").put("a.ics", event("First"))
        await api.ground.poll()
        await api.ground.poll()
        yield api


def known(api: Api) -> tuple[str, str]:
    """Return id and secret of the only channel."""
    (wish,) = api.ground.server.callers.wishes
    return wish.id, wish.secret.reveal()


async def channel(api: Api) -> Channel:
    (one,) = await api.ground.store.channels(api.ground.profile_id)
    return one


async def next_in(api: Api) -> float:
    profile = await api.ground.profile()
    assert profile.next_poll_at is not None
    return (profile.next_poll_at - api.clock.now()).total_seconds()


async def google(api: Api, name: str, secret: str, **more: str) -> int:
    """Call as Google does: everything is in headers, and there is no body."""
    headers = {
        "X-Goog-Channel-ID": name,
        "X-Goog-Channel-Token": secret,
        "X-Goog-Resource-ID": "o3hgv1538sdjfh",
        "X-Goog-Resource-URI": "https://www.googleapis.com/calendar/v3/calendars/x/events",
        "X-Goog-Resource-State": "exists",
        "X-Goog-Message-Number": "7",
        **more,
    }
    response = await api.send("POST", GOOGLE, token="", headers=headers)
    assert (await response.read() == b"") == (response.status == 202)
    return response.status


def notice(name: str, secret: str, **more: str) -> dict[str, Any]:
    """Return one notice as Graph's documents show it."""
    return {
        "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
        "subscriptionExpirationDateTime": "2026-11-27T12:00:00Z",
        "clientState": f"{name}.{secret}",
        "changeType": "updated",
        "resource": "Users/1/Events/AAkALg",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "id": "AAkALg"},
        **more,
    }


async def graph(api: Api, *notices: dict[str, Any]) -> int:
    response = await api.send("POST", GRAPH, token="", json={"value": list(notices)})
    return response.status


async def test_the_address_that_providers_are_told_is_one_that_they_can_call() -> None:
    for path in (GOOGLE, GRAPH):
        assert path.startswith(BASE.removeprefix("https://syncd.example"))


@pytest.mark.parametrize("state", ["sync", "exists"])
async def test_a_call_of_googles_has_the_profile_polled_now(calling: Api, state: str) -> None:
    """G12: the first word of a channel too, as it may have opened after the last look."""
    assert await next_in(calling) == MINUTE
    assert await google(calling, *known(calling), **{"X-Goog-Resource-State": state}) == 202
    assert await next_in(calling) == 0
    assert (await channel(calling)).heard_at == calling.clock.now()


async def test_a_notice_of_graphs_has_the_profile_polled_now(calling: Api) -> None:
    assert await graph(calling, notice(*known(calling))) == 202
    assert await next_in(calling) == 0


@pytest.mark.parametrize("word", ["missed", "aNewWord"])
async def test_a_missed_notice_means_no_more_than_a_change(calling: Api, word: str) -> None:
    """MG16."""
    before = await channel(calling)
    assert await graph(calling, notice(*known(calling), lifecycleEvent=word)) == 202
    assert await next_in(calling) == 0
    after = await channel(calling)
    assert (after.renew_at, after.expires_at) == (before.renew_at, before.expires_at)


async def test_a_subscription_that_needs_it_is_renewed_by_the_poll(calling: Api) -> None:
    """MG16: reauthorizationRequired."""
    said = notice(*known(calling), lifecycleEvent="reauthorizationRequired")
    assert await graph(calling, said) == 202
    assert (await channel(calling)).renew_at == calling.clock.now()
    assert await next_in(calling) == 0


async def test_a_subscription_that_was_removed_is_made_anew_by_the_poll(calling: Api) -> None:
    """MG16: subscriptionRemoved."""
    said = notice(*known(calling), lifecycleEvent="subscriptionRemoved")
    assert await graph(calling, said) == 202
    assert (await channel(calling)).expires_at == calling.clock.now()
    assert await next_in(calling) == 0


async def test_the_handshake_is_echoed_as_plain_text(calling: Api) -> None:
    """MG16: before there is a subscription."""
    said = "Validation: Testing client application reachability for subscription <b>&+é"
    response = await calling.client.post(
        GRAPH, params={"validationToken": said}, headers={"Content-Type": "text/plain"}
    )
    assert (response.status, await response.text()) == (200, said)
    assert response.content_type == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


WRONG = [
    ("", ""),
    ("id", ""),
    ("id", "guessed"),
    ("guessed", "secret"),
    ("id", "secret" * 9),
    ("idé", "secret"),
]


@pytest.mark.parametrize(("name", "secret"), WRONG)
async def test_a_call_without_the_secret_is_404_and_counted(
    calling: Api, name: str, secret: str
) -> None:
    """P16: as if there were no such channel."""
    ours, theirs = known(calling)
    name, secret = name.replace("id", ours), secret.replace("secret", theirs)
    assert await google(calling, name, secret) == 404
    assert await graph(calling, notice(name, secret)) == 404
    assert await next_in(calling) == MINUTE
    assert (await channel(calling)).heard_at is None
    assert calling.ground.meter.counts["pushes_total"] == 2


async def test_of_many_notices_those_count_that_are_ours(calling: Api) -> None:
    stranger = notice("x", "y")
    assert await graph(calling, stranger, notice(*known(calling)), stranger) == 202
    assert await next_in(calling) == 0
    assert calling.ground.meter.counts["pushes_total"] == 3


@pytest.mark.parametrize("body", [{}, {"value": []}, {"value": [{}]}])
async def test_notices_that_name_nothing_are_404(calling: Api, body: dict[str, Any]) -> None:
    assert (await calling.send("POST", GRAPH, token="", json=body)).status == 404


async def test_a_call_after_the_end_polls_nothing(calling: Api) -> None:
    """F40: a stopped channel may still call."""
    await calling.ground.store.remove_channel(await channel(calling))
    assert await google(calling, *known(calling)) == 404
    assert await next_in(calling) == MINUTE


async def test_calls_show_nothing_and_change_nothing_but_the_time(calling: Api) -> None:
    before = await calling.ground.head()
    for _ in range(3):
        assert await google(calling, *known(calling)) == 202
    assert await calling.ground.head() == before
