"""W2, W3: the official clients open and close channels, and check what these are told (C13-C15)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pycronofy
import pytest
from pycronofy import settings

from tests.clients.node import NodeClient
from tests.clients.test_pycronofy_reading import calendar_named
from tests.clients.world import Person, World
from tests.servers.callback import Callback, Push
from tests.servers.dav_client import event

BACK = "https://desk.example/back"


@pytest.fixture(scope="module")
def desk(world: World) -> Any:  # noqa: ANN401 - JSON
    """An application of syncd."""
    settings.API_BASE_URL = settings.APP_BASE_URL = world.address
    return world.application("channels", "--redirect-uri", BACK)


@dataclass(frozen=True)
class Member:
    """A person, and the token that she gave the application; that of ``person`` is ours."""

    person: Person
    access_token: str


@pytest.fixture(scope="module")
def ada(world: World, desk: Any) -> Member:  # noqa: ANN401 - JSON
    client = client_of(desk)
    login = world.stranger("work", "home")
    back = world.sign_in(client.user_auth_link(BACK), login)
    access_token = client.get_authorization_from_code(back["code"])["access_token"]
    (profile,) = (one["profile_id"] for one in client.list_profiles())
    person = Person(
        world=world,
        name=login,
        user_id=client.account()["account_id"],
        account_id=profile,
        profile_id=profile,
        token=world.ask("token", "create", "--profile", profile)["token"],
        device=world.device(login),
    )
    person.sync()
    return Member(person, access_token)


@pytest.fixture
def callback() -> Iterator[Callback]:
    with Callback.listening() as made:
        yield made


def client_of(desk: Any, access_token: str = "") -> pycronofy.Client:  # noqa: ANN401 - JSON
    return pycronofy.Client(
        client_id=desk["client_id"], client_secret=desk["client_secret"], access_token=access_token
    )


def is_valid(client: pycronofy.Client, push: Push) -> bool:
    return bool(client.hmac_valid(push.hmac, push.body))


def test_pycronofy_opens_lists_and_closes_channels_and_trusts_what_they_say(
    world: World,
    desk: Any,  # noqa: ANN401 - JSON
    ada: Member,
    callback: Callback,
) -> None:
    """W2: through a rotation of the secret, and a password that died."""
    client = client_of(desk, ada.access_token)
    work = calendar_named(client, "Work")
    opened = client.create_notification_channel(f"{callback.url}/a", calendar_ids=(work,))
    assert opened["filters"] == {"calendar_ids": [work]}
    assert client.create_notification_channel(f"{callback.url}/a", calendar_ids=(work,)) == opened
    assert client.list_notification_channels() == [opened]
    first = callback.next()
    assert (first.notification, first.channel) == ({"type": "verification"}, opened)
    assert is_valid(client, first)
    assert not is_valid(client_of({**desk, "client_secret": "another"}), first)

    ada.person.put("home", "unheard", event("unheard@example.org", "Unheard"))
    for number in range(3):
        ada.person.put("work", f"e{number}", event(f"e{number}@example.org", f"Event {number}"))
    ada.person.sync()
    change = callback.next()
    assert (change.notification["type"], is_valid(client, change)) == ("change", True)
    since = change.notification["changes_since"]
    found = client.read_events(last_modified=since, calendar_ids=(work,))
    assert sorted(one["summary"] for one in found) == ["Event 0", "Event 1", "Event 2"]

    renewed = world.ask("application", "rotate", desk["client_id"])
    ada.person.put("work", "later", event("later@example.org", "Later"))
    ada.person.sync()
    change = callback.next()
    assert change.notification["type"] == "change"
    for each in (desk, renewed):
        assert is_valid(client_of(each), change)
    last = world.ask("application", "rotate", desk["client_id"], "--overlap", "0")

    world.lock_out(ada.person)
    told = [callback.next()]
    (profile,) = client.list_profiles()
    world.mend(ada.person, profile["profile_relink_url"])
    told.append(callback.next())
    assert [one.notification for one in told] == [
        {"type": word, "profile_id": ada.person.profile_id}
        for word in ("profile_disconnected", "profile_connected")
    ]
    for push in told:
        assert is_valid(client_of(last), push)
        assert not is_valid(client_of(desk), push)

    client.close_notification_channel(opened["channel_id"])
    assert client.list_notification_channels() == []
    ada.person.put("work", "unheard", event("unheard-2@example.org", "Unheard"))
    ada.person.sync()
    client.create_notification_channel(f"{callback.url}/b")
    assert callback.next().path == "/b"
    desk.update(last)


def test_cronofy_node_opens_lists_and_closes_channels_and_trusts_what_they_say(
    world: World,
    desk: Any,  # noqa: ANN401 - JSON
    ada: Member,
    node: NodeClient,
    callback: Callback,
) -> None:
    """W3."""
    config = {"access_token": ada.access_token, "client_secret": desk["client_secret"]}

    def ask(method: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        return node.ask(world.address, method, config, **options)

    before = ask("listNotificationChannels")["channels"]
    filters = {"only_managed": True}
    wish = {"callback_url": f"{callback.url}/node", "filters": filters}
    opened = ask("createNotificationChannel", **wish)["channel"]
    assert (opened["callback_url"], opened["filters"]) == (wish["callback_url"], filters)
    assert ask("createNotificationChannel", **wish)["channel"] == opened
    assert ask("listNotificationChannels")["channels"] == [*before, opened]
    verification = callback.next()
    signed = {"hmac": verification.hmac, "body": verification.body}
    assert ask("hmacValid", **signed) is True
    assert ask("hmacValid", **signed, client_secret="another") is False  # noqa: S106
    managed = {"event_id": "one", "summary": "Managed"}
    times = {"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z"}
    calendar = ask("listCalendars")["calendars"][0]["calendar_id"]
    ask("createEvent", calendar_id=calendar, **managed, **times)
    change = callback.next()
    assert change.notification["type"] == "change"
    assert ask("hmacValid", hmac=change.hmac, body=change.body) is True
    since = change.notification["changes_since"]
    found = ask("readEvents", last_modified=since, only_managed=True, tzid="Etc/UTC")
    assert [one["event_id"] for one in found["events"]] == ["one"]
    ask("deleteNotificationChannel", channel_id=opened["channel_id"])
    assert ask("listNotificationChannels")["channels"] == before
