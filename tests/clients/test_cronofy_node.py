"""W3: cronofy-node 3.8.4; only ``urls.api`` is ours."""

from typing import Any

import pytest

from tests.clients.node import NodeClient, RefusedError
from tests.clients.world import Person, World


class Client:
    """What an application writes: ``new Cronofy({access_token})``."""

    def __init__(self, node: NodeClient, world: World, token: str) -> None:
        self._node, self._base, self._token = node, world.address, token

    def ask(self, method: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        return self._node.ask(self._base, method, {"access_token": self._token}, **options)


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person("work", "home")


@pytest.fixture
def client(node: NodeClient, world: World, ada: Person) -> Client:
    return Client(node, world, ada.token)


def test_profiles_are_listed(client: Client, ada: Person) -> None:
    (listed,) = client.ask("profileInformation")["profiles"]
    assert listed["profile_id"] == ada.profile_id
    assert listed["profile_name"] == ada.name
    assert listed["profile_connected"] is True


def test_an_error_tells_its_status_and_body(node: NodeClient, world: World) -> None:
    stranger = Client(node, world, "nobody's")
    with pytest.raises(RefusedError) as refused:
        stranger.ask("profileInformation")
    assert refused.value.status == 401
    assert refused.value.entity["error"]
