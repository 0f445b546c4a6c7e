"""A linker that knows passwords, and fails on request."""

from syncd.model.errors import RelinkRequiredError, SyncdError
from syncd.ports.link import SIGN_IN_URL, Login, SignedIn
from syncd.ports.vault import PASSWORD

RIGHT = "correct horse"


class FakeLinker:
    """One person a user name at one server; ``tries`` are the logins that were tried."""

    def __init__(self) -> None:
        self.tries = list[Login]()
        self.failure: SyncdError | None = None
        self.identity: str | None = None

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
