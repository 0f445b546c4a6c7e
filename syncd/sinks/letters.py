"""What a message server is asked to keep, and what it answers; without any library of its."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where messages go, by ``[nats]`` of the settings.

    A stream that is not there is made: it takes ``subject`` and what is below, and keeps it for
    ``retention``. The files hold secrets and are read at each connection.
    """

    servers: tuple[str, ...]
    stream: str
    subject: str
    retention: timedelta
    credentials_file: Path | None = None
    token_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as the server takes it."""

    subject: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where the server keeps a message; ``duplicate`` if it had it already."""

    stream: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a message is not kept; ``out_of_turn`` if another one stands where it expected one."""

    why: str
    out_of_turn: bool = False


class Postbox(Protocol):
    """A connection that letters are sent through."""

    async def publish(self, letters: Sequence[Letter]) -> Sequence[Stored | Refused]:
        """Send all, then wait for the answers; return them in order, up to the first refusal.

        Raises TransientError with a sentence if there is no connection.
        """
        ...

    async def close(self) -> None:
        """Drop the connection, if there is one."""
        ...
