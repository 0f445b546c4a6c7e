"""Which profiles a caller covers, those that come later too (api.md R6)."""

from collections.abc import Iterable
from dataclasses import dataclass

from syncd.model.access import Token
from syncd.model.ids import ApplicationId, ProfileId, UserId
from syncd.model.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Profiles by id, by user, and by application (with those that belong to none), or all."""

    everything: bool = False
    profiles: frozenset[ProfileId] = frozenset()
    users: frozenset[UserId] = frozenset()
    applications: frozenset[ApplicationId] = frozenset()

    def covers(self, profile: Profile) -> bool:
        """Tell whether a profile is within it."""
        return (
            self.everything
            or profile.id in self.profiles
            or profile.user_id in self.users
            or (
                bool(self.applications)
                and (profile.application_id is None or profile.application_id in self.applications)
            )
        )


def reach_of(tokens: Iterable[Token]) -> Reach:
    """Return what the tokens cover together: each its profile, else its user's, else ours."""
    profiles, users, applications = set[ProfileId](), set[UserId](), set[ApplicationId]()
    everything = False
    for token in tokens:
        if token.admin:
            everything = True
        elif token.profile_id is not None:
            profiles.add(token.profile_id)
        elif token.user_id is not None:
            users.add(token.user_id)
        elif token.application_id is not None:
            applications.add(token.application_id)
    return Reach(
        everything=everything,
        profiles=frozenset(profiles),
        users=frozenset(users),
        applications=frozenset(applications),
    )
