"""Users by names that people know: those of applications have names of ours in the store."""

from collections.abc import Mapping
from dataclasses import dataclass

from syncd.model.access import User, name_within
from syncd.model.ids import ApplicationId, ProfileId, UserId
from syncd.ports.store import Store

Names = Mapping[ApplicationId, str]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose something is, in words, and where more of that can be seen."""

    name: str
    href: str | None = None


async def names_of(store: Store) -> Names:
    """Return what each application is called."""
    return {one.id: one.name for one in await store.applications()}


def whose(user: User, names: Names) -> str:
    """Return who a user is: ``user ada``, ``user u7 of Desk``, ``a user of Desk``."""
    application = user.application_id
    if application is None:
        return f"user {user.name}"
    home = names.get(application, application)
    own = user.name.removeprefix(name_within(application, ""))
    return f"a user of {home}" if own == user.name else f"user {own} of {home}"


async def owner_of(
    store: Store,
    *,
    user: UserId | None,
    profile: ProfileId | None,
    application: ApplicationId | None,
    nobody: str,
) -> Owner:
    """Return whose something is; ``nobody`` is what that of none of them is said to be of."""
    if profile is not None:
        return Owner(f"profile {profile}", f"/dashboard/profiles/{profile}")
    if user is not None:
        return Owner(whose(await store.user(user), await names_of(store)))
    if application is not None:
        name = (await names_of(store)).get(application, application)
        return Owner(f"application {name}", f"/dashboard/applications/{application}")
    return Owner(nobody)
