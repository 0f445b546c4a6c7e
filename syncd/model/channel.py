"""A channel: where a provider calls us when a calendar has changed (design decision 10)."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from syncd.model.access import digest
from syncd.model.ids import CalendarId, ProfileId

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # as long as Google takes it (G12)


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
        return secret.isascii() and compare_digest(self.digest, digest(secret))


def is_id(text: str) -> bool:
    """Tell whether this may be an id of ours; strangers send all kinds of text."""
    return _ID.fullmatch(text) is not None


def new_secret() -> tuple[str, str]:
    """Return an id and a secret that nobody guesses: of letters, digits, ``_`` and ``-``.

    Together they have 67 characters: Graph takes 128 (MG16).
    """
    return secrets.token_urlsafe(18), secrets.token_urlsafe(32)
