"""An operator, an account with JetStream and a user of it, as ``nsc`` would make them."""

import base64
import json
import secrets
from typing import Any

import nkeys

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_UNLIMITED = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf", "mem_storage", "disk_storage",
     "streams", "consumer"),
    -1,
)  # fmt: skip


class Trust:
    """``config`` is for the server, ``credentials`` the text of the user's ``.creds`` file."""

    def __init__(self) -> None:
        operator = _pair(nkeys.PREFIX_BYTE_OPERATOR)
        account, system = _pair(nkeys.PREFIX_BYTE_ACCOUNT), _pair(nkeys.PREFIX_BYTE_ACCOUNT)
        user = _pair(nkeys.PREFIX_BYTE_USER)
        ours = _jwt(operator, operator, {"type": "operator", "version": 2})
        allowed: dict[str, object] = {"type": "account", "version": 2, "limits": _UNLIMITED}
        accounts = [
            f"{_name(system)}: {_jwt(operator, system, {'type': 'account', 'version': 2})}",
            f"{_name(account)}: {_jwt(operator, account, allowed)}",
        ]
        self.config = (
            f"operator: {ours}\nsystem_account: {_name(system)}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {', '.join(accounts)} }}\n"
        )
        entitled = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}
        self.credentials = (
            "-----BEGIN NATS USER JWT-----\n"
            f"{_jwt(account, user, entitled)}\n"
            "------END NATS USER JWT------\n\n"
            "-----BEGIN USER NKEY SEED-----\n"
            f"{user.seed.decode()}\n"
            "------END USER NKEY SEED------\n"
        )


def _name(of: Any) -> str:  # noqa: ANN401 - nkeys has no types
    return str(of.public_key.decode())


def _pair(kind: int) -> Any:  # noqa: ANN401 - nkeys has no types
    return nkeys.from_seed(bytearray(nkeys.encode_seed(secrets.token_bytes(32), prefix=kind)))


def _jwt(by: Any, of: Any, claims: dict[str, object]) -> str:  # noqa: ANN401 - nkeys has no types
    told = {
        "jti": secrets.token_hex(16),
        "iat": 1_700_000_000,
        "iss": _name(by),
        "sub": _name(of),
        "name": "test",
        "nats": claims,
    }
    signed = f"{_part(_HEADER)}.{_part(told)}"
    return f"{signed}.{_base64(by.sign(signed.encode()))}"


def _part(what: dict[str, object] | dict[str, str]) -> str:
    return _base64(json.dumps(what).encode())


def _base64(what: bytes) -> str:
    return base64.urlsafe_b64encode(what).decode().rstrip("=")
