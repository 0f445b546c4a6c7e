"""The fixtures of the store's contract serve here too."""

from tests.contract.conftest import address, clock, store

__all__ = ["address", "clock", "store"]
