"""Applications: registered API clients (api.md R5, R6, R19)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from syncd.engine.applications import Applications, Registered
from syncd.model.access import Application
from syncd.model.when import utc
from syncd.runtime.wiring import Core

Json = dict[str, Any]


async def add(
    core: Core, *, name: str, origins: Sequence[str] = (), redirect_uris: Sequence[str] = ()
) -> Json:
    """Register an application; show its secrets this once."""
    made = await _applications(core).add(name, origins=origins, redirect_uris=redirect_uris)
    return _registered(made)


async def list_all(core: Core) -> Sequence[Json]:
    """Return all applications, by name, never their secrets."""
    return [_application(one) for one in await core.store.applications()]


async def change(
    core: Core,
    *,
    application: str,
    name: str | None = None,
    origins: Sequence[str] | None = None,
    redirect_uris: Sequence[str] | None = None,
) -> Json:
    """Replace what is given; secrets, tokens and profiles stay."""
    changed = await _applications(core).change(
        application, new_name=name, origins=origins, redirect_uris=redirect_uris
    )
    return _application(changed)


async def rotate(core: Core, *, application: str, overlap_seconds: int = 86400) -> Json:
    """Give an application new secrets; the old ones live on for ``overlap_seconds``."""
    overlap = timedelta(seconds=overlap_seconds)
    made = await _applications(core).rotate(application, overlap=overlap)
    until = made.old_secrets_end_at
    return _registered(made) | {"old_secrets_end_at": None if until is None else utc(until)}


async def remove(core: Core, *, application: str) -> Json:
    """End an application's secrets, the tokens given through it, and its origins."""
    found = await _applications(core).remove(application)
    return {"client_id": found.id, "name": found.name, "removed": True}


def _applications(core: Core) -> Applications:
    return Applications(core.store, core.vault, core.clock)


def _registered(made: Registered) -> Json:
    shown = {kind.value: secret.reveal() for kind, secret in made.secrets.items()}
    return _application(made.application) | shown


def _application(application: Application) -> Json:
    return {
        "client_id": application.id,
        "name": application.name,
        "origins": list(application.origins),
        "redirect_uris": list(application.redirect_uris),
        "created": utc(application.created),
    }
