"""A grant: what one person allowed one application (api.md K6, K7, C18-C20)."""

from dataclasses import dataclass
from datetime import datetime

from syncd.model.access import Scope
from syncd.model.ids import ApplicationId, GrantId, ProfileId, UserId
from syncd.model.invitation import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One, with the code that it was handed over by; all its tokens end with it.

    ``profile_id`` is the profile that was connected, ``user_id`` whose it is. ``redirect_uri``
    and ``challenge`` are those of the request that the code answers. ``redeemed_at`` is when the
    code was used; ``refresh_digest`` is there from then on, if it has a refresh token.
    """

    id: GrantId
    application_id: ApplicationId
    user_id: UserId
    profile_id: ProfileId
    reach: Reach
    scopes: frozenset[Scope]
    created: datetime
    code_digest: bytes | None = None
    code_expires_at: datetime | None = None
    redirect_uri: str | None = None
    challenge: str | None = None
    redeemed_at: datetime | None = None
    refresh_digest: bytes | None = None
    revoked_at: datetime | None = None
