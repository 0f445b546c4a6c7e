"""Profiles, users, applications and tokens: row ⇄ value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zlib import crc32

import orjson
from sqlalchemy import Row

from syncd.model.access import Application, Scope, Token, User
from syncd.model.ids import ProfileId
from syncd.model.profile import LastError, Profile, Proof, Reason
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.tables import profiles

SHARDS = 256  # fixed for ever: a shard is part of a schedule's name (design decision 2)

_PROFILE = tuple(column.name for column in profiles.columns)

Values = dict[str, Any]
AnyRow = Row[*tuple[Any, ...]]


def stamp(when: datetime | None) -> int | None:
    """Return an instant as the store keeps it."""
    return None if when is None else milliseconds(when)


def instant_of(value: int | None) -> datetime | None:
    """Return what ``stamp`` was given."""
    return None if value is None else from_milliseconds(value)


def shard_of(profile: ProfileId) -> int:
    """Return which part of the schedule a profile belongs to."""
    return crc32(str(profile).encode()) % SHARDS


def profile_values(profile: Profile) -> Values:
    """Return a profile's columns."""
    return {
        "profile_id": profile.id,
        "user_id": profile.user_id,
        "application_id": profile.application_id,
        "provider": profile.provider,
        "login": profile.login,
        "identity": profile.identity,
        "name": profile.name,
        "settings": orjson.dumps(dict(profile.settings)),
        "generation": profile.generation,
        "revision": profile.revision,
        "shard": shard_of(profile.id),
        "pollable": profile.pollable,
        "paused": profile.paused,
        "first_read": profile.first_read,
        "suspect": profile.suspect,
        "removed": profile.removed,
        "refused": profile.refused,
        "refused_at": stamp(profile.refused_at),
        "next_poll_at": stamp(profile.next_poll_at),
        "polled_at": stamp(profile.polled_at),
        "failures": profile.failures,
        "last_error": error_bytes(profile.last_error),
        "proof": proof_bytes(profile.proof),
        "relink_digest": profile.relink_digest,
        "relink_until": stamp(profile.relink_until),
        "created_at": milliseconds(profile.created),
        "modified_at": milliseconds(profile.modified),
        "state_since": milliseconds(profile.state_since),
    }


def profile_of(row: AnyRow) -> Profile:
    """Return the profile of a row with all columns, in the table's order.

    Every poll begins with one, and attributes of a row cost several times what a dictionary's do.
    """
    told = dict(zip(_PROFILE, row, strict=True))
    refused = told["refused"]
    return Profile(
        id=told["profile_id"],
        user_id=told["user_id"],
        application_id=told["application_id"],
        provider=told["provider"],
        login=told["login"],
        identity=told["identity"],
        name=told["name"],
        settings=orjson.loads(told["settings"]),
        generation=told["generation"],
        revision=told["revision"],
        paused=told["paused"],
        first_read=told["first_read"],
        suspect=told["suspect"],
        removed=told["removed"],
        refused=None if refused is None else Reason(refused),
        refused_at=instant_of(told["refused_at"]),
        next_poll_at=instant_of(told["next_poll_at"]),
        polled_at=instant_of(told["polled_at"]),
        failures=told["failures"],
        last_error=_error_of(told["last_error"]),
        proof=_proof_of(told["proof"]),
        relink_digest=told["relink_digest"],
        relink_until=instant_of(told["relink_until"]),
        created=from_milliseconds(told["created_at"]),
        modified=from_milliseconds(told["modified_at"]),
        state_since=from_milliseconds(told["state_since"]),
    )


def error_bytes(error: LastError | None) -> bytes | None:
    """Return an error as the store keeps it."""
    if error is None:
        return None
    kept = {"at": milliseconds(error.at), "code": error.code, "message": error.message}
    return _json(kept)


def proof_bytes(proof: Proof | None) -> bytes | None:
    """Return a proof as the store keeps it."""
    if proof is None:
        return None
    first, last = milliseconds(proof.first_at), milliseconds(proof.last_at)
    return _json({"reason": proof.reason, "count": proof.count, "first": first, "last": last})


def _error_of(kept: bytes | None) -> LastError | None:
    if kept is None:
        return None
    error = orjson.loads(kept)
    at = from_milliseconds(error["at"])
    return LastError(at=at, code=error["code"], message=error["message"])


def _proof_of(kept: bytes | None) -> Proof | None:
    if kept is None:
        return None
    proof = orjson.loads(kept)
    return Proof(
        reason=Reason(proof["reason"]),
        count=proof["count"],
        first_at=from_milliseconds(proof["first"]),
        last_at=from_milliseconds(proof["last"]),
    )


def _json(value: Mapping[str, object]) -> bytes:
    """Write JSON; lone surrogates, which no database keeps, are replaced."""
    clean = {
        key: one.encode("utf-8", "replace").decode() if isinstance(one, str) else one
        for key, one in value.items()
    }
    return orjson.dumps(clean)


def user_of(row: AnyRow) -> User:
    """Return the user of a row with all columns."""
    return User(
        id=row.user_id,
        name=row.name,
        created=from_milliseconds(row.created_at),
        application_id=row.application_id,
    )


def application_of(row: AnyRow) -> Application:
    """Return the application of a row with all columns."""
    return Application(
        id=row.application_id,
        name=row.name,
        created=from_milliseconds(row.created_at),
        origins=tuple(orjson.loads(row.origins)),
        redirect_uris=tuple(orjson.loads(row.redirect_uris or b"[]")),
    )


def token_values(token: Token) -> Values:
    """Return a token's columns."""
    return {
        "token_id": token.id,
        "digest": token.digest,
        "scopes": orjson.dumps(sorted(token.scopes)),
        "user_id": token.user_id,
        "profile_id": token.profile_id,
        "application_id": token.application_id,
        "admin": token.admin,
        "name": token.name,
        "created_at": milliseconds(token.created),
        "expires_at": stamp(token.expires_at),
        "revoked_at": stamp(token.revoked_at),
        "used_at": stamp(token.used_at),
        "rotates": token.rotates,
        "grant_id": token.grant_id,
    }


def token_of(row: AnyRow) -> Token:
    """Return the token of a row with all columns."""
    return Token(
        id=row.token_id,
        digest=row.digest,
        scopes=frozenset(map(Scope, orjson.loads(row.scopes))),
        user_id=row.user_id,
        profile_id=row.profile_id,
        application_id=row.application_id,
        admin=row.admin,
        name=row.name,
        created=from_milliseconds(row.created_at),
        expires_at=instant_of(row.expires_at),
        revoked_at=instant_of(row.revoked_at),
        used_at=instant_of(row.used_at),
        rotates=bool(row.rotates),
        grant_id=row.grant_id,
    )
