"""Whose profiles and calendars a request is about: all of the user's together (api.md C)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from syncd.api.auth import all_covered, only_profile
from syncd.api.freshness import cursors_of, freshness_of
from syncd.api.keys import tokens_of
from syncd.api.parts import parts_of
from syncd.model.access import User
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import NotFoundError
from syncd.model.ids import PRIMARY, Cursor, ProfileId
from syncd.model.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A calendar and the profile that it is of."""

    profile: Profile
    calendar: KnownCalendar

    @property
    def deleted(self) -> bool:
        """Tell whether the provider no longer has it."""
        return self.calendar.removed_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a request covers, with the positions of the streams taken before it was read (R21)."""

    profiles: Sequence[Profile]
    cursors: Mapping[ProfileId, Cursor]
    places: Sequence[Place]

    def headers(self, *, truncated: bool = False) -> dict[str, str]:
        """Return how fresh an answer about these calendars is."""
        here = [one.calendar for one in self.places if not one.deleted]
        return freshness_of(self.profiles, self.cursors, here, truncated=truncated)


async def reach(request: web.Request, *, deleted: bool = False) -> Reach:
    """Return the calendars that the tokens cover, profile by profile.

    With ``deleted`` also those that providers deleted within the retention time (C2).
    """
    parts = parts_of(request)
    profiles = await all_covered(parts.store, tokens_of(request))
    cursors = await cursors_of(parts.store, profiles)
    since = parts.clock.now() - parts.retention
    places = [
        Place(profile=profile, calendar=one.as_of(profile.polled_at))
        for profile in profiles
        for one in await parts.store.calendars(profile.id, removed=deleted)
        if one.removed_at is None or one.removed_at >= since
    ]
    return Reach(profiles=profiles, cursors=cursors, places=places)


def chosen(whole: Reach, names: Sequence[str]) -> Sequence[Place]:
    """Return the calendars of these names, all without one; raises NotFoundError (C6).

    ``primary`` needs exactly one profile behind the token, else it is a problem (R9).
    """
    if not names:
        return whole.places
    known = {str(one.calendar.id): one for one in whole.places}
    if PRIMARY in names:
        only_profile(whole.profiles, field="calendar_ids")
        usual = (one for one in whole.places if one.calendar.calendar.primary and not one.deleted)
        known.update((PRIMARY, one) for one in usual)
    for name in names:
        if name not in known:
            raise NotFoundError(f"there is no calendar {name}")
    return list({known[name].calendar.id: known[name] for name in names}.values())


async def user_asked(request: web.Request) -> User:
    """Return the user of the token; raises NotFoundError for one that is of no user."""
    store = parts_of(request).store
    for token in tokens_of(request):
        if token.user_id is not None:
            return await store.user(token.user_id)
        if token.profile_id is not None:
            return await store.user((await store.profile(token.profile_id)).user_id)
    raise NotFoundError("this token is of no user")
