"""Where secrets are sealed (design decision 8, I16)."""

from typing import Protocol

PASSWORD = "password"  # noqa: S105 - the name of a sealed field


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


def credential_place(profile: int, field: str) -> str:
    """Return the place of a profile's sealed field."""
    return f"credentials|{profile}|{field}"
