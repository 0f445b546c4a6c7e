"""From a change at the provider, through a call, to the stream: only clients of Kloudless's own.

The webhook is written as Kloudless's applications write theirs, with the standard library; it
reads by cursor with kloudless-python 2.0.1 (K43-K46, W1).
"""

from collections.abc import Iterator
from typing import Any

import kloudless
import pytest
from kloudless.config import configuration
from kloudless.exceptions import APIException, NotFoundException
from kloudless.resources.base import Resource, ResourceList

from tests.clients.kloudless_account import account_of, calendar
from tests.clients.world import Person, World
from tests.servers.dav_client import event
from tests.servers.kloudless_hook import KloudlessHook


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    files = {"review": event("r@example.org", "Review")}
    return world.person("office", "garden", files=files)


@pytest.fixture
def account(ada: Person) -> Iterator[kloudless.Account]:
    with account_of(ada) as made:
        yield made


def news(account: kloudless.Account, cursor: str) -> tuple[list[str], str]:
    """Return the names of what follows a cursor, and where to go on."""
    stream = account.get("events", params={"cursor": cursor})
    told = [one.data["metadata"]["name"] for one in stream.get_paging_iterator()]
    return told, stream.latest_cursor


def test_a_call_says_where_to_read_and_the_rest_is_there(world: World, ada: Person) -> None:
    """K45, K46: also while its application's keys overlap."""
    made = world.ask("application", "add", "caller")
    hook = KloudlessHook(made["client_id"], made["api_key"])
    configuration["base_url"] = world.address
    with hook.listening():
        asked = {"url": hook.url, "format": "kloudless", "profiles": [ada.profile_id]}
        keyed = {"Authorization": f"APIKey {made['api_key']}"}
        created = ada.send("POST", "/v1/webhooks", headers=keyed, json=asked)
        assert created.status_code == 201, created.text
        assert hook.bodies == [b""]
        with kloudless.Account(api_key=made["api_key"], account_id=ada.account_id) as reader:
            cursor = reader.get("events/latest").data["cursor"]
            ada.put("office", "one", event("one@example.org", "One"))
            ada.put("garden", "two", event("two@example.org", "Two"))
            ada.sync()
            assert hook.news() == ada.account_id
            told, cursor = news(reader, cursor)
            assert sorted(told) == ["One", "Two"]
            assert hook.bodies == [b"", b"account=" + ada.account_id.encode()]
        world.ask("application", "rotate", "caller", "--overlap", "1h")
        before = len(hook.requests)
        ada.put("office", "three", event("three@example.org", "Three"))
        ada.sync()
        assert hook.news() == ada.account_id  # it knows the old key only
        assert len(hook.requests) == before + 2
        log = world.ask("webhook", "deliveries", created.json()["id"])
    assert {one["status"] for one in log} == {"delivered"}
    world.ask("application", "remove", "caller")
    world.ask("webhook", "remove", created.json()["id"])


def test_subscriptions_are_resources(account: kloudless.Account, ada: Person) -> None:
    """K43: made, read, changed and deleted through the client's own objects."""
    listed = account.get("subscriptions")
    assert isinstance(listed, ResourceList)
    (default,) = [one for one in listed.get_paging_iterator() if one.data["default"]]
    assert account.get("subscriptions/default").data == default.data
    made = account.post("subscriptions")
    assert isinstance(made, Resource)
    assert made.data["account_id"] == ada.account_id
    office = calendar(account, "Office").data["id"]
    made.patch(json={"monitored_resources": [office]})
    made.refresh()
    assert made.data["monitored_resources"] == [office]
    sizes = [len(list(account.get("subscriptions", params={"page_size": size})
                      .get_paging_iterator())) for size in (1, 100)]  # fmt: skip
    assert sizes == [2, 2]
    made.delete()
    with pytest.raises(NotFoundException):
        made.get()
    with pytest.raises(APIException) as refused:
        default.delete()
    assert refused.value.status == 400


def test_activity_of_a_subscription_is_read_by_cursor(account: kloudless.Account) -> None:
    """K44: the client does not know this path for a stream, so its cursor is handed on by hand."""
    garden = calendar(account, "Garden").data["id"]
    made = account.post("subscriptions", json={"monitored_resources": [garden]})
    told, cursor = list[Any](), ""
    while True:
        page = made.get(
            "activity", params={"page_size": 1} | ({"cursor": cursor} if cursor else {})
        )
        cursor = page.data["cursor"]
        if not page.objects:
            break
        told += [one.data["metadata"] for one in page]
    made.delete()
    kinds = {one["type"] for one in told}
    assert {"account", "calendar"} <= kinds <= {"account", "calendar", "event"}
    assert {one["id"] for one in told if one["type"] == "calendar"} == {garden}
    assert {one["calendar_id"] for one in told if one["type"] == "event"} <= {garden}
    assert account.get("events", params={"cursor": cursor}).data["count"] == 0
