"""Signing in: with a form (api.md N2, N6), or with a grant that somebody has (design §7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from syncd.model.profile import Profile
from syncd.ports.vault import Secret

SIGN_IN_URL = "url"  # the setting that a later sign-in of the same profile begins at


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a person typed; ``url`` may be a host name or an address.

    Where people sign in at the provider itself there is a ``refresh_token`` instead of the rest,
    or the ``key_file`` of a service account that acts for ``username``.
    """

    provider: str
    username: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))
    url: str = ""
    refresh_token: Secret | None = None
    key_file: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who signed in: ``identity`` names the person at the provider for ever (P15).

    ``secrets`` are to be sealed by field; ``settings`` is what the adapter wants to find again in
    ``Profile.settings``, with the ``SIGN_IN_URL`` where the provider has many servers.
    """

    identity: str
    login: str
    secrets: Mapping[str, Secret]
    name: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


class Linker(Protocol):
    """Tries logins at providers; nothing is kept."""

    async def sign_in(self, login: Login) -> SignedIn:
        """Sign in once and look around.

        Raises RelinkRequiredError for a refused password, NotFoundError where no calendar
        service answers, TransientError for an unreachable server, MalformedReplyError for an
        answer that is none (HTML), ForbiddenError for an address that may not be reached,
        InvalidError for a field that cannot be right. Each message is a sentence that tells the
        person what to do.
        """
        ...

    async def give_up(self, provider: str, secrets: Mapping[str, Secret]) -> bool:
        """Give a grant back that was signed in with: the provider honours it no longer.

        False where there is nothing to give back: a password, or a provider that ends no grants.
        Raises TransientError, MisconfiguredError. It may end all grants of the person that this
        syncd has: ``engine.leaving`` asks first.
        """
        ...

    async def leave(self, profile: Profile) -> bool:
        """Do the same with what is sealed of a profile."""
        ...
