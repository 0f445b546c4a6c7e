"""A JSON Schema as the judge of what servers of tests are sent and tell.

They ask for each request and each answer: the library in Rust says whether all is well, in a
fiftieth of the time, and the reference library in Python what is wrong where it is not.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError


class Judge:
    """One schema, with what it refers to in its ``$defs``."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._quick = jsonschema_rs.Draft202012Validator(schema)
        self._exact = Draft202012Validator(schema)

    def check(self, told: object) -> None:
        """Raise jsonschema's ValidationError for the first fault."""
        for one in self.faults(told):
            raise one

    def faults(self, told: object) -> Iterator[ValidationError]:
        """Yield what is wrong; the two libraries must agree whether anything is."""
        if not self._quick.is_valid(told):
            found = list(self._exact.iter_errors(told))
            assert found, f"only one of two libraries refuses {told}"
            yield from found
