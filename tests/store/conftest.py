"""The fixtures of the store's contract serve here too."""

from tests.contract.conftest import address, clock, schemas, store

__all__ = ["address", "clock", "schemas", "store"]
