"""Profiles, their schedule and their sealed credentials."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model.activity import Record
from syncd.model.ids import ApplicationId, ProfileId, UserId
from syncd.model.profile import LastError, Profile, Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class PollNote:
    """What a poll leaves on its profile; None in ``polled_at`` keeps the last good time.

    ``generation`` is that of the credentials that it polled with. What providers asked for after
    ``began_at`` still counts (``Channels.hear_channel``).
    """

    profile_id: ProfileId
    generation: int
    next_poll_at: datetime
    polled_at: datetime | None = None
    failures: int = 0
    last_error: LastError | None = None
    proof: Proof | None = None
    began_at: datetime | None = None


class Profiles(Protocol):
    """Each method is one transaction; removed profiles are never returned."""

    async def reserve_profile(self) -> ProfileId:
        """Return an id that no profile has, or ever had."""
        ...

    async def add_profile(
        self, profile: Profile, *, sealed: Mapping[str, bytes], records: Sequence[Record]
    ) -> None:
        """Add a profile with its stream, its credentials by field, and its first activities."""
        ...

    async def profile(self, profile: ProfileId) -> Profile:
        """Return one; raises NotFoundError."""
        ...

    async def profiles(
        self,
        *,
        user: UserId | None = None,
        application: ApplicationId | None = None,
        after: ProfileId | None = None,
        limit: int = 1000,
    ) -> Sequence[Profile]:
        """Return profiles by id, those of a user or an application if one is named."""
        ...

    async def profile_by_identity(
        self, user: UserId, provider: str, identity: str
    ) -> Profile | None:
        """Return the user's profile of that person at that provider."""
        ...

    async def profiles_of_person(self, provider: str, identity: str) -> Sequence[Profile]:
        """Return everybody's profiles of that person at that provider, by id."""
        ...

    async def profile_by_relink(self, digest: bytes) -> Profile | None:
        """Return the profile that a relink secret belongs to."""
        ...

    async def due(
        self, now: datetime, *, limit: int, shard: int | None = None
    ) -> Sequence[Profile]:
        """Return pollable profiles whose ``next_poll_at`` has come, the most overdue first."""
        ...

    async def note_polls(self, notes: Sequence[PollNote]) -> None:
        """Write what polls of different profiles came to; states and revisions stay.

        Of a profile whose credentials have changed since, nothing is written: a relink polls at
        once.
        """
        ...

    async def save_profile(
        self,
        profile: Profile,
        *,
        records: Sequence[Record] = (),
        sealed: Mapping[str, bytes | None] | None = None,
        first_read_done: bool = False,
    ) -> Profile:
        """Write a changed profile with the activities that tell of it; return it as stored.

        ``profile.revision`` is the one that was read; raises StaleStateError if it has moved.
        ``sealed`` sets credentials by field, None erases one. A profile marked ``removed`` loses
        snapshot and credentials and keeps its stream. ``first_read_done`` marks the stream's end
        as ``after-auth`` (K36), behind ``records``.
        """
        ...

    async def sealed(self, profile: ProfileId, field: str) -> bytes | None:
        """Return a sealed credential."""
        ...

    async def reseal(
        self, profile: ProfileId, sealed: Mapping[str, bytes], *, generation: int
    ) -> None:
        """Replace credentials by field and nothing else: tokens that a provider rotates (I13).

        Raises StaleStateError if the credentials have changed since ``generation``.
        """
        ...

    def alone(self, profile: ProfileId) -> AbstractAsyncContextManager[None]:
        """Keep other processes on this database out of the same block for the profile (F22).

        No row is locked and no transaction is open meanwhile. Tasks of one process are not kept
        apart. Raises TransientError if another process is in it for a minute, or the database
        does not answer.
        """
        ...

    async def sealing_keys(self) -> frozenset[str]:
        """Return the ids of all keys that anything lasting is sealed with (``ports.vault``)."""
        ...
