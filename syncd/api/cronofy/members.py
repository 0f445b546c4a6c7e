"""The users of an availability query, and when each of them is free (api.md C16)."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from syncd.api.auth import covers
from syncd.api.keys import tokens_of
from syncd.api.parts import parts_of
from syncd.api.problems import Fault, Problem, ProblemError
from syncd.engine.availability import Range, gaps, shared, united, widened
from syncd.engine.busy import BusyReader, Whose
from syncd.model.ids import PRIMARY, UserId
from syncd.model.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A user by name; ``within`` is when they can be asked for at all, None for ever."""

    sub: str
    calendars: tuple[str, ...] | None
    within: tuple[Range, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A user's profiles that the tokens cover, and the calendars that count."""

    profiles: Sequence[Profile]
    whose: Whose
    within: tuple[Range, ...] | None


async def members_of(request: web.Request, wanted: Sequence[Wanted]) -> Sequence[Found]:
    """Return each user's calendars; 422 for a user or calendar that the tokens do not cover."""
    known = dict[str, Whose]()
    profiles = dict[str, Sequence[Profile]]()
    for sub in {one.sub for one in wanted}:
        profiles[sub] = await _profiles(request, sub)
        known[sub] = [
            (profile, calendar.as_of(profile.polled_at))
            for profile in profiles[sub]
            for calendar in await parts_of(request).store.calendars(profile.id)
        ]
    return [
        Found(
            profiles=profiles[one.sub],
            whose=_chosen(one, known[one.sub], profiles[one.sub]),
            within=one.within,
        )
        for one in wanted
    ]


async def free_of(
    busy: BusyReader, members: Sequence[Found], windows: Sequence[Range], *, before: int, after: int
) -> tuple[Sequence[Sequence[Sequence[Range]]], bool]:
    """Return when members are free, by window and then by member, and whether that was cut.

    A meeting needs ``before`` and ``after`` free around it, in milliseconds.
    """
    around = [(start - before, end + after) for start, end in windows]
    by_member, cut = list[list[list[Range]]](), False
    read = dict[tuple[str, ...], Sequence[Sequence[Range]]]()
    for one in members:
        name = tuple(known.id for _, known in one.whose)
        if name not in read:
            taken = await busy.read(one.whose, around)
            cut = cut or taken.cut
            read[name] = [widened(each, before=before, after=after) for each in taken.windows]
        free = [gaps(taken, window) for taken, window in zip(read[name], windows, strict=True)]
        if one.within is not None:
            free = [shared(each, united(one.within)) for each in free]
        by_member.append(free)
    return [[free[place] for free in by_member] for place in range(len(windows))], cut


async def _profiles(request: web.Request, sub: str) -> Sequence[Profile]:
    tokens = tokens_of(request)
    found = [
        profile
        for profile in await parts_of(request).store.profiles(user=UserId(sub))
        if any(covers(token, profile) for token in tokens)
    ]
    if not found and not any(token.user_id == sub for token in tokens):
        raise _unknown(f"there is no user {sub}")
    return found


def _chosen(wanted: Wanted, known: Whose, profiles: Sequence[Profile]) -> Whose:
    """Return the calendars of these names, all without any; ``primary`` by R9."""
    if not wanted.calendars:
        return known
    ids = {str(calendar.id): (profile, calendar) for profile, calendar in known}
    if len(profiles) == 1:
        ids |= {PRIMARY: one for one in known if one[1].calendar.primary}  # noqa: B035 - of one
    for name in wanted.calendars:
        if name not in ids:
            raise _unknown(f"the user {wanted.sub} has no calendar {name}")
    return list({ids[name][1].id: ids[name] for name in wanted.calendars}.values())


def _unknown(said: str) -> ProblemError:
    fault = Fault(key="errors.unknown", description=said)
    return ProblemError(
        Problem(
            status=400, code="invalid_parameters", message=said, faults={"participants": (fault,)}
        )
    )
