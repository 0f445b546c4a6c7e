"""Signing in: with a form (api.md N2, N6), at the provider (N3), or with a grant (design §7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from syncd.model.profile import Profile
from syncd.ports.vault import Secret

WITHOUT_CONTACTS = "without_contacts"  # the setting of a grant that leaves them out
SIGN_IN_URL = "url"  # the setting that a later sign-in of the same profile begins at


class SignIn(StrEnum):
    """How a person signs in at a provider, and again after a disconnection (I12)."""

    PASSWORD = "by password"  # noqa: S105 - words for people
    APP_PASSWORD = "by app-specific password"  # noqa: S105 - words for people
    GRANT = "in the browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One provider that people can connect here.

    ``origins`` are where a browser may be led that consents there (CSP's ``form-action``).
    """

    provider: str
    name: str  # for people
    sign_in: SignIn
    origins: tuple[str, ...] = ()

    @property
    def consents(self) -> bool:
        """Tell whether people sign in at the provider itself."""
        return self.sign_in is SignIn.GRANT


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What a person is sent to a provider for; ``login`` is whom they should sign in as.

    ``contacts`` asks for the address book too; ``redirect_uri`` is the one that is registered.
    """

    provider: str
    redirect_uri: str
    login: str = ""
    contacts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Where to send them: ``state`` must come back, ``verifier`` stays with us (RFC 7636)."""

    url: str
    state: str
    verifier: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """What came back; ``issuer`` is None where the provider did not say who it is (RFC 9207)."""

    provider: str
    code: Secret
    verifier: Secret
    redirect_uri: str
    issuer: str | None = None


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

    async def ways(self) -> Sequence[Way]:
        """Return what people can connect: providers that the operator has set up."""
        ...

    async def begin(self, journey: Journey) -> Consent:
        """Return where a person gives consent; raises InvalidError where they cannot."""
        ...

    async def finish(self, consented: Consented) -> SignedIn:
        """Redeem what came back, once, and look around.

        Raises RelinkRequiredError for a code that is not honoured, InvalidError for another
        issuer and for a consent that leaves calendars out, and what ``sign_in`` raises. Each
        message is a sentence for the person.
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
