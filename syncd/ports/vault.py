"""Where secrets are sealed (design decision 8, I16)."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

# the names of sealed fields
PASSWORD = "password"  # noqa: S105
REFRESH_TOKEN = "refresh_token"  # noqa: S105
FORMER_REFRESH_TOKEN = "former_refresh_token"  # noqa: S105
ACCESS_TOKEN = "access_token"  # noqa: S105
DELEGATED_KEY = "delegated_key"
LOGINS = (PASSWORD, REFRESH_TOKEN, FORMER_REFRESH_TOKEN, ACCESS_TOKEN, DELEGATED_KEY)


class Secret:
    """Text that shows itself to nobody by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep ``text``."""
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        """Return no more than that there is one."""
        return "***"


class Keys(Protocol):
    """The sealed credentials of one profile, by field (I16)."""

    async def read(self, field: str) -> Secret | None:
        """Return one as it is stored now."""
        ...

    async def write(self, secrets: Mapping[str, Secret]) -> None:
        """Replace these; durable when it returns (I13).

        Raises StaleStateError if the profile was connected anew meanwhile.
        """
        ...

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Hold what one process at a time may have of this profile: the right to refresh (F22).

        Raises TransientError where another process does not let go of it.
        """
        ...


class Vault(Protocol):
    """Seals text for one place; what is moved to another place does not open."""

    def seal(self, secret: Secret, *, place: str) -> bytes:
        """Return ``v1:key id:nonce:ciphertext``; ``place`` is ``table|row|field``."""
        ...

    def open(self, sealed: bytes, *, place: str) -> Secret:
        """Return what was sealed; raises MisconfiguredError if it cannot be opened."""
        ...


def application_place(application: str, token: str) -> str:
    """Return the place of an application's sealed secret."""
    return f"applications|{application}|{token}"


def signing_place(subscription: str, secret: str) -> str:
    """Return the place of a sealed signing secret."""
    return f"signing_secrets|{subscription}|{secret}"


def credential_place(profile: int, field: str) -> str:
    """Return the place of a profile's sealed field."""
    return f"credentials|{profile}|{field}"
