"""A vault that hides nothing, and still refuses what was moved to another place."""

from syncd.model.errors import MisconfiguredError
from syncd.ports.vault import Secret


class FakeVault:
    """Writes the place beside the text."""

    def seal(self, secret: Secret, *, place: str) -> bytes:
        return f"{place}\0{secret.reveal()}".encode()

    def open(self, sealed: bytes, *, place: str) -> Secret:
        kept, _, text = sealed.decode().partition("\0")
        if kept != place:
            raise MisconfiguredError(f"sealed for {kept}")
        return Secret(text)
