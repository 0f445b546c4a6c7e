"""What an account can do beyond calendars: rooms, and requests of the caller's own (K29, K33)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.engine.upstream import signed_in, upstream
from syncd.model.errors import InvalidError, RejectedError
from syncd.model.ids import CalendarId, CalendarKey, ProfileId, room_calendar_id
from syncd.model.profile import Profile
from syncd.model.room import Room
from syncd.ports.passing import Passed, PassedAnswer
from syncd.ports.provider import Providers
from syncd.ports.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookable:
    """A room; ``calendar`` is our id of its calendar, None where that cannot be read.

    Where the profile has it among its own, it is the one of the snapshot.
    """

    room: Room
    calendar: CalendarId | None = None


class Further:
    """Asks providers while the caller waits; nothing of it is kept."""

    def __init__(self, providers: Providers, store: Store) -> None:
        """Ask ``providers``; ``store`` knows the calendars that rooms have."""
        self._providers = providers
        self._store = store

    async def rooms(self, profile: Profile) -> Sequence[Bookable]:
        """Return the rooms that a profile may book, by name; none where providers have no such.

        Raises RelinkRequiredError and what ``upstream`` names only where there may be some.
        """
        able = self._providers.abilities(profile.provider)
        if not able.rooms:
            return ()
        async with signed_in(self._providers, profile) as provider, upstream():
            found = await provider.rooms()
        ours = await self._calendars(profile) if any(one.calendar for one in found) else {}
        listed = sorted(found, key=lambda room: ((room.name or "").casefold(), room.id))
        live = profile.id if able.room_calendars else None
        return [Bookable(room=one, calendar=_calendar(one, ours, live)) for one in listed]

    async def _calendars(self, profile: Profile) -> Mapping[CalendarKey, CalendarId]:
        return {one.key: one.id for one in await self._store.calendars(profile.id)}

    def speaks_icalendar(self, profile: Profile) -> bool:
        """Tell whether a profile's calendars can be published with all that they say (N21)."""
        return self._providers.abilities(profile.provider).icalendar

    async def passed(self, profile: Profile, asked: Passed) -> PassedAnswer:
        """Pass a request through; raises InvalidError for one that leads elsewhere."""
        async with signed_in(self._providers, profile) as provider:
            try:
                async with upstream():
                    return await provider.passed(asked)
            except RejectedError as error:  # ours, not the provider's, to refuse
                raise InvalidError(str(error), field="X-Kloudless-Raw-URI") from error


def _calendar(
    room: Room, ours: Mapping[CalendarKey, CalendarId], live: ProfileId | None
) -> CalendarId | None:
    """Return the id under which a room's calendar can be read, by ``live`` from the provider."""
    if room.calendar is None:
        return None
    known = ours.get(room.calendar)
    if known is not None or live is None:
        return known
    return room_calendar_id(live, room.calendar)
