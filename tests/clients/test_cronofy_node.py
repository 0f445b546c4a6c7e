"""W3: cronofy-node 3.8.4; only ``urls.api`` is ours."""

from typing import Any

import pytest

from tests.clients.node import NodeClient, RefusedError
from tests.clients.world import Person, World
from tests.servers.dav_client import event


class Client:
    """What an application writes: ``new Cronofy({access_token})``."""

    def __init__(self, node: NodeClient, world: World, token: str) -> None:
        self._node, self._base, self._token = node, world.address, token

    def ask(self, method: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        return self._node.ask(self._base, method, {"access_token": self._token}, **options)


WINDOW = {"from": "2026-11-01", "to": "2027-07-01", "tzid": "Etc/UTC"}
DAILY = "RRULE:FREQ=DAILY;COUNT=205\r\n"


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    files = {"daily": event("daily@example.org", "Daily", day=1, extra=DAILY)}
    return world.person("work", "home", files=files)


@pytest.fixture
def client(node: NodeClient, world: World, ada: Person) -> Client:
    return Client(node, world, ada.token)


def calendar_named(client: Client, name: str) -> str:
    listed = client.ask("listCalendars")["calendars"]
    (found,) = (one["calendar_id"] for one in listed if one["calendar_name"] == name)
    return str(found)


def test_profiles_are_listed(client: Client, ada: Person) -> None:
    (listed,) = client.ask("profileInformation")["profiles"]
    assert listed["profile_id"] == ada.profile_id
    assert listed["profile_name"] == ada.name
    assert listed["profile_connected"] is True


def test_the_account_and_its_claims(client: Client, ada: Person) -> None:
    assert client.ask("accountInformation")["account"]["account_id"] == ada.user_id
    assert client.ask("userInfo")["sub"] == ada.user_id


def test_an_error_tells_its_status_and_body(node: NodeClient, world: World) -> None:
    stranger = Client(node, world, "nobody's")
    with pytest.raises(RefusedError) as refused:
        stranger.ask("profileInformation")
    assert refused.value.status == 401
    assert refused.value.entity["error"]


def test_pages_are_followed_by_their_url(client: Client) -> None:
    """Parameters in brackets first, then ``next_page`` as it was told, for both lists."""
    home = calendar_named(client, "Work")
    for method, member in (("readEvents", "events"), ("freeBusy", "free_busy")):
        told = client.ask(method, **WINDOW, calendar_ids=[home])
        assert len(told[member]) == 200
        rest = client.ask(method, next_page=told["pages"]["next_page"])
        assert len(rest[member]) == 5
        assert rest["pages"]["current"] == rest["pages"]["total"] == 2
        assert "next_page" not in rest["pages"]


def test_common_free_time(client: Client, ada: Person) -> None:
    member = {"sub": ada.user_id, "calendar_ids": [calendar_named(client, "Work")]}
    found = client.ask(
        "availability",
        participants=[{"members": [member], "required": "all"}],
        required_duration={"minutes": 60},
        available_periods=[{"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T12:00:00Z"}],
    )
    assert [(one["start"], one["end"]) for one in found["available_periods"]] == [
        ("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"),
        ("2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"),
    ]


def test_a_profile_is_given_up(node: NodeClient, world: World) -> None:
    """The body repeats ``profile_id``."""
    eve = world.person("work")
    client = Client(node, world, eve.token)
    client.ask("revokeProfileAuthorization", profile_id=eve.profile_id)
    assert client.ask("profileInformation")["profiles"] == []
