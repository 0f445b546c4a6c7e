"""One daemon and one server for all tests of a worker; each module has people of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.node import NodeClient, node_client
from tests.clients.world import World, running

HERE = Path(__file__).parent
PATIENCE = pytest.mark.timeout(120)  # the first test of a module starts processes and signs in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(PATIENCE)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("clients")) as made:
        yield made


@pytest.fixture(scope="session")
def node() -> Iterator[NodeClient]:
    with node_client() as made:
        yield made
