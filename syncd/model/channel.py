"""A channel: where a provider calls us when a calendar has changed (design decision 10)."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from syncd.model.access import digest
from syncd.model.ids import CalendarId, ProfileId

_LONGEST = 64  # characters of an id (G12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel of one calendar; it may be asked for, open, refused or dead.

    ``id`` is ours, ``remote`` what the provider calls it, None until it is open. ``digest`` is
    that of the secret that every call through it carries. ``generation`` are the credentials and
    ``address`` the URL that it was asked for with: under others it is of no use. ``heard_at`` is
    when it last called, None while there is no sign that calls arrive; ``hinted_at`` the time of
    the poll that a call asked for, which may be to come. ``retry_at`` is when to ask again for
    one that did not open.
    """

    id: str
    profile_id: ProfileId
    calendar_id: CalendarId
    generation: int
    address: str
    digest: bytes
    asked_at: datetime
    remote: str | None = None
    opened_at: datetime | None = None
    renew_at: datetime | None = None
    expires_at: datetime | None = None
    heard_at: datetime | None = None
    hinted_at: datetime | None = None
    retry_at: datetime | None = None

    def opens_to(self, secret: str) -> bool:
        """Tell whether a call carries the secret; takes as long for any wrong one."""
        return compare_digest(self.digest, digest(secret))


def new_secret() -> tuple[str, str]:
    """Return an id and a secret that nobody guesses: at most 64 characters each, without a dot."""
    made = secrets.token_urlsafe(18), secrets.token_urlsafe(32)
    assert all(len(one) <= _LONGEST and "." not in one for one in made)  # noqa: S101 - a promise
    return made
