"""Users and tokens."""

import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from syncd.engine.tokens import Tokens
from syncd.model.access import DEFAULT_USER, Scope, Token, User
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import TokenId, UserId, short
from syncd.model.when import utc
from syncd.runtime.operations.names import profile_named
from syncd.runtime.wiring import Core

_OF_APPLICATION = re.compile(r"app_[a-z2-7]+[/:]")  # ``engine.members``

Json = dict[str, Any]


async def add_user(core: Core, *, name: str) -> Json:
    """Add a user; raises ConflictError if the name is taken."""
    if not name.strip():
        raise InvalidError("a user needs a name", field="name")
    if _OF_APPLICATION.match(name.strip()):
        raise InvalidError(
            "names like app_…/… and app_…:… are those of applications' users", field="name"
        )
    return _user(await _new_user(core, name.strip()))


async def list_users(core: Core) -> Sequence[Json]:
    """Return all users, by name."""
    return [_user(user) for user in await core.store.users()]


async def user_named(core: Core, name: str | None) -> User:
    """Return a user by name or id; without either the user ``default``, made when first needed."""
    wanted = name or DEFAULT_USER
    found = await core.store.user_named(wanted)
    if found is not None:
        return found
    if wanted == DEFAULT_USER:
        return await _new_user(core, DEFAULT_USER)
    try:
        return await core.store.user(UserId(wanted))
    except NotFoundError:
        raise NotFoundError(
            f"there is no user {wanted}; `syncd user add {wanted}` adds one"
        ) from None


async def create_token(  # noqa: PLR0913 - the options of the command
    core: Core,
    *,
    user: str | None = None,
    profile: str | None = None,
    scopes: Sequence[str] = (),
    expires_in_seconds: int | None = None,
    name: str | None = None,
    admin: bool = False,
    rotate: bool = False,
) -> Json:
    """Make a token for a profile, for everything, or else for a user; show it this once (R6)."""
    if (profile is not None) + (user is not None) + admin > 1:
        raise InvalidError("name one of --user, --profile and --admin")
    token, text = await Tokens(core.store, core.clock).issue(
        scopes=frozenset(map(_scope, scopes)),
        profile_id=None if profile is None else (await profile_named(core, profile)).id,
        user_id=None if admin or profile else (await user_named(core, user)).id,
        admin=admin,
        name=name,
        lifetime=None if expires_in_seconds is None else timedelta(seconds=expires_in_seconds),
        rotates=rotate,
    )
    return {"token": text.reveal(), **_token(token)}


async def list_tokens(core: Core) -> Sequence[Json]:
    """Return all tokens, newest first, never their text."""
    return [
        {
            **_token(token),
            "name": token.name,
            "user_id": token.user_id,
            "account_id": None if token.profile_id is None else str(token.profile_id),
            "application_id": token.application_id,
            "admin": token.admin,
            "rotates": token.rotates,
            "created": utc(token.created),
            "used_at": None if token.used_at is None else utc(token.used_at),
            "revoked_at": None if token.revoked_at is None else utc(token.revoked_at),
        }
        for token in await core.store.tokens()
    ]


async def revoke_token(core: Core, *, token: str) -> Json:
    """End a token, named by its id or its text; raises NotFoundError."""
    name = token.split("_")[1] if token.count("_") > 1 else token
    await core.store.revoke_token(TokenId(name), core.clock.now())
    return {"id": name, "revoked": True}


async def _new_user(core: Core, name: str) -> User:
    user = User(
        id=UserId(f"acc_{short(secrets.token_hex(16))}"), name=name, created=core.clock.now()
    )
    try:
        await core.store.add_user(user)
    except ConflictError:
        raise ConflictError(f"there is a user {name} already") from None
    return user


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        known = ", ".join(Scope)
        raise InvalidError(f"there is no scope {text}; known: {known}", field="scope") from None


def _user(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "application_id": user.application_id,
        "created": utc(user.created),
    }


def _token(token: Token) -> Json:
    return {
        "id": token.id,
        "mom_id": token.lineage,
        "scopes": sorted(token.scopes),
        "expires_at": None if token.expires_at is None else utc(token.expires_at),
    }
