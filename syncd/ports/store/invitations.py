"""Invitations: what people are asked when connecting a profile."""

from datetime import datetime
from typing import Protocol

from syncd.model.ids import InvitationId
from syncd.model.invitation import Invitation


class Invitations(Protocol):
    """Each is for one use; dead ones are returned until they are forgotten."""

    async def add_invitation(self, invitation: Invitation) -> None:
        """Keep one."""
        ...

    async def invitation_by_secret(self, digest: bytes) -> Invitation | None:
        """Return the one that a secret belongs to."""
        ...

    async def use_invitation(self, invitation: InvitationId, at: datetime) -> bool:
        """Use it up; False if it was, or has expired."""
        ...

    async def free_invitation(self, invitation: InvitationId) -> None:
        """Let it be used after all: what it was used for has failed."""
        ...

    async def forget_invitations(self, *, before: datetime, limit: int = 500) -> int:
        """Remove at most ``limit`` that expired before a time; return how many."""
        ...
