"""What an account can do beyond calendars: rooms, and requests of the caller's own (K29, K33)."""

from collections.abc import Sequence

from syncd.engine.upstream import signed_in, upstream
from syncd.model.errors import InvalidError, RejectedError
from syncd.model.profile import Profile
from syncd.model.room import Room
from syncd.ports.passing import Passed, PassedAnswer
from syncd.ports.provider import Providers


class Further:
    """Asks providers while the caller waits; nothing of it is kept."""

    def __init__(self, providers: Providers) -> None:
        """Ask ``providers``."""
        self._providers = providers

    async def rooms(self, profile: Profile) -> Sequence[Room]:
        """Return the rooms that a profile may book, by name; none where providers have no such.

        Raises RelinkRequiredError and what ``upstream`` names only where there may be some.
        """
        if not self._providers.abilities(profile.provider).rooms:
            return ()
        async with signed_in(self._providers, profile) as provider, upstream():
            found = await provider.rooms()
        return sorted(found, key=lambda room: ((room.name or "").casefold(), room.id))

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
