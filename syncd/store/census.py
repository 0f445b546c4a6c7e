"""All profiles at a glance."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, case, func, literal, or_, select

from syncd.model.ids import parse_profile
from syncd.model.profile import Profile, State
from syncd.ports.store.census import Search
from syncd.store.rows import profile_of
from syncd.store.tables import profiles
from syncd.store.topic import Topic

_ROW = profiles.c
_STATE = case(  # as ``Profile.state``
    (_ROW.refused.is_not(None), literal(State.DISCONNECTED.value)),
    (_ROW.paused, literal(State.PAUSED.value)),
    (_ROW.suspect, literal(State.SUSPECT.value)),
    (_ROW.first_read, literal(State.INITIAL.value)),
    else_=literal(State.CONNECTED.value),
)
_URGENCY = case(
    (_STATE.in_([State.DISCONNECTED.value]), 0),
    (_STATE.in_([State.SUSPECT.value]), 1),
    (_ROW.failures > 0, 2),
    else_=3,
)


class SqlCensus(Topic):
    """``Census`` in SQL."""

    async def counts(self, search: Search) -> Mapping[State, int]:
        """Return how many profiles there are by state, whatever state the search names."""
        state = _STATE.label("state")
        counted = select(state, func.count()).where(*_conditions(search)).group_by(state)
        rows = await self._database.fetch(counted)
        return {State(name): count for name, count in rows}

    async def matching(self, search: Search, *, skip: int, limit: int) -> Sequence[Profile]:
        """Return profiles that need a person first, then those whose polls fail, then by id."""
        conditions = _conditions(search)
        if search.state is not None:
            conditions.append(_STATE.in_([search.state.value]))
        found = select(profiles).where(*conditions).order_by(_URGENCY, _ROW.profile_id)
        rows = await self._database.fetch(found.offset(skip).limit(limit))
        return [profile_of(row) for row in rows]

    async def providers(self) -> Sequence[str]:
        """Return the providers that any profile is of, by name."""
        named = select(_ROW.provider).where(~_ROW.removed).distinct().order_by(_ROW.provider)
        return [name for (name,) in await self._database.fetch(named)]


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [~_ROW.removed]
    if search.provider is not None:
        conditions.append(_ROW.provider == search.provider)
    if text := search.text.strip().lower():
        named = [
            func.lower(column).contains(text, autoescape=True) for column in (_ROW.login, _ROW.name)
        ]
        number = parse_profile(text)
        if number is not None:
            named.append(_ROW.profile_id == number)
        conditions.append(or_(*named))
    return conditions
