"""A choice of calendars through which a profile's stream is read (api.md K43, K44)."""

from dataclasses import dataclass, replace
from datetime import datetime

from syncd.model.activity import Filter
from syncd.model.ids import CalendarId, ProfileId, short
from syncd.model.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which calendars of a profile a reader follows, all if none is named; none while inactive.

    A calendar that is gone stays named, so that what was chosen never becomes everything.
    ``revision`` is 0 until it is stored.
    """

    id: str
    profile_id: ProfileId
    created: datetime
    modified: datetime
    calendars: tuple[CalendarId, ...] = ()
    active: bool = True
    default: bool = False
    revision: int = 0

    def within(self, wanted: Filter) -> Filter:
        """Return what is left of a filter."""
        if not self.calendars:
            return wanted
        chosen = frozenset(self.calendars)
        both = chosen if wanted.calendars is None else chosen & wanted.calendars
        return replace(wanted, calendars=both)


def selection_id(*parts: str) -> str:
    """Return an id; the same for the same parts."""
    return f"sub_{short(*parts)}"


def default_selection(profile: Profile) -> Selection:
    """Return the selection that every profile has, as it is until somebody changes it."""
    return Selection(
        id=selection_id("default", str(profile.id)),
        profile_id=profile.id,
        created=profile.created,
        modified=profile.created,
        default=True,
    )
