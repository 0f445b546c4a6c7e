"""Invitations."""

from datetime import datetime

import orjson
from sqlalchemy import delete, insert, select, update

from syncd.model.access import Scope
from syncd.model.ids import InvitationId
from syncd.model.invitation import Ends, Invitation, Reach
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.grant_tables import invitations
from syncd.store.rows import AnyRow, Values, instant_of, stamp
from syncd.store.topic import Topic

_TEXTS = ("preselected", "url", "username", "return_to", "origin", "request_id", "challenge")


class SqlInvitations(Topic):
    """``Invitations`` in SQL."""

    async def add_invitation(self, invitation: Invitation) -> None:
        """Keep one."""
        await self._database.put(insert(invitations).values(_values(invitation)))

    async def invitation_by_secret(self, digest: bytes) -> Invitation | None:
        """Return the one that a secret belongs to."""
        wanted = select(invitations).where(invitations.c.digest == digest)
        rows = await self._database.fetch(wanted)
        return _invitation_of(rows[0]) if rows else None

    async def use_invitation(self, invitation: InvitationId, at: datetime) -> bool:
        """Use it up; False if it was, or has expired."""
        used = milliseconds(at)
        free = update(invitations).where(
            invitations.c.invitation_id == invitation,
            invitations.c.used_at.is_(None),
            invitations.c.expires_at > used,
        )
        return await self._database.put(free.values(used_at=used)) > 0

    async def free_invitation(self, invitation: InvitationId) -> None:
        """Let it be used after all."""
        mine = update(invitations).where(invitations.c.invitation_id == invitation)
        await self._database.put(mine.values(used_at=None))

    async def forget_invitations(self, *, before: datetime, limit: int = 500) -> int:
        """Remove at most ``limit`` that expired before a time."""
        old = invitations.c.expires_at < milliseconds(before)
        oldest = select(invitations.c.invitation_id).where(old).limit(limit)
        gone = delete(invitations).where(invitations.c.invitation_id.in_(oldest))
        return await self._database.put(gone)


def _values(invitation: Invitation) -> Values:
    wish = {
        "ends": invitation.ends,
        "reach": invitation.reach,
        "scopes": sorted(invitation.scopes),
        "providers": sorted(invitation.providers),
        **{name: getattr(invitation, name) for name in _TEXTS},
    }
    return {
        "invitation_id": invitation.id,
        "digest": invitation.digest,
        "application_id": invitation.application_id,
        "user_id": invitation.user_id,
        "companion_id": invitation.companion_id,
        "wish": orjson.dumps(wish),
        "state": invitation.state,
        "browser": invitation.browser,
        "created_at": milliseconds(invitation.created),
        "expires_at": milliseconds(invitation.expires_at),
        "used_at": stamp(invitation.used_at),
    }


def _invitation_of(row: AnyRow) -> Invitation:
    wish = orjson.loads(row.wish)
    return Invitation(
        id=row.invitation_id,
        digest=row.digest,
        ends=Ends(wish["ends"]),
        reach=Reach(wish["reach"]),
        scopes=frozenset(map(Scope, wish["scopes"])),
        providers=frozenset(wish["providers"]),
        application_id=row.application_id,
        user_id=row.user_id,
        companion_id=row.companion_id,
        state=row.state,
        browser=row.browser,
        created=from_milliseconds(row.created_at),
        expires_at=from_milliseconds(row.expires_at),
        used_at=instant_of(row.used_at),
        **{name: wish[name] for name in _TEXTS},
    )
