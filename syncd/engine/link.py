"""Connecting a profile, and bringing the same person back to it (I12; api.md N1-N6)."""

import secrets
from dataclasses import replace
from datetime import timedelta

import structlog

from syncd.engine.hub import Hub
from syncd.engine.leaving import Leaving
from syncd.engine.records import account_record, account_update
from syncd.model.access import digest
from syncd.model.activity import Type
from syncd.model.errors import ConflictError, NotFoundError, OtherPersonError, StaleStateError
from syncd.model.ids import ApplicationId, UserId
from syncd.model.profile import Profile, changed
from syncd.ports.clock import Clock
from syncd.ports.link import Linker, Login, SignedIn
from syncd.ports.store import Store
from syncd.ports.vault import LOGINS, Secret, Vault, credential_place

log = structlog.get_logger()

RELINK = "relink"
RENEWAL = timedelta(hours=24)  # how long a link lives that was asked for while connected (N13)
_TRIES = 5


class Linking:
    """Signs people in and keeps who they are; credentials are tried before they are kept."""

    def __init__(self, store: Store, linker: Linker, vault: Vault, clock: Clock, hub: Hub) -> None:
        """Try logins at ``linker`` and seal them by ``vault``."""
        self._store = store
        self._linker = linker
        self._vault = vault
        self._clock = clock
        self._hub = hub
        self._leaving = Leaving(store, linker)

    async def connect(
        self, user: UserId, login: Login, application: ApplicationId | None = None
    ) -> Profile:
        """Sign in and add a profile; a login that the user has connected relinks that profile.

        Raises what ``Linker.sign_in`` raises.
        """
        signed = await self._linker.sign_in(login)
        return await self.join(user, login.provider, signed, application)

    async def join(
        self,
        user: UserId,
        provider: str,
        signed: SignedIn,
        application: ApplicationId | None = None,
    ) -> Profile:
        """Add a profile for who has signed in, or relink the one that the user has of them."""
        known = await self._store.profile_by_identity(user, provider, signed.identity)
        if known is not None:
            return await self._return(known, signed)
        now = self._clock.now()
        profile = Profile(
            id=await self._store.reserve_profile(),
            user_id=user,
            application_id=application,
            provider=provider,
            login=signed.login,
            identity=signed.identity,
            name=signed.name,
            settings=signed.settings,
            created=now,
            modified=now,
            state_since=now,
            next_poll_at=now,
        )
        record = account_record(Type.ADD, profile, now)
        sealed = self._sealed(profile, signed)
        try:
            await self._store.add_profile(profile, sealed=sealed, records=[record])
        except ConflictError:  # connected twice at the same moment: the other one was first
            first = await self._store.profile_by_identity(user, provider, signed.identity)
            if first is None:
                raise
            return await self._return(first, signed)
        return profile

    async def relink(self, profile: Profile, login: Login) -> Profile:
        """Sign in again; ids, snapshot and stream stay, a full read follows (I12, F25).

        Raises OtherPersonError for another person's login, and what ``Linker.sign_in`` raises.
        """
        return await self.rejoin(profile, await self._linker.sign_in(login))

    async def rejoin(self, profile: Profile, signed: SignedIn) -> Profile:
        """Bring a profile back for who has signed in.

        Raises OtherPersonError for another; their new grant is given back (N4).
        """
        if signed.identity != profile.identity:
            await self._leaving.give_back(profile.provider, signed)
            raise OtherPersonError("this is another person's login: sign in as the one shown")
        return await self._return(profile, signed)

    async def relink_path(self, profile: Profile) -> str | None:
        """Return ``/relink/<secret>`` while one is valid: the same all through a disconnection."""
        if profile.refused is not None:
            return await self._path(profile, renew=False)
        secret = await self._secret(profile)
        return None if secret is None else _path(secret)

    async def renew_link(self, profile: Profile) -> str:
        """Return a path where a person can renew a login before it dies: 24 h (N13)."""
        return await self._path(profile, renew=True)

    async def by_secret(self, secret: str) -> Profile:
        """Return the profile of a relink URL; raises NotFoundError once it is dead (N1)."""
        profile = await self._store.profile_by_relink(digest(secret))
        if profile is None or not self._valid(profile):
            raise NotFoundError("this link is no longer valid")
        return profile

    async def returns(self, profile: Profile) -> tuple[str, ...]:
        """Return where its application lets people be sent back to; nowhere without one (N5)."""
        if profile.application_id is None:
            return ()
        try:
            return (await self._store.application(profile.application_id)).redirect_uris
        except NotFoundError:  # removed
            return ()

    async def _path(self, profile: Profile, *, renew: bool) -> str:
        for _ in range(_TRIES):
            lasting = profile.refused is not None
            until = None if lasting or not renew else self._clock.now() + RENEWAL
            kept = await self._secret(profile)
            if kept is not None and lasting and profile.relink_until is None:
                return _path(kept)
            secret = kept or Secret(secrets.token_urlsafe(32))
            after = replace(profile, relink_digest=digest(secret.reveal()), relink_until=until)
            sealed = {RELINK: self._seal(profile, RELINK, secret)}
            try:
                await self._store.save_profile(after, sealed=sealed)
            except StaleStateError:
                profile = await self._store.profile(profile.id)
            else:
                return _path(secret)
        raise StaleStateError(f"profile {profile.id} changes faster than it can be written")

    async def _secret(self, profile: Profile) -> Secret | None:
        if not self._valid(profile):
            return None
        sealed = await self._store.sealed(profile.id, RELINK)
        place = credential_place(profile.id, RELINK)
        return None if sealed is None else self._vault.open(sealed, place=place)

    def _valid(self, profile: Profile) -> bool:
        if profile.relink_digest is None:
            return False
        if profile.relink_until is None:
            return profile.refused is not None
        return self._clock.now() < profile.relink_until

    async def _return(self, profile: Profile, signed: SignedIn) -> Profile:
        for _ in range(_TRIES):
            now = self._clock.now()
            after = changed(
                profile,
                now,
                login=signed.login,
                settings=signed.settings,
                generation=profile.generation + 1,
                refused=None,
                refused_at=None,
                proof=None,
                failures=0,
                last_error=None,
                next_poll_at=now,
                relink_digest=None,
                relink_until=None,
            )
            told = account_update(profile, after, now)
            sealed = {**dict.fromkeys((*LOGINS, RELINK)), **self._sealed(profile, signed)}
            try:
                await self._reconcile(profile)
                saved = await self._store.save_profile(
                    after, records=[] if told is None else [told], sealed=sealed
                )
            except StaleStateError:
                profile = await self._store.profile(profile.id)
                continue
            self._hub.wake(profile.id)
            log.info("profile.reconnected", profile_id=profile.id, provider=profile.provider)
            return saved
        raise StaleStateError(f"profile {profile.id} changes faster than it can be written")

    async def _reconcile(self, profile: Profile) -> None:
        """Have every calendar read in full by the next poll, with its errors forgotten (F25).

        Another grant may cover what was never read until now.
        """
        now = self._clock.now()
        due = [
            replace(one, reconcile_due_at=now, failures=0, retry_at=None, last_error=None)
            for one in await self._store.calendars(profile.id, holds=None)
            if one.first_read_at is not None or one.failures
        ]
        if due:
            await self._store.save_calendars(profile.id, due, generation=profile.generation)

    def _sealed(self, profile: Profile, signed: SignedIn) -> dict[str, bytes]:
        return {name: self._seal(profile, name, one) for name, one in signed.secrets.items()}

    def _seal(self, profile: Profile, field: str, secret: Secret) -> bytes:
        return self._vault.seal(secret, place=credential_place(profile.id, field))


def _path(secret: Secret) -> str:
    return f"/relink/{secret.reveal()}"
