"""Opens profiles at their providers, and tries logins there: the registry behind two ports."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from types import TracebackType

from syncd.model.abilities import Abilities
from syncd.model.errors import InvalidError, UnsupportedError
from syncd.model.profile import Profile
from syncd.ports.link import Consent, Consented, Journey, Login, SignedIn, SignIn, Way
from syncd.ports.provider import Provider
from syncd.ports.store import Store
from syncd.ports.vault import LOGINS, Secret, Vault, credential_place
from syncd.providers.kind import Adapter, Consenting, Kind, Revoker, Rim


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
        self._starting = asyncio.Lock()

    def abilities(self, provider: str) -> Abilities:
        """Return what a kind of provider can store; raises UnsupportedError without one."""
        if provider not in self._kinds:
            raise UnsupportedError(f"this syncd has no adapter for {provider}")
        return self._kinds[provider].abilities

    def open(self, profile: Profile) -> AbstractAsyncContextManager[Provider]:
        """Sign in with the sealed credentials; raises UnsupportedError without an adapter."""
        return _Opening(self, profile)

    async def sign_in(self, login: Login) -> SignedIn:
        """Obey ``Linker.sign_in``; raises InvalidError for a provider that is not known.

        So it does for a refresh token where people sign in with a password.
        """
        if login.provider not in self._kinds:
            known = ", ".join(self._kinds)
            raise InvalidError(
                f"there is no provider {login.provider!r}; known: {known}", field="provider"
            )
        kind = self._kinds[login.provider]
        if login.refresh_token is not None and kind.sign_in is not SignIn.GRANT:
            raise InvalidError(
                f"at {kind.service_name} people sign in {kind.sign_in}", field="refresh_token"
            )
        return await (await self._adapter(login.provider)).sign_in(login)

    async def ways(self) -> Sequence[Way]:
        """Obey ``Linker.ways``."""
        return [await self._way(kind) for kind in self._kinds.values() if self._is_set_up(kind)]

    async def begin(self, journey: Journey) -> Consent:
        """Obey ``Linker.begin``."""
        return (await self._consenting(journey.provider)).begin(journey)

    async def finish(self, consented: Consented) -> SignedIn:
        """Obey ``Linker.finish``."""
        return await (await self._consenting(consented.provider)).finish(consented)

    def _is_set_up(self, kind: Kind) -> bool:
        if kind.sign_in is SignIn.GRANT:
            settings = self._rim.settings.get(kind.name, {})
            return bool(settings.get("client_id") and settings.get("client_secret"))
        return kind.extra is None or find_spec(kind.extra) is not None

    async def _way(self, kind: Kind) -> Way:
        asked = kind.sign_in is SignIn.GRANT
        origins = (await self._consenting(kind.name)).origins if asked else ()
        return Way(
            provider=kind.name, name=kind.service_name, sign_in=kind.sign_in, origins=origins
        )

    async def _consenting(self, name: str) -> Consenting:
        adapter = await self._adapter(name)
        if not isinstance(adapter, Consenting):
            raise InvalidError(f"people do not sign in at {name} itself", field="provider")
        return adapter

    async def give_up(self, provider: str, secrets: Mapping[str, Secret]) -> bool:
        """Obey ``Linker.give_up``."""
        adapter = await self._adapter(provider)
        return isinstance(adapter, Revoker) and await adapter.give_up(secrets)

    async def leave(self, profile: Profile) -> bool:
        """Obey ``Linker.leave``."""
        adapter, keys = (
            await self._adapter(profile.provider),
            _Keys(self._store, self._vault, profile),
        )
        if not isinstance(adapter, Revoker):
            return False
        read = {field: await keys.read(field) for field in LOGINS}
        return await adapter.give_up({name: one for name, one in read.items() if one is not None})

    async def opened(self, profile: Profile) -> AbstractAsyncContextManager[Provider]:
        """Return the profile as its adapter opens it."""
        adapter = await self._adapter(profile.provider)
        return adapter.open(profile, _Keys(self._store, self._vault, profile))

    async def _adapter(self, name: str) -> Adapter:
        if name not in self._kinds:
            raise UnsupportedError(f"this syncd has no adapter for {name}")
        if name not in self._started:
            async with self._starting:
                if name not in self._started:
                    # it imports for a tenth of a second, which the loop has not (F42)
                    start = self._kinds[name].start
                    self._started[name] = await asyncio.to_thread(start, self._rim)
        return self._started[name]


class _Opening(AbstractAsyncContextManager[Provider]):
    """A profile to be opened: each poll enters one, and a generator would cost it more."""

    def __init__(self, opener: Opener, profile: Profile) -> None:
        self._opener = opener
        self._profile = profile

    async def __aenter__(self) -> Provider:
        self._opened = await self._opener.opened(self._profile)
        return await self._opened.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._opened.__aexit__(kind, error, traceback)


class _Keys:
    """Obeys ``ports.vault.Keys``."""

    def __init__(self, store: Store, vault: Vault, profile: Profile) -> None:
        self._store = store
        self._vault = vault
        self._profile = profile

    async def read(self, field: str) -> Secret | None:
        sealed = await self._store.sealed(self._profile.id, field)
        place = credential_place(self._profile.id, field)
        return None if sealed is None else self._vault.open(sealed, place=place)

    async def write(self, secrets: Mapping[str, Secret]) -> None:
        sealed = {
            field: self._vault.seal(one, place=credential_place(self._profile.id, field))
            for field, one in secrets.items()
        }
        await self._store.reseal(self._profile.id, sealed, generation=self._profile.generation)

    def alone(self) -> AbstractAsyncContextManager[None]:
        return self._store.alone(self._profile.id)
