"""Profiles as people name them."""

from syncd.model.errors import NotFoundError
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
