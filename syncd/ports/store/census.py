"""All profiles at a glance: how many are in which state, and finding some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from syncd.model.profile import Profile, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which profiles: ``text`` stands somewhere in login or name, in any case, or names one."""

    state: State | None = None
    provider: str | None = None
    text: str = ""


class Census(Protocol):
    """Each method is one fetch; removed profiles are not counted."""

    async def counts(self, search: Search) -> Mapping[State, int]:
        """Return how many profiles there are by state, whatever state the search names."""
        ...

    async def matching(self, search: Search, *, skip: int, limit: int) -> Sequence[Profile]:
        """Return profiles that need a person first, then those whose polls fail, then by id."""
        ...

    async def providers(self) -> Sequence[str]:
        """Return the providers that any profile is of, by name."""
        ...
