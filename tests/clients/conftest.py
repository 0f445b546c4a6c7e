"""One daemon and one server for all tests of a worker; each module has people of its own."""

from collections.abc import Iterator

import pytest

from tests.clients.node import NodeClient, node_client
from tests.clients.world import World, running


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("clients")) as made:
        yield made


@pytest.fixture(scope="session")
def node() -> Iterator[NodeClient]:
    with node_client() as made:
        yield made
