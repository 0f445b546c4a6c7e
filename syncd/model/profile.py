"""A profile: one sign-in at one provider, its states and the reasons for them (api.md N8, N9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from syncd.model.ids import ApplicationId, ProfileId, UserId, profile_name


class State(StrEnum):
    """What a profile is doing; of several the last-named counts (R21)."""

    CONNECTED = "connected"
    INITIAL = "initial"
    SUSPECT = "suspect"
    PAUSED = "paused"
    DISCONNECTED = "disconnected"


class Reason(StrEnum):
    """Why a profile is not simply connected (N9)."""

    INVALID_GRANT = "invalid_grant"
    CREDENTIALS_REFUSED = "credentials_refused"
    OPERATOR = "operator"
    MASS_DELETE = "mass_delete"
    FIRST_READ = "first_read"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The error of the last poll, in words for people; ``code`` as api.md's R15."""

    at: datetime
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Refusals of the credentials so far; enough of them disconnect (I11)."""

    reason: Reason
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One row; every change of it is a new value.

    ``identity`` names the person at the provider (P15). ``settings`` is the adapter's own memory
    of the sign-in (for CalDAV the URLs found at connect). ``generation`` grows with new
    credentials (F14), ``revision`` with each change of this value.
    """

    id: ProfileId
    user_id: UserId
    provider: str
    login: str
    identity: str
    created: datetime
    modified: datetime
    state_since: datetime
    application_id: ApplicationId | None = None
    name: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    generation: int = 1
    revision: int = 1
    paused: bool = False
    refused: Reason | None = None  # disconnected, by this proof
    refused_at: datetime | None = None
    first_read: bool = True  # the first read is unfinished
    suspect: bool = False
    removed: bool = False
    next_poll_at: datetime | None = None
    polled_at: datetime | None = None
    failures: int = 0
    last_error: LastError | None = None
    proof: Proof | None = None
    relink_digest: bytes | None = None  # finds the relink URL while there is one (N1)
    relink_until: datetime | None = None  # None: as long as the disconnection lasts

    @property
    def public_name(self) -> str:
        """Return ``pro_…``."""
        return profile_name(self.id)

    @property
    def state(self) -> State:
        """Return the one state that is shown."""
        if self.refused is not None:
            return State.DISCONNECTED
        if self.paused:
            return State.PAUSED
        if self.suspect:
            return State.SUSPECT
        return State.INITIAL if self.first_read else State.CONNECTED

    @property
    def state_reason(self) -> Reason | None:
        """Return why, None when connected."""
        match self.state:
            case State.DISCONNECTED:
                return self.refused
            case State.PAUSED:
                return Reason.OPERATOR
            case State.SUSPECT:
                return Reason.MASS_DELETE
            case State.INITIAL:
                return Reason.FIRST_READ
            case State.CONNECTED:
                return None

    @property
    def pollable(self) -> bool:
        """Tell whether the schedule may poll it."""
        return not (self.paused or self.refused or self.removed)


def changed(profile: Profile, at: datetime, **fields: object) -> Profile:
    """Return the profile with other fields, ``modified`` and ``state_since`` kept true."""
    after = replace(profile, **fields)  # type: ignore[arg-type]  # names are checked at run time
    since = at if after.state is not profile.state else profile.state_since
    return replace(after, modified=at, state_since=since)
