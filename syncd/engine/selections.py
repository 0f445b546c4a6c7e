"""A profile's selections; each has a default one, which is stored once somebody changed it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from syncd.model.errors import InvalidError, NotFoundError, StaleStateError
from syncd.model.profile import Profile
from syncd.model.selection import Selection, default_selection
from syncd.ports.store import Store

DEFAULT = "default"  # the alias


async def selections_behind(
    store: Store, profile: Profile, after: str | None, *, limit: int
) -> Sequence[Selection]:
    """Return a profile's selections that follow the one named ``after``: default first, then by id.

    None begins with the default one.
    """
    first = await selection_named(store, profile, DEFAULT)
    shown = [first] if after is None else []
    behind = "" if after in {None, first.id} else str(after)
    rest = await store.selections(profile.id, after=behind, limit=limit - len(shown))
    return [*shown, *rest]


async def selection_named(store: Store, profile: Profile, name: str) -> Selection:
    """Return one of a profile by its id, or by the alias; raises NotFoundError."""
    default = default_selection(profile)
    identity = default.id if name == DEFAULT else name
    found = await store.selection(profile.id, identity)
    if found is not None:
        return found
    if identity == default.id:
        return default
    raise NotFoundError(f"there is no subscription {name}")


async def add_selection(store: Store, profile: Profile, made: Selection, *, most: int) -> Selection:
    """Keep a new one; one of this id was made by an earlier attempt at the same request (R17).

    Raises LimitError if the profile has ``most`` already.
    """
    try:
        return await store.save_selection(made, generation=profile.generation, most=most)
    except StaleStateError:
        found = await store.selection(profile.id, made.id)
        if found is None:
            raise
        return found


async def change_selection(
    store: Store, profile: Profile, after: Selection, *, now: datetime
) -> Selection:
    """Write what was changed; raises StaleStateError."""
    changed = replace(after, modified=now)
    return await store.save_selection(changed, generation=profile.generation)


async def remove_selection(store: Store, selection: Selection) -> None:
    """Remove one; raises InvalidError for the default one."""
    if selection.default:
        raise InvalidError("the default subscription stays: PATCH it with active false instead")
    await store.remove_selection(selection)
