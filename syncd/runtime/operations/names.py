"""Profiles and places as people name them."""

from collections.abc import Iterator
from contextlib import contextmanager

from syncd.model.errors import CursorExpiredError, NotFoundError
from syncd.model.ids import parse_profile
from syncd.model.profile import Profile
from syncd.runtime.wiring import Core


async def profile_named(core: Core, name: str) -> Profile:
    """Return a profile by account id or ``pro_…``; raises NotFoundError with where to look."""
    found = parse_profile(name)
    if found is not None:
        try:
            return await core.store.profile(found)
        except NotFoundError:
            pass
    raise NotFoundError(f"there is no profile {name}; `syncd profile list` shows them all")


@contextmanager
def telling_where_to_go_on(option: str) -> Iterator[None]:
    """Say of a cursor that has expired which one ``option`` may name instead (K39)."""
    try:
        yield
    except CursorExpiredError as error:
        told = f"{error}; go on at {option} {error.restart}"
        raise CursorExpiredError(
            told, reason=error.reason, restart=error.restart, latest=error.latest
        ) from None
