"""Access tokens of profiles: one refresh at a time, and durable before it is used (I13, F22)."""

import asyncio
from datetime import datetime
from weakref import WeakValueDictionary

import orjson

from syncd.model.errors import MisconfiguredError, RelinkRequiredError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.unbroken import unbroken
from syncd.ports.vault import ACCESS_TOKEN, REFRESH_TOKEN, Keys, Secret
from syncd.providers.oauth.endpoint import Granted, GrantRefusedError, TokenEndpoint

INVALID_GRANT = "invalid_grant"


class Keeper:
    """One provider's tokens in one process; what is stored counts, not what was read before."""

    def __init__(self, endpoint: TokenEndpoint, clock: Clock) -> None:
        """Refresh at ``endpoint``."""
        self._endpoint = endpoint
        self._clock = clock
        self._locks = WeakValueDictionary[ProfileId, asyncio.Lock]()

    async def token(self, profile: Profile, keys: Keys, *, refused: str | None = None) -> str:
        """Return an access token that should work; ``refused`` is one that did not.

        Raises RelinkRequiredError (``invalid_grant``) if the grant is refused as it is stored
        now, and what ``TokenEndpoint.refresh`` raises. A caller that is cancelled leaves when a
        refresh that has begun is stored.
        """
        lock = self._locks.setdefault(profile.id, asyncio.Lock())
        async with lock:
            held = await self._held(keys)
            if held is not None and held != refused:
                return held
            # cut off between their answer and our write, a rotated token would be lost
            granted = await unbroken(self._refreshed(profile, keys), "refresh")
            return granted.access_token.reveal()

    async def _held(self, keys: Keys) -> str | None:
        stored = await keys.read(ACCESS_TOKEN)
        if stored is None:
            return None
        told = orjson.loads(stored.reveal())
        lasts = datetime.fromisoformat(told["expires_at"]) > self._clock.now()
        return str(told["token"]) if lasts else None

    async def _refreshed(self, profile: Profile, keys: Keys) -> Granted:
        tried: str | None = None
        while True:
            stored = await keys.read(REFRESH_TOKEN)
            if stored is None:
                raise MisconfiguredError(f"profile {profile.id} has no refresh token: relink it")
            if stored.reveal() == tried:
                raise RelinkRequiredError(
                    "the provider no longer accepts the grant", reason=INVALID_GRANT
                )
            tried = stored.reveal()
            try:
                granted = await self._endpoint.refresh(stored)
            except GrantRefusedError:
                continue  # unless another process has rotated it meanwhile, this was the proof
            await keys.write(secrets_of(granted))
            return granted


def secrets_of(granted: Granted, refresh_token: Secret | None = None) -> dict[str, Secret]:
    """Return what is to be sealed of a grant; ``refresh_token`` is good if there is no new one."""
    told = {
        "token": granted.access_token.reveal(),
        "expires_at": granted.expires_at.isoformat(),
    }
    secrets = {ACCESS_TOKEN: Secret(orjson.dumps(told).decode())}
    newest = granted.refresh_token or refresh_token
    if newest is not None:
        secrets[REFRESH_TOKEN] = newest
    return secrets
