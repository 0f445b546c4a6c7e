"""An invitation: what a person is asked when connecting a profile (api.md K6, C18, N6, N7)."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.model.access import Scope, digest
from syncd.model.ids import ApplicationId, InvitationId, UserId

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"  # the popup of K6, in place of an address


class Ends(StrEnum):
    """What the application gets when the profile is connected."""

    CODE = "code"  # one that it exchanges for tokens (K7, C19)
    TOKEN = "token"  # noqa: S105 - the token itself (K6)
    RETURN = "return"  # the names of the profile (N7)


class Reach(StrEnum):
    """What its tokens cover (R6)."""

    PROFILE = "profile"  # K6
    USER = "user"  # C18


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """One, for one use; whoever has the secret of ``/connect/{secret}`` is asked.

    ``user_id`` is whose the profile becomes. None: decided when it ends, and then
    ``companion_id`` is whom a login that the application does not know yet joins. ``providers``
    are those offered, empty: all that are set up; ``preselected`` is the one that the application
    named. ``url`` and ``username`` prefill the form. ``browser`` is the digest of the cookie of the
    browser that the application began in: no other may use it. ``return_to`` None ends with a
    closing page.
    """

    id: InvitationId
    digest: bytes
    ends: Ends
    created: datetime
    expires_at: datetime
    application_id: ApplicationId | None = None
    user_id: UserId | None = None
    companion_id: UserId | None = None
    reach: Reach = Reach.PROFILE
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    providers: frozenset[str] = field(default_factory=frozenset)
    preselected: str | None = None
    url: str = ""
    username: str = ""
    return_to: str | None = None
    origin: str | None = None  # of the window that opened the popup
    request_id: str | None = None  # its name for it
    challenge: str | None = None  # PKCE, S256
    state: bytes | None = None  # the application's, sealed
    browser: bytes | None = None
    used_at: datetime | None = None

    @property
    def is_popup(self) -> bool:
        """Tell whether it ends with a message to the window that opened it."""
        return self.return_to == OUT_OF_BAND

    def alive(self, now: datetime) -> bool:
        """Tell whether it can still be used."""
        return self.used_at is None and now < self.expires_at

    def admits(self, browser: str) -> bool:
        """Tell whether the browser with this cookie may use it."""
        return self.browser is None or hmac.compare_digest(self.browser, digest(browser))


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """What the last page tells the window that opened it, and no window of another origin."""

    origin: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a browser keeps of the user to whom it may add profiles, for one application (C18)."""

    application_id: ApplicationId
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Where the browser goes, or what it tells; neither: a closing page."""

    connected: bool  # or the person did not want to
    url: str | None = None
    popup: Popup | None = None
    remembered: Remembered | None = None
