"""What belongs to a profile, a user or an application, and the tokens that reach it (R5, R6)."""

from typing import Protocol, TypedDict

from syncd.model.access import Token
from syncd.model.ids import ApplicationId, ProfileId, UserId


class Owned(Protocol):
    """Something with one owner; the other two are None."""

    @property
    def profile_id(self) -> ProfileId | None:
        """Return the profile that it belongs to."""
        ...

    @property
    def user_id(self) -> UserId | None:
        """Return the user that it belongs to."""
        ...

    @property
    def application_id(self) -> ApplicationId | None:
        """Return the application that it belongs to."""
        ...


class Owner(TypedDict, total=False):
    """Whose things a listing of the store is to name; empty: everybody's."""

    profile: ProfileId
    user: UserId
    application: ApplicationId


def owner_of(token: Token) -> Owner:
    """Return whose things a token reaches."""
    if token.admin:
        return {}
    if token.profile_id is not None:
        return {"profile": token.profile_id}
    if token.user_id is not None:
        return {"user": token.user_id}
    return {"application": ApplicationId(token.application_id or "")}


def reaches(token: Token, one: Owned) -> bool:
    """Tell whether something is within a token's reach."""
    if token.admin:
        return True
    if token.profile_id is not None:
        return one.profile_id == token.profile_id
    if token.user_id is not None:
        return one.user_id == token.user_id
    return token.application_id is not None and one.application_id == token.application_id
