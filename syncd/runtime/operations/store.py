"""The database: upgrade, backup, check.

A restore is no operation: it needs that nobody has the database open (``cli/database.py``).
"""

import secrets
from typing import Any

from syncd.runtime.wiring import Core

Json = dict[str, Any]


async def upgrade(core: Core) -> Json:
    """Tell which database it is: opening it has brought it to this program's schema."""
    health = await core.store.health()
    return {"database": health.database, "upgraded": True}


async def backup(core: Core) -> Json:
    """Write a marked copy into the state directory, from where the command line takes it.

    The daemon may be able to write nowhere else.
    """
    target = core.settings.state_dir / f"backup-{secrets.token_hex(6)}.db"
    await core.store.backup(target)
    return {"file": str(target)}


async def check(core: Core) -> Json:
    """Return what is wrong with the database, one sentence a fault."""
    faults = list(await core.store.check())
    return {"well": not faults, "faults": faults}
