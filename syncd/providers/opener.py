"""Opens profiles at their providers, and tries logins there: the registry behind two ports."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from syncd.model.abilities import Abilities
from syncd.model.errors import InvalidError, MisconfiguredError, UnsupportedError
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.store import Store
from syncd.ports.vault import PASSWORD, Vault, credential_place
from syncd.providers.kind import Adapter, Kind, Rim


class Opener:
    """Obeys ``ports.provider.Providers`` and ``ports.link.Linker``; each adapter starts once.

    The only place where credentials leave the vault (I16).
    """

    def __init__(self, kinds: Iterable[Kind], rim: Rim, store: Store, vault: Vault) -> None:
        """Know ``kinds``; nothing is started before it is needed."""
        self._kinds = {kind.name: kind for kind in kinds}
        self._rim = rim
        self._store = store
        self._vault = vault
        self._started: dict[str, Adapter] = {}

    def abilities(self, provider: str) -> Abilities:
        """Return what a kind of provider can store; raises UnsupportedError without one."""
        if provider not in self._kinds:
            raise UnsupportedError(f"this syncd has no adapter for {provider}")
        return self._kinds[provider].abilities

    def open(self, profile: Profile) -> AbstractAsyncContextManager[Provider]:
        """Sign in with the sealed password; raises UnsupportedError without an adapter."""
        return self._open(profile)

    async def sign_in(self, login: Login) -> SignedIn:
        """Obey ``Linker.sign_in``; raises InvalidError for a provider that is not known."""
        if login.provider not in self._kinds:
            known = ", ".join(self._kinds)
            raise InvalidError(
                f"there is no provider {login.provider!r}; known: {known}", field="provider"
            )
        return await self._adapter(login.provider).sign_in(login)

    @asynccontextmanager
    async def _open(self, profile: Profile) -> AsyncIterator[Provider]:
        adapter = self._adapter(profile.provider)
        sealed = await self._store.sealed(profile.id, PASSWORD)
        if sealed is None:
            raise MisconfiguredError(f"profile {profile.id} has no password: relink it")
        secret = self._vault.open(sealed, place=credential_place(profile.id, PASSWORD))
        async with adapter.open(profile, secret) as provider:
            yield provider

    def _adapter(self, name: str) -> Adapter:
        if name not in self._kinds:
            raise UnsupportedError(f"this syncd has no adapter for {name}")
        if name not in self._started:
            self._started[name] = self._kinds[name].start(self._rim)
        return self._started[name]
