"""Credentials in a dictionary."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from syncd.ports.vault import PASSWORD, Secret


class FakeKeys:
    """Obeys ``ports.vault.Keys``; ``writes`` counts."""

    def __init__(self, **held: str) -> None:
        self.held = held
        self.writes = 0

    @classmethod
    def password(cls, text: str) -> "FakeKeys":
        return cls(**{PASSWORD: text})

    async def read(self, field: str) -> Secret | None:
        return Secret(self.held[field]) if field in self.held else None

    async def write(self, secrets: Mapping[str, Secret]) -> None:
        self.writes += 1
        self.held |= {field: one.reveal() for field, one in secrets.items()}

    def alone(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()
