"""Sending people to a provider to give consent, and taking them back (api.md N3).

A journey is bound to the browser that began it, to one provider and to one page of ours, lasts
ten minutes and ends once (reliability.md §6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson

from syncd.model.access import digest
from syncd.model.errors import NotFoundError
from syncd.ports.clock import Clock
from syncd.ports.link import Consented, Journey, Linker, SignedIn, Way
from syncd.ports.store import Store
from syncd.ports.store.consents import AskedConsent
from syncd.ports.vault import Secret, Vault

LASTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where a browser goes, and the name of the cookie that it takes along."""

    url: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Somebody who came back; ``path`` is the page of ours that sent them."""

    provider: str
    path: str
    verifier: Secret
    redirect_uri: str


class Consents:
    """Journeys, kept sealed in the store: any process can take back whom another sent away."""

    def __init__(
        self, store: Store, linker: Linker, vault: Vault, clock: Clock, *, public_url: str
    ) -> None:
        """Come back to ``public_url``, the same for all: it is registered at the provider."""
        self._store = store
        self._linker = linker
        self._vault = vault
        self._clock = clock
        self._public_url = public_url

    async def ways(self) -> Sequence[Way]:
        """Return the providers that people can connect here."""
        return await self._linker.ways()

    async def begin(
        self, provider: str, *, path: str, cookie: str, login: str = "", contacts: bool = True
    ) -> Sent:
        """Begin a journey from the page at ``path``, in the browser that holds ``cookie``.

        Raises InvalidError and MisconfiguredError.
        """
        redirect_uri = f"{self._public_url}/oauth/callback/{provider}"
        journey = Journey(
            provider=provider, redirect_uri=redirect_uri, login=login, contacts=contacts
        )
        consent = await self._linker.begin(journey)
        name = _name(consent.state)
        told = {"path": path, "verifier": consent.verifier.reveal(), "redirect_uri": redirect_uri}
        sealed = self._vault.seal(Secret(orjson.dumps(told).decode()), place=_place(name))
        asked = AskedConsent(
            id=name,
            browser=digest(cookie),
            provider=provider,
            sealed=sealed,
            expires_at=self._clock.now() + LASTS,
        )
        await self._store.add_consent(asked)
        return Sent(url=consent.url, name=name)

    def name_of(self, state: str) -> str:
        """Return the name of the cookie that belongs to a state."""
        return _name(state)

    async def end(self, provider: str, *, state: str, cookie: str) -> Back:
        """Take somebody back, once.

        Raises NotFoundError for a state that is unknown, used, too old, of another browser or of
        another provider.
        """
        name = _name(state)
        sealed = await self._store.take_consent(
            name, browser=digest(cookie), provider=provider, now=self._clock.now()
        )
        if sealed is None:
            raise NotFoundError("this sign-in was not begun in this browser, or is over")
        told = orjson.loads(self._vault.open(sealed, place=_place(name)).reveal())
        return Back(
            provider=provider,
            path=told["path"],
            verifier=Secret(told["verifier"]),
            redirect_uri=told["redirect_uri"],
        )

    async def redeem(self, back: Back, code: str, issuer: str | None) -> SignedIn:
        """Return who has signed in; ``issuer`` is None where the provider did not say.

        Raises what ``Linker.finish`` raises.
        """
        consented = Consented(
            provider=back.provider,
            code=Secret(code),
            verifier=back.verifier,
            redirect_uri=back.redirect_uri,
            issuer=issuer,
        )
        return await self._linker.finish(consented)


def _name(state: str) -> str:
    return digest(state).hex()


def _place(name: str) -> str:
    return f"consents|{name}|journey"
