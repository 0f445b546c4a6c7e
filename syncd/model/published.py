"""Calendars that we publish as ICS: of expiring tokens, and of provider calendars (M3, N21)."""

import secrets
import string
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.access import Token
from syncd.model.ids import ApplicationId, CalendarId, ProfileId, TokenId, UserId

PLAIN_COLOR = "#808080"
LONGEST_NAME = 255
_LETTERS = string.ascii_letters + string.digits
_ID = 32
_SECRET = 40  # 238 bits


def new_id() -> str:
    """Return a random id of letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_ID))


def new_secret() -> str:
    """Return the secret part of a path, which is all that it takes to read a published file."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_SECRET))


def name_fault(name: str) -> str | None:
    """Return what is wrong with a name; an id finds things too, so none may look like one."""
    if not name.strip() or len(name) > LONGEST_NAME:
        return f"a name has 1 to {LONGEST_NAME} characters"
    if any(unicodedata.category(one) == "Cc" for one in name):
        return "a name has no control characters"
    shaped = len(name) == _ID and name.isascii() and name.isalnum()
    return "a name must not look like an id" if shaped else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPath:
    """The path of a published file as it is kept: to find it by, and sealed to show it again."""

    digest: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Which version of a file we last served, and since when we know of it (``Last-Modified``)."""

    version: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCalendar:
    """A user's calendar of the tokens that expire; ``name`` is unique among the user's.

    ``labels`` are ids of the user's labels, also of some that are gone.
    """

    id: str
    user_id: UserId
    name: str
    path: SecretPath
    created: datetime
    description: str | None = None
    labels: tuple[str, ...] = ()
    noticed: Noticed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A token whose expiry a calendar shows; the digests find it by the codes of its links."""

    calendar_id: str
    token_id: TokenId
    since: datetime
    removal: bytes
    recreation: bytes
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A watch with its token."""

    watch: Watch
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a user sorts calendars by: api.md's tag. ``name`` is unique among the user's."""

    id: str
    user_id: UserId
    name: str
    color: str = PLAIN_COLOR


class Detail(StrEnum):
    """How much a feed tells."""

    FULL = "full"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Provider calendars published as one ICS file; it belongs to whom its maker's token covers.

    Without ``user_id`` and ``application_id`` it is an administrator's.
    """

    id: str
    name: str
    calendars: tuple[CalendarId, ...]
    detail: Detail
    path: SecretPath
    created: datetime
    revision: int = 1
    user_id: UserId | None = None
    profile_id: ProfileId | None = None
    application_id: ApplicationId | None = None
    expires_at: datetime | None = None
    noticed: Noticed | None = None

    def alive(self, now: datetime) -> bool:
        """Tell whether its file is served."""
        return self.expires_at is None or now < self.expires_at
