"""Who may ask for what: users, applications, tokens, scopes (api.md R5-R7)."""

import hmac
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256, sha512

from syncd.model.ids import ApplicationId, GrantId, ProfileId, TokenId, UserId

DEFAULT_USER = "default"


class Scope(StrEnum):
    """What a token may open; ``READ_ACCOUNT`` and the rest stand in the table of R7."""

    READ_ACCOUNT = "read_account"
    LIST_CALENDARS = "list_calendars"
    CREATE_CALENDAR = "create_calendar"
    READ_FREE_BUSY = "read_free_busy"
    READ_EVENTS = "read_events"
    CREATE_EVENT = "create_event"
    DELETE_EVENT = "delete_event"
    CHANGE_PARTICIPATION_STATUS = "change_participation_status"
    READ_CONTACTS = "read_contacts"
    RAW = "raw"
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_PROFILES = "manage_profiles"
    MANAGE_FEEDS = "manage_feeds"
    READ_NOTIFY = "read@manage_mytokens:notify"
    NOTIFY = "manage_mytokens:notify"
    READ_TAGS = "read@settings:tags"
    TAGS = "settings:tags"
    READ_MYTOKENS = "read@manage_mytokens"
    MYTOKENS = "manage_mytokens"
    READ_SETTINGS = "read@settings"
    SETTINGS = "settings"
    ALL = "all"


_PARTS = {
    Scope.READ_EVENTS: frozenset({Scope.READ_FREE_BUSY}),
    Scope.CREATE_EVENT: frozenset({Scope.CHANGE_PARTICIPATION_STATUS}),
}
_READ = "read@"
_ALSO = {Scope.READ_TAGS: Scope.READ_NOTIFY, Scope.TAGS: Scope.NOTIFY}  # M14


def grants(scopes: frozenset[Scope], wanted: Scope) -> bool:
    """Tell whether a token with these scopes opens what needs ``wanted``."""
    return (
        Scope.ALL in scopes
        or not scopes.isdisjoint(broader(wanted))
        or any(wanted in _PARTS.get(scope, ()) for scope in scopes)
        or (wanted in _ALSO and grants(scopes, _ALSO[wanted]))
    )


def broader(wanted: str) -> frozenset[str]:
    """Return the capabilities that grant ``wanted``, itself among them (api.md M2).

    That is each prefix that ends before a ``:``; for reading, their ``read@`` forms too. Reading
    grants no writing.
    """
    plain = wanted.removeprefix(_READ)
    parts = plain.split(":")
    whole = {":".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return frozenset(whole | {_READ + one for one in whole} if plain != wanted else whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who owns profiles; ``name`` is unique.

    One that an application brought belongs to it alone, and is named by it (``name_within``).
    """

    id: UserId
    name: str
    created: datetime
    application_id: ApplicationId | None = None


def name_within(application: ApplicationId, name: str) -> str:
    """Return the unique name of a user whom an application calls ``name``."""
    return f"{application}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A registered API client; ``id`` is its client id."""

    id: ApplicationId
    name: str
    created: datetime
    origins: tuple[str, ...] = ()  # for CORS (R19)
    redirect_uris: tuple[str, ...] = ()  # where people may be sent back to (K6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token, never its text: of a profile, else of a user, else of an application.

    One of a profile or a user may name the application that it was given through, and the grant
    that ends it. ``admin`` marks
    the token that ``syncd init`` prints: it covers every user. One that ``rotates`` gets another
    secret with each call that says so (api.md M12); its id stays.
    """

    id: TokenId
    digest: bytes
    scopes: frozenset[Scope]
    created: datetime
    user_id: UserId | None = None
    profile_id: ProfileId | None = None
    application_id: ApplicationId | None = None
    admin: bool = False
    name: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    rotates: bool = False
    grant_id: GrantId | None = None

    @property
    def lineage(self) -> str:
        """Return the name that stays over rotation and is no credential: api.md's ``mom_id``."""
        return b64encode(sha512(self.id.encode()).digest()).decode()

    @property
    def is_application(self) -> bool:
        """Tell whether this is a secret of an application itself."""
        return self.application_id is not None and self.user_id is None and self.profile_id is None

    def alive(self, now: datetime) -> bool:
        """Tell whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def token_text(token: TokenId, secret: str) -> str:
    """Return the text that its bearer keeps: ``syncd_<id>_<secret>``."""
    return f"syncd_{token}_{secret}"


def split_token(text: str) -> tuple[TokenId, str] | None:
    """Return id and secret, None if this is no token of ours."""
    word, _, rest = text.partition("_")
    token, _, secret = rest.partition("_")
    return (TokenId(token), secret) if word == "syncd" and token and secret else None


def digest(secret: str) -> bytes:
    """Return what the store keeps of a secret of 256 random bits."""
    return sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentSecret:
    """A secret that rotation has replaced; with ``nonce`` who still has it finds its successor."""

    token_id: TokenId
    digest: bytes
    nonce: bytes
    spent_at: datetime


def successor(secret: str, nonce: bytes) -> str:
    """Return the secret that follows; neither the secret alone nor the nonce alone gives it."""
    followed = hmac.digest(secret.encode(), nonce, "sha256")
    return urlsafe_b64encode(followed).decode().rstrip("=")


def opens(secret: str, kept: bytes | None) -> bool:
    """Compare a secret with a digest in constant time; none costs the same (reliability.md §5)."""
    return hmac.compare_digest(kept or bytes(32), digest(secret)) and kept is not None


def matches(token: Token | None, secret: str) -> bool:
    """Tell whether this is the token's secret."""
    return opens(secret, None if token is None else token.digest) and token is not None
