"""The users of applications: an application's users are nobody else's (api.md K6, C18, N7)."""

import secrets

from syncd.model.access import User, name_within
from syncd.model.errors import ConflictError
from syncd.model.ids import ApplicationId, UserId, short
from syncd.model.invitation import Invitation
from syncd.ports.clock import Clock
from syncd.ports.store import Store


class Members:
    """Finds and makes them. What another application's people connected is never looked at."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Look into ``store``."""
        self._store = store
        self._clock = clock

    async def named(self, application: ApplicationId, name: str) -> User:
        """Return the user whom an application calls ``name``; made when first needed.

        Raises ConflictError if the operator has given that name to a user of his own.
        """
        return await self._known(application, name_within(application, name))

    async def whose(self, invitation: Invitation, provider: str, identity: str) -> UserId:
        """Return to whom a login becomes: who was invited by name, else who has it already.

        Else the companion; else a user of its own, the same for the same login.
        """
        if invitation.user_id is not None:
            return invitation.user_id
        if invitation.application_id is None:
            raise ConflictError(f"invitation {invitation.id} is for nobody")
        for one in await self._store.profiles_of_person(provider, identity):
            if await self._belongs(one.user_id, invitation.application_id):
                return one.user_id
        if invitation.companion_id is not None:
            return invitation.companion_id
        return await self._newcomer(invitation.application_id, provider, identity)

    async def _newcomer(self, application: ApplicationId, provider: str, identity: str) -> UserId:
        """Return a user without profiles, by a name that two who come at once share."""
        name = (
            f"{application}:{provider} {short(provider, identity)}"  # the application has none so
        )
        user = (await self._known(application, name)).id
        others = await self._store.profiles(user=user, limit=100)
        if any((one.provider, one.identity) != (provider, identity) for one in others):
            # the login left a user who has others by now: it does not come back to them unasked
            user = (await self._known(application, f"{name} {secrets.token_hex(4)}")).id
        return user

    async def _known(self, application: ApplicationId, whole: str) -> User:
        found = await self._store.user_named(whole)
        if found is None:
            made = User(
                id=UserId(f"acc_{short(secrets.token_hex(16))}"),
                name=whole,
                created=self._clock.now(),
                application_id=application,
            )
            try:
                await self._store.add_user(made)
            except ConflictError:  # two connect at one moment
                found = await self._store.user_named(whole)
            else:
                return made
        if found is None or found.application_id != application:
            raise ConflictError(f"the user {whole} is not the application's")
        return found

    async def _belongs(self, user: UserId, application: ApplicationId) -> bool:
        return (await self._store.user(user)).application_id == application
