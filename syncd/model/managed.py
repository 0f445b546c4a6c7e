"""Events that an application made under names of its own (api.md C6, C10)."""

from dataclasses import dataclass
from datetime import timedelta

from syncd.model.access import Token
from syncd.model.ids import CalendarId, EventId, ProfileId

COMMAND_LINE = ""  # the application of all tokens that none has made
CLAIM_LASTS = timedelta(seconds=90)  # making an event takes less, or whoever made it has died


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedKey:
    """What an application calls an event: ``own_id`` is its ``event_id``, unique in a calendar."""

    application: str
    profile: ProfileId
    calendar: CalendarId
    own_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedEvent:
    """A claimed name; ``event`` is None until the event is recorded.

    ``name`` fixes the id at the provider: whoever tries again finds the event that was made.
    """

    key: ManagedKey
    name: str
    event: EventId | None = None


def application_of(token: Token) -> str:
    """Return whose events a token manages."""
    return token.application_id or COMMAND_LINE
