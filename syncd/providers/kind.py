"""What a provider is called, and how its adapter is started (api.md R22)."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from aiohttp import ClientSession

from syncd.model.abilities import Abilities
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """What an adapter needs of the outside.

    ``session`` returns the guarded HTTP session (O1); it is shared by all profiles, so it must
    keep no cookies and follow no proxy of the environment (O3).
    """

    session: Callable[[], ClientSession]
    clock: Clock


class Adapter(Protocol):
    """One provider in one process: opens profiles, tries logins, remembers servers."""

    def open(self, profile: Profile, password: Secret) -> AbstractAsyncContextManager[Provider]:
        """Return the profile at its provider; nothing is sent yet."""
        ...

    async def sign_in(self, login: Login) -> SignedIn:
        """Obey ``Linker.sign_in``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A provider as the registry lists it; light, as ``start`` imports the heavy half."""

    name: str
    service: str  # Kloudless
    service_name: str
    provider_name: str  # Cronofy
    provider_service: str
    start: Callable[[Rim], Adapter]
    abilities: Abilities
