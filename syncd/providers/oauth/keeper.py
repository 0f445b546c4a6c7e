"""Access tokens of profiles: one refresh at a time, and durable before it is used (I13, F22)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakValueDictionary

import orjson

from syncd.model.errors import MisconfiguredError, RelinkRequiredError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile, Reason
from syncd.ports.clock import Clock
from syncd.ports.unbroken import unbroken
from syncd.ports.vault import (
    ACCESS_TOKEN,
    DELEGATED_KEY,
    FORMER_REFRESH_TOKEN,
    REFRESH_TOKEN,
    Keys,
    Secret,
)
from syncd.providers.oauth.assertion import assertion, sealed_key
from syncd.providers.oauth.endpoint import Granted, GrantRefusedError, TokenEndpoint

INVALID_GRANT = "invalid_grant"


@dataclass(frozen=True, slots=True)
class _Access:
    """A token that is stored, and with which credentials it came."""

    generation: int
    token: str
    expires_at: datetime


class Keeper:
    """One provider's tokens in one process.

    An access token is remembered until it ends, is refused, or its profile is connected anew;
    whether a refresh is needed and with what is decided by what is stored then. ``audience`` is
    whom assertions of service accounts are for.
    """

    def __init__(self, endpoint: TokenEndpoint, clock: Clock, *, audience: str = "") -> None:
        """Refresh at ``endpoint``."""
        self._endpoint = endpoint
        self._clock = clock
        self._audience = audience
        self._fresh = dict[ProfileId, _Access]()
        self._locks = WeakValueDictionary[ProfileId, asyncio.Lock]()

    async def token(self, profile: Profile, keys: Keys, *, refused: str | None = None) -> str:
        """Return an access token that should work; ``refused`` is one that did not.

        Raises RelinkRequiredError (``invalid_grant``) if the grant is refused as it is stored
        now, and what ``TokenEndpoint.refresh`` raises. A caller that is cancelled leaves when a
        refresh that has begun is stored.
        """
        fresh = self._fresh.get(profile.id)
        if fresh is not None and self._good(fresh, profile, refused):
            return fresh.token
        lock = self._locks.setdefault(profile.id, asyncio.Lock())
        async with lock:
            held = await self._held(profile, keys, refused)
            if held is not None:
                return held
            # cut off between their answer and our write, a rotated token would be lost
            return await unbroken(self._renewed(profile, keys, refused), "refresh")

    async def _held(self, profile: Profile, keys: Keys, refused: str | None) -> str | None:
        stored = await keys.read(ACCESS_TOKEN)
        if stored is None:
            return None
        told = orjson.loads(stored.reveal())
        ends = datetime.fromisoformat(told["expires_at"])
        kept = _Access(profile.generation, str(told["token"]), ends)
        if not self._good(kept, profile, refused):
            return None
        self._fresh[profile.id] = kept
        return kept.token

    def _good(self, kept: _Access, profile: Profile, refused: str | None) -> bool:
        mine = kept.generation == profile.generation and kept.token != refused
        return mine and kept.expires_at > self._clock.now()

    async def _renewed(self, profile: Profile, keys: Keys, refused: str | None) -> str:
        """Refresh while no other process does, unless one just has."""
        async with keys.alone():
            held = await self._held(profile, keys, refused)
            if held is not None:
                return held
            granted = await self._granted(profile, keys)
            token = granted.access_token.reveal()
            self._fresh[profile.id] = _Access(profile.generation, token, granted.expires_at)
            return token

    async def _granted(self, profile: Profile, keys: Keys) -> Granted:
        key = await keys.read(DELEGATED_KEY)
        try:
            if key is None:
                return await self._refreshed(profile, keys)
            signed = assertion(sealed_key(key), self._audience, self._clock.now())
            granted = await self._endpoint.asserted(signed)
        except GrantRefusedError as error:
            raise RelinkRequiredError(
                f"the provider no longer accepts the grant: {error}", reason=INVALID_GRANT
            ) from None
        await keys.write(secrets_of(granted))
        return granted

    async def _refreshed(self, profile: Profile, keys: Keys) -> Granted:
        """Try what is stored, what another process stored meanwhile, at last the former one."""
        tried, words = list[str](), ""
        while True:
            stored = await keys.read(REFRESH_TOKEN)
            if stored is None:
                raise MisconfiguredError(f"profile {profile.id} has no refresh token: relink it")
            if stored.reveal() in tried:
                former = await self._former(profile, keys)
                if former is None or former.reveal() in tried:
                    raise GrantRefusedError(words)
                stored = former
            tried.append(stored.reveal())
            try:
                granted = await self._endpoint.refresh(stored)
            except GrantRefusedError as error:
                words = str(error)
                continue  # unless another process has rotated it meanwhile, this was the proof
            await keys.write(secrets_of(granted, used=stored))
            return granted

    async def _former(self, profile: Profile, keys: Keys) -> Secret | None:
        """Return the generation before, if the newest has been refused in an earlier poll too.

        Not sooner: to a strict server an old token is a thief's, and it may only have stumbled
        over the new one (F23).
        """
        proof = profile.proof
        if proof is None or proof.reason is not Reason.INVALID_GRANT:
            return None
        return await keys.read(FORMER_REFRESH_TOKEN)


def secrets_of(granted: Granted, used: Secret | None = None) -> dict[str, Secret]:
    """Return what is to be sealed of a grant; ``used`` is the refresh token that brought it.

    A token that is rotated away is kept for one generation, as lenient providers still take it
    (MG15, F22).
    """
    told = {
        "token": granted.access_token.reveal(),
        "expires_at": granted.expires_at.isoformat(),
    }
    secrets = {ACCESS_TOKEN: Secret(orjson.dumps(told).decode())}
    newest = granted.refresh_token or used
    if newest is not None:
        secrets[REFRESH_TOKEN] = newest
    if newest is not None and used is not None and newest.reveal() != used.reveal():
        secrets[FORMER_REFRESH_TOKEN] = used
    return secrets
