"""An ``Account`` of kloudless-python whose only setting of ours is the base URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import kloudless
from kloudless.config import configuration

from tests.clients.world import Person


@contextmanager
def account_of(person: Person, token: str = "") -> Iterator[kloudless.Account]:
    configuration["base_url"] = person.world.address
    with kloudless.Account(token=token or person.token) as made:
        yield made


def calendar(account: kloudless.Account, name: str) -> Any:  # noqa: ANN401 - of an untyped library
    """Return a calendar by its name."""
    return next(one for one in account.get("cal/calendars") if one.data["name"] == name)
