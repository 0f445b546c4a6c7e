"""Secrets sealed with AES-256-GCM under a ring of keys (design decision 8, reliability.md §5).

The ring is a file of ``key_id base64key`` lines; the first key seals, every key opens. What was
sealed for one place does not open at another: the place is the associated data.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from syncd.model.errors import MisconfiguredError
from syncd.ports.vault import Secret
from syncd.runtime.places import SYSTEM_STATE, environment, readable

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_KEY_BYTES = 32
_NONCE_BYTES = 12
_RING_NAME = "syncd.keys"
SYSTEM_RING = Path("/etc/syncd/keys")  # from where the unit has systemd hand it in


class KeyRing:
    """Obeys ``ports.vault.Vault``; ``keys`` by id, the first one is primary."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Refuse an empty ring and keys of another length."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise MisconfiguredError("a key ring needs at least one key, each of 32 bytes")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._primary = next(iter(self._keys))

    @property
    def names(self) -> frozenset[str]:
        """Return the ids of the keys."""
        return frozenset(self._keys)

    def seal(self, secret: Secret, *, place: str) -> bytes:
        """Return ``v1:key id:nonce:ciphertext``, the last two in base64."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._primary].encrypt(
            nonce, secret.reveal().encode("utf-8", "surrogatepass"), place.encode()
        )
        parts = (b"v1", self._primary.encode(), base64.b64encode(nonce), base64.b64encode(sealed))
        return b":".join(parts)

    def open(self, sealed: bytes, *, place: str) -> Secret:
        """Return what was sealed for this place; raises MisconfiguredError if it cannot be."""
        try:
            version, name, nonce, ciphertext = sealed.split(b":")
            pair = (
                base64.b64decode(nonce, validate=True),
                base64.b64decode(ciphertext, validate=True),
            )
        except (ValueError, binascii.Error):
            raise MisconfiguredError(f"{place}: this is not sealed text") from None
        key = self._keys.get(name.decode("ascii", "replace"))
        if version != b"v1" or key is None:
            raise MisconfiguredError(
                f"{place}: sealed with key {name.decode('ascii', 'replace')}, which is not in the "
                "key ring; restore the ring that was in use"
            )
        try:
            plain = key.decrypt(*pair, place.encode())
        except (InvalidTag, ValueError):
            raise MisconfiguredError(
                f"{place}: does not open; it was changed, moved, or sealed with another key"
            ) from None
        return Secret(plain.decode("utf-8", "surrogatepass"))


def ring_file(key_file: str, state_dir: Path) -> Path:
    """Return where the ring lies: as set, else systemd's credential, else the state directory."""
    if key_file:
        return Path(key_file.replace("{state_dir}", str(state_dir))).absolute()
    credentials = environment("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / _RING_NAME).exists():
        return Path(credentials) / _RING_NAME
    if state_dir == SYSTEM_STATE and readable(SYSTEM_RING):
        return SYSTEM_RING  # a command of root's, beside the unit
    return state_dir / _RING_NAME


def new_ring() -> str:
    """Return the text of a ring with one new key."""
    key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return f"k{secrets.token_hex(4)} {key}\n"


def write_ring(path: Path) -> None:
    """Make a ring that only its owner can read; raises FileExistsError rather than replace one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - the mode counts
        file.write(new_ring())
        file.flush()
        os.fsync(file.fileno())


def open_ring(path: Path) -> KeyRing:
    """Read a ring; raises MisconfiguredError if it is missing, open to others, or broken."""
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise MisconfiguredError(
            f"{path}: the key ring is missing; restore it from where you keep it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MisconfiguredError(f"{path}: the key ring cannot be read: {error}") from None
    if mode & _refused_bits(path):
        raise MisconfiguredError(f"{path}: others can read the key ring; chmod 600 {path}")
    return KeyRing(dict(_keys(path, text)))


def _refused_bits(path: Path) -> int:
    """Credentials come with an access list from systemd; its mask shows as the group's bits."""
    credentials = environment("CREDENTIALS_DIRECTORY")
    if credentials and path.is_relative_to(credentials):
        return stat.S_IRWXO
    return stat.S_IRWXO | stat.S_IRWXG


def _keys(path: Path, text: str) -> list[tuple[str, bytes]]:
    found = list[tuple[str, bytes]]()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, encoded = line.strip().partition(" ")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not _KEY_ID.fullmatch(name) or len(key) != _KEY_BYTES:
            raise MisconfiguredError(
                f"{path}: line {number} is not `key_id base64key` with 32 bytes; restore the ring"
            )
        found.append((name, key))
    return found
