"""Inviting people to connect a profile, and what applications get of it (K6, C18, N6, N7)."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypedDict, Unpack

from syncd.engine.browsers import Browsers
from syncd.engine.endings import Home, ending
from syncd.engine.leaving import Leaving
from syncd.engine.link import Linking
from syncd.engine.members import Members
from syncd.model.access import Application, Scope, Token, digest, token_text
from syncd.model.errors import NotFoundError
from syncd.model.grant import Grant
from syncd.model.ids import ApplicationId, GrantId, InvitationId, TokenId, UserId, short
from syncd.model.invitation import Ending, Ends, Invitation, Reach
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.link import SignedIn
from syncd.ports.store import Store
from syncd.ports.vault import Secret, Vault

LIFETIME = timedelta(hours=1)
CODE_LIFETIME = timedelta(minutes=10)
_DEAD = "this link is no longer valid"


class Wish(TypedDict, total=False):
    """What an invitation asks, by the names of ``Invitation``."""

    application_id: ApplicationId | None
    user_id: UserId | None
    companion_id: UserId | None
    reach: Reach
    scopes: frozenset[Scope]
    providers: frozenset[str]
    preselected: str | None
    url: str
    username: str
    return_to: str | None
    origin: str | None
    request_id: str | None
    challenge: str | None


class Invitations:
    """Each is one person's way to one profile; nothing but an ending uses it up."""

    def __init__(
        self, store: Store, linking: Linking, leaving: Leaving, vault: Vault, clock: Clock
    ) -> None:
        """Connect by ``linking``, for users of ``Members``."""
        self._store = store
        self._linking = linking
        self._leaving = leaving
        self._members = Members(store, clock)
        self._browsers = Browsers(vault, clock)
        self._vault = vault
        self._clock = clock

    async def invite(
        self,
        ends: Ends,
        *,
        state: str | None = None,
        browser: str | None = None,
        **wish: Unpack[Wish],
    ) -> tuple[str, Invitation]:
        """Return ``/connect/<secret>`` and what stands behind it, for an hour.

        ``browser`` is the cookie of the only browser that may use it.
        """
        secret, now = secrets.token_urlsafe(32), self._clock.now()
        name = InvitationId(f"inv_{short(secrets.token_hex(16))}")
        invitation = Invitation(
            id=name,
            digest=digest(secret),
            ends=ends,
            created=now,
            expires_at=now + LIFETIME,
            state=None if state is None else self._vault.seal(Secret(state), place=_place(name)),
            browser=None if browser is None else digest(browser),
            **wish,
        )
        await self._store.add_invitation(invitation)
        return f"/connect/{secret}", invitation

    async def by_secret(self, secret: str, *, browser: str) -> Invitation:
        """Return the invitation of a path, as long as it is alive and meant for this browser.

        ``browser`` is the browser's cookie, empty without one. Raises NotFoundError.
        """
        found = await self._store.invitation_by_secret(digest(secret))
        if found is None or not found.alive(self._clock.now()) or not found.admits(browser):
            raise NotFoundError(_DEAD)
        application = await self.application(found)  # it may be gone by now
        if application is not None and found.return_to not in {None, *application.redirect_uris}:
            raise NotFoundError(_DEAD)
        return found

    async def application(self, invitation: Invitation) -> Application | None:
        """Return who invites; None for a user's own invitation."""
        if invitation.application_id is None:
            return None
        return await self._store.application(invitation.application_id)

    async def accept(self, invitation: Invitation, provider: str, signed: SignedIn) -> Ending:
        """Connect who has signed in, and end the invitation: once, whoever else tries.

        A login that is connected relinks its profile. Raises NotFoundError if it was used or
        expired meanwhile; then a new grant is given back.
        """
        if not await self._store.use_invitation(invitation.id, self._clock.now()):
            await self._leaving.give_back(provider, signed)
            raise NotFoundError(_DEAD)
        try:
            user = await self._members.whose(invitation, provider, signed.identity)
            application = invitation.application_id
            profile = await self._linking.join(user, provider, signed, application)
            return await self._ending(invitation, profile)
        except BaseException:
            await self._store.free_invitation(invitation.id)
            raise

    async def refuse(self, invitation: Invitation, error: str, description: str) -> Ending:
        """End it without a profile; ``error`` is a word of RFC 6749 §4.1.2.1.

        Raises NotFoundError if it was used or expired meanwhile.
        """
        if not await self._store.use_invitation(invitation.id, self._clock.now()):
            raise NotFoundError(_DEAD)
        told = {"error": error, "error_description": description}
        return self._told(invitation, told, connected=False)

    async def _ending(self, invitation: Invitation, profile: Profile) -> Ending:
        match invitation.ends:
            case Ends.RETURN:
                names = {"profile_id": profile.public_name, "account_id": str(profile.id)}
                return self._told(invitation, names)
            case Ends.CODE:
                return await self._with_code(invitation, profile)
            case Ends.TOKEN:
                return await self._with_token(invitation, profile)

    async def _with_code(self, invitation: Invitation, profile: Profile) -> Ending:
        grant, secret = self._grant(invitation, profile), secrets.token_urlsafe(32)
        grant = replace(
            grant,
            code_digest=digest(secret),
            code_expires_at=self._clock.now() + CODE_LIFETIME,
            redirect_uri=invitation.return_to,
            challenge=invitation.challenge,
        )
        await self._store.add_grant(grant)
        told = self._told(invitation, {"code": token_text(TokenId(grant.id), secret)})
        if grant.reach is Reach.USER:
            remembered = self._browsers.remembered(grant.application_id, grant.user_id)
            return replace(told, remembered=remembered)
        return told

    async def _with_token(self, invitation: Invitation, profile: Profile) -> Ending:
        grant, secret = self._grant(invitation, profile), secrets.token_urlsafe(32)
        token = token_of(grant, secret, self._clock)
        await self._store.add_grant(grant, [token])
        told = {
            "access_token": token_text(token.id, secret),
            "token_type": "Bearer",
            "scope": " ".join(sorted(grant.scopes)),
        }
        return self._told(invitation, told)

    def _grant(self, invitation: Invitation, profile: Profile) -> Grant:
        if invitation.application_id is None:
            raise NotFoundError(_DEAD)
        return Grant(
            id=GrantId(short(secrets.token_hex(16), length=16)),
            application_id=invitation.application_id,
            user_id=profile.user_id,
            profile_id=profile.id,
            reach=invitation.reach,
            scopes=invitation.scopes,
            created=self._clock.now(),
        )

    def _told(
        self, invitation: Invitation, told: Mapping[str, str], *, connected: bool = True
    ) -> Ending:
        home = Home(
            return_to=invitation.return_to,
            origin=invitation.origin,
            request_id=invitation.request_id,
            fragment=invitation.ends is Ends.TOKEN,
        )
        return ending(home, {**told, **self._state(invitation)}, connected=connected)

    def _state(self, invitation: Invitation) -> Mapping[str, str]:
        if invitation.state is None:
            return {}
        opened = self._vault.open(invitation.state, place=_place(invitation.id))
        return {"state": opened.reveal()}


def token_of(grant: Grant, secret: str, clock: Clock, lifetime: timedelta | None = None) -> Token:
    """Return a new token of a grant, with its reach and its scopes."""
    now, whole = clock.now(), grant.reach is Reach.USER
    return Token(
        id=TokenId(short(secrets.token_hex(16), length=16)),
        digest=digest(secret),
        scopes=grant.scopes,
        created=now,
        user_id=grant.user_id if whole else None,
        profile_id=None if whole else grant.profile_id,
        application_id=grant.application_id,
        grant_id=grant.id,
        expires_at=None if lifetime is None else now + lifetime,
    )


def _place(invitation: InvitationId) -> str:
    return f"invitations|{invitation}|state"
