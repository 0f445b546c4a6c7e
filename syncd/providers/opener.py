"""The ports ``Providers`` and ``Linker`` over all registered kinds."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from syncd.model.errors import RelinkRequiredError, UnsupportedError
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.store.profiles import Profiles
from syncd.ports.vault import Vault, credential_place
from syncd.providers.kind import Adapter, Kind, Rim
from syncd.providers.registry import KINDS

PASSWORD = "password"  # noqa: S105 - the name of a sealed field


class Opener:
    """Starts each adapter once, when it is first needed; the vault is opened here only (I16)."""

    def __init__(
        self, store: Profiles, vault: Vault, rim: Rim, kinds: Iterable[Kind] = KINDS
    ) -> None:
        """Open profiles with the credentials that ``store`` keeps sealed."""
        self._store = store
        self._vault = vault
        self._rim = rim
        self._kinds = {kind.name: kind for kind in kinds}
        self._adapters = dict[str, Adapter]()

    @asynccontextmanager
    async def open(self, profile: Profile) -> AsyncIterator[Provider]:
        """Obey ``Providers.open``; raises RelinkRequiredError if no password is kept."""
        adapter = self._adapter(profile.provider)
        sealed = await self._store.sealed(profile.id, PASSWORD)
        if sealed is None:
            raise RelinkRequiredError(f"profile {profile.id} has no password")
        place = credential_place(profile.id, PASSWORD)
        async with adapter.open(profile, self._vault.open(sealed, place=place)) as provider:
            yield provider

    async def sign_in(self, login: Login) -> SignedIn:
        """Obey ``Linker.sign_in``; raises UnsupportedError without an adapter."""
        return await self._adapter(login.provider).sign_in(login)

    def _adapter(self, name: str) -> Adapter:
        if name not in self._adapters:
            kind = self._kinds.get(name)
            if kind is None:
                raise UnsupportedError(f"there is no provider {name}")
            self._adapters[name] = kind.start(self._rim)
        return self._adapters[name]
