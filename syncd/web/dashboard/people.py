"""Users by names that people know: those of applications have names of ours in the store."""

from collections.abc import Mapping

from syncd.model.access import User, name_within
from syncd.model.ids import ApplicationId
from syncd.ports.store import Store

Names = Mapping[ApplicationId, str]


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
