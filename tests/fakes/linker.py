"""A linker that knows passwords, and fails on request."""

from collections.abc import Mapping

from syncd.model.errors import RelinkRequiredError, SyncdError
from syncd.model.profile import Profile
from syncd.ports.link import SIGN_IN_URL, Login, SignedIn
from syncd.ports.vault import PASSWORD, Secret

RIGHT = "correct horse"


class FakeLinker:
    """One person a user name at one server; ``tries`` are the logins that were tried.

    ``given_up`` are the secrets of new grants and the profiles whose grants were given back.
    """

    def __init__(self) -> None:
        self.tries = list[Login]()
        self.failure: SyncdError | None = None
        self.identity: str | None = None
        self.given_up = list[Mapping[str, Secret] | Profile]()

    async def sign_in(self, login: Login) -> SignedIn:
        self.tries.append(login)
        if self.failure:
            raise self.failure
        if login.password.reveal() != RIGHT:
            raise RelinkRequiredError("The server refused the password.")
        return SignedIn(
            identity=self.identity or f"https://dav.example/ {login.username}",
            login=login.username,
            secrets={PASSWORD: login.password},
            settings={SIGN_IN_URL: login.url},
        )

    async def give_up(self, provider: str, secrets: Mapping[str, Secret]) -> bool:
        del provider
        return self._give(secrets)

    async def leave(self, profile: Profile) -> bool:
        return self._give(profile)

    def _give(self, back: Mapping[str, Secret] | Profile) -> bool:
        self.given_up.append(back)
        if self.failure:
            raise self.failure
        return True
