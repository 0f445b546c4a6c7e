"""Applications and their secrets (api.md R5, R6, R19)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from syncd.model.access import Application, Token
from syncd.model.ids import ApplicationId


class KeyKind(StrEnum):
    """What a secret of an application is called; each is accepted for the other (R6)."""

    API_KEY = "api_key"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a sealed field


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationKey:
    """A token that is the application itself, and its text sealed, for pushes are signed with it.

    It signs for as long as ``token`` is alive.
    """

    kind: KeyKind
    token: Token
    sealed: bytes


class Applications(Protocol):
    """Registered API clients."""

    async def add_application(
        self, application: Application, keys: Sequence[ApplicationKey] = ()
    ) -> None:
        """Add an application; raises ConflictError if the name is taken."""
        ...

    async def application(self, application: ApplicationId) -> Application:
        """Return one; raises NotFoundError."""
        ...

    async def applications(self) -> Sequence[Application]:
        """Return all, by name."""
        ...

    async def application_keys(self, application: ApplicationId) -> Sequence[ApplicationKey]:
        """Return what it may sign with or be known by, newest first; dead ones may be among it."""
        ...

    async def rotate_keys(
        self, application: ApplicationId, keys: Sequence[ApplicationKey], *, until: datetime
    ) -> None:
        """Add keys; those that are there live until ``until`` at the longest.

        Raises NotFoundError for an unknown application.
        """
        ...

    async def save_application(self, application: Application) -> None:
        """Write an application's name, origins and redirect URIs.

        Raises NotFoundError, and ConflictError if the name is taken.
        """
        ...

    async def remove_application(self, application: ApplicationId, at: datetime) -> None:
        """End all tokens that are its own or were given through it, erase secrets and origins.

        Nothing more is pushed of what it asked for. Profiles stay. Raises NotFoundError.
        """
        ...

    async def origins(self) -> frozenset[str]:
        """Return the browser origins of all applications (R19)."""
        ...
