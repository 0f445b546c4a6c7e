"""What a provider is called, and how its adapter is started (api.md R22)."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from aiohttp import ClientSession

from syncd.model.abilities import Abilities
from syncd.model.outbound import reachable
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.link import Consent, Consented, Journey, Login, SignedIn, SignIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Keys, Secret


def _public(address: str, port: int) -> bool:  # noqa: ARG001 - as a guard is asked
    return reachable(address, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """What an adapter needs of the outside.

    ``session`` returns the guarded HTTP session (O1); it is shared by all profiles, so it must
    keep no cookies and follow no proxy of the environment (O3). ``settings`` are the keys of
    ``[providers.<name>]`` by provider: a client's id and secret, and addresses (P14). ``admits``
    is the guard for an adapter that makes its connections by itself (O5): an address, a port.
    """

    session: Callable[[], ClientSession]
    clock: Clock
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    admits: Callable[[str, int], bool] = _public


class Adapter(Protocol):
    """One provider in one process: opens profiles, tries logins, remembers servers."""

    def open(self, profile: Profile, keys: Keys) -> AbstractAsyncContextManager[Provider]:
        """Return the profile at its provider; raises MisconfiguredError without credentials."""
        ...

    async def sign_in(self, login: Login) -> SignedIn:
        """Obey ``Linker.sign_in``."""
        ...


@runtime_checkable
class Revoker(Protocol):
    """An adapter whose provider ends grants when it is asked to."""

    async def give_up(self, secrets: Mapping[str, Secret]) -> bool:
        """Obey ``Linker.give_up``."""
        ...


@runtime_checkable
class Consenting(Protocol):
    """An adapter of a provider where people sign in themselves."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Return where a browser may be led that consents."""
        ...

    def begin(self, journey: Journey) -> Consent:
        """Obey ``Linker.begin``."""
        ...

    async def finish(self, consented: Consented) -> SignedIn:
        """Obey ``Linker.finish``."""
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
    sign_in: SignIn = SignIn.PASSWORD
    extra: str | None = None  # a module that not every installation has
