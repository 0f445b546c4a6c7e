"""A linker that knows passwords and codes, and fails on request."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from syncd.model.errors import InvalidError, RelinkRequiredError, SyncdError
from syncd.model.profile import Profile
from syncd.ports.link import (
    SIGN_IN_URL,
    Consent,
    Consented,
    Journey,
    Login,
    SignedIn,
    SignIn,
    Way,
)
from syncd.ports.vault import PASSWORD, REFRESH_TOKEN, Secret

RIGHT = "correct horse"
CODE = "a-good-code"
ELSEWHERE = "https://accounts.example"
CONSENTING = ("google", "graph")


class FakeLinker:
    """One person a user name at one server; ``tries`` are the logins that were tried.

    ``given_up`` are the secrets of new grants and the profiles whose grants were given back.
    """

    def __init__(self) -> None:
        self.tries = list[Login]()
        self.failure: SyncdError | None = None
        self.identity: str | None = None
        self.journeys = list[Journey]()
        self.consents = list[Consent]()
        self.redeemed = list[Consented]()

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

    async def ways(self) -> Sequence[Way]:
        kinds = {"google": "Google Calendar", "graph": "Outlook Calendar", "caldav": "CalDAV"}
        kinds |= {"icloud": "iCloud Calendar", "ews": "Exchange Server 2013+"}
        return [
            Way(
                provider=provider,
                name=name,
                sign_in=SignIn.GRANT if provider in CONSENTING else SignIn.PASSWORD,
                origins=(ELSEWHERE,) if provider in CONSENTING else (),
            )
            for provider, name in kinds.items()
        ]

    async def begin(self, journey: Journey) -> Consent:
        if journey.provider not in CONSENTING:
            raise InvalidError("people do not sign in there", field="provider")
        number = len(self.journeys)
        state = f"state-{number}"
        query = urlencode({"state": state, "redirect_uri": journey.redirect_uri})
        consent = Consent(
            url=f"{ELSEWHERE}/consent?{query}", state=state, verifier=Secret(f"verifier-{number}")
        )
        self.journeys.append(journey)
        self.consents.append(consent)
        return consent

    async def finish(self, consented: Consented) -> SignedIn:
        self.redeemed.append(consented)
        if self.failure:
            raise self.failure
        if consented.code.reveal() != CODE:
            raise RelinkRequiredError("This sign-in is not honoured any more.")
        return SignedIn(
            identity=self.identity or "sub-ada",
            login="ada@example.org",
            secrets={REFRESH_TOKEN: Secret("refresh")},
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
