"""What only trying tells of new settings, tried beside the daemon that runs by the old ones."""

from pathlib import Path
from tempfile import TemporaryDirectory

from syncd.model.errors import MisconfiguredError, TransientError
from syncd.runtime.fanout import target_of
from syncd.runtime.settings import Settings
from syncd.runtime.vault import KeyRing
from syncd.runtime.wiring import Core, require_keys, vault_of
from syncd.store.address import same_database
from syncd.store.open import open_store


async def rehearse(fresh: Settings, core: Core) -> None:
    """Raise what a start by ``fresh`` would end with; ``core`` goes on meanwhile.

    Raises MisconfiguredError, TransientError.
    """
    if fresh.state_dir != core.settings.state_dir:
        raise MisconfiguredError(
            "it cannot change while syncd runs; restart syncd, or change it back", key="state_dir"
        )
    vault = vault_of(fresh)
    target_of(fresh)
    if same_database(fresh.store_url, core.settings.store_url):
        await require_keys(core.store, vault, fresh)
    else:
        await _try_store(fresh, vault, core)


async def _try_store(fresh: Settings, vault: KeyRing, core: Core) -> None:
    with TemporaryDirectory() as apart:  # the count beside the state is that of the old one (S8)
        try:
            store = await open_store(fresh.store_url, state_dir=Path(apart), clock=core.clock)
        except TransientError as error:
            raise MisconfiguredError(f"{error}; change store.url", key="store.url") from error
        try:
            await require_keys(store, vault, fresh)
        finally:
            await store.close()
