"""Service accounts with domain-wide delegation: we sign, and a public key judges it (G11)."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from google.oauth2 import service_account

from syncd.model.errors import (
    InvalidError,
    MisconfiguredError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.ports.link import Login, SignedIn
from syncd.ports.vault import ACCESS_TOKEN, DELEGATED_KEY, REFRESH_TOKEN, Secret
from syncd.providers.google.adapter import GoogleAdapter
from syncd.providers.oauth.assertion import DelegatedKey, assertion, read_key_file, sealed_key
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.google import google_adapter
from tests.providers.test_oauth import PROFILE
from tests.servers.delegation import Domain, claims_of
from tests.servers.google import OWNER, GoogleServer
from tests.servers.tokens import Answer

SCOPE = "https://www.googleapis.com/auth/calendar"
GOOGLE = "https://oauth2.googleapis.com/token"


@dataclass(kw_only=True)
class Desk:
    server: GoogleServer
    domain: Domain
    clock: FakeClock
    adapter: GoogleAdapter

    async def sign_in(self, text: str | None = None, username: str = OWNER) -> SignedIn:
        key_file = Secret(self.domain.key_file() if text is None else text)
        return await self.adapter.sign_in(
            Login(provider="google", username=username, key_file=key_file)
        )

    async def names(self, keys: FakeKeys) -> list[str]:
        """Return the calendars that the profile sees."""
        async with self.adapter.open(PROFILE, keys) as provider:
            return [one.name for one in await provider.calendars()]


class Delegating(GoogleServer):
    """Knows no client of ours: a service account needs none."""

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        known = super().settings["google"]
        gone = {"client_id": "", "client_secret": "", "delegated_scopes": SCOPE}
        return {"google": {**known, **gone}}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    clock = FakeClock()
    async with Delegating().running() as server, google_adapter(server, clock) as adapter:
        server.tokens.domain = Domain.made(clock, OWNER, scope=SCOPE)
        yield Desk(server=server, domain=server.tokens.domain, clock=clock, adapter=adapter)


def held(signed: SignedIn) -> FakeKeys:
    return FakeKeys(**{name: one.reveal() for name, one in signed.secrets.items()})


async def test_a_domain_is_followed_without_anybody_signing_in(desk: Desk) -> None:
    signed = await desk.sign_in()
    assert (signed.login, signed.identity) == (OWNER, f"calendar:{OWNER}")
    assert signed.secrets.keys() == {DELEGATED_KEY, ACCESS_TOKEN}
    keys = held(signed)
    for _ in range(3):
        assert await desk.names(keys) == ["Ada"]
        desk.clock.advance(timedelta(hours=1))
    assert desk.server.tokens.asked == 3
    assert REFRESH_TOKEN not in keys.held
    assert desk.server.complaints == []


async def test_what_is_sealed_is_the_key_and_no_more_of_its_file(desk: Desk) -> None:
    signed = await desk.sign_in()
    kept = sealed_key(signed.secrets[DELEGATED_KEY])
    assert (kept.subject, kept.scope, kept.key_id) == (OWNER, SCOPE, "k1")
    for shown in (signed, kept):
        assert "PRIVATE KEY" not in repr(shown)


async def test_an_assertion_is_signed_and_says_what_googles_own_library_says() -> None:
    """A witness that we did not write: google-auth signs for the same key and person."""
    clock = FakeClock()
    domain = Domain.made(clock, OWNER, scope=SCOPE)
    text = domain.key_file()
    key = read_key_file(Secret(text), subject=OWNER, scope=SCOPE)
    ours = assertion(key, GOOGLE, clock.now()).reveal()
    credentials: Any = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        json.loads(text), scopes=[SCOPE], subject=OWNER
    )
    theirs = credentials._make_authorization_grant_assertion().decode()
    assert jwt.get_unverified_header(ours) == jwt.get_unverified_header(theirs)
    told, said = (claims_of(one, domain.key, GOOGLE) for one in (ours, theirs))
    times = ("iat", "exp")
    assert {name: one for name, one in told.items() if name not in times} == {
        name: one for name, one in said.items() if name not in times
    }
    assert told["exp"] - told["iat"] == said["exp"] - said["iat"] == 3600


async def test_the_keys_own_address_is_not_followed(desk: Desk) -> None:
    """P12: a file that somebody hands in names no place where its assertion is sent."""
    text = desk.domain.key_file(token_uri="https://attacker.example/token")  # noqa: S106
    assert (await desk.sign_in(text)).login == OWNER


async def test_another_key_or_person_is_refused(desk: Desk) -> None:
    stranger = Domain.made(desk.clock, OWNER, scope=SCOPE)
    for text, username in ((stranger.key_file(), OWNER), (None, "eve@example.org")):
        with pytest.raises(RelinkRequiredError) as caught:
            await desk.sign_in(text, username)
        assert caught.value.reason == "invalid_grant"


@pytest.mark.parametrize(
    ("text", "username", "field"),
    [
        ("", OWNER, "key_file"),
        ("[]", OWNER, "key_file"),
        ('{"type":"authorized_user"}', OWNER, "key_file"),
        ('{"type":"service_account","client_email":"r@p","private_key":"x"}', OWNER, "key_file"),
        ('{"type":"service_account","client_email":"r@p"}', OWNER, "key_file"),
        (None, "", "username"),
    ],
)
async def test_what_cannot_be_a_key_is_refused_before_anybody_is_asked(
    desk: Desk, text: str | None, username: str, field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        await desk.sign_in(text, username)
    assert caught.value.field == field
    assert desk.server.tokens.asked == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400, '{"error":"invalid_grant"}'), RelinkRequiredError),
        (Answer(401, '{"error":"unauthorized_client"}'), MisconfiguredError),
        (Answer(403, '{"error":"access_denied"}'), TransientError),
        (Answer(500, ""), TransientError),
    ],
)
async def test_what_the_endpoint_says_of_an_assertion_is_classified(
    desk: Desk, answer: Answer, error: type[SyncdError]
) -> None:
    """A delegation that an administrator took back alarms the operator, a person who left ends."""
    keys = held(await desk.sign_in())
    desk.clock.advance(timedelta(hours=1))
    desk.server.tokens.instead = answer
    with pytest.raises(error):
        await desk.names(keys)
    desk.server.tokens.instead = None
    assert await desk.names(keys) == ["Ada"]


async def test_a_scope_that_is_not_delegated_alarms_the_operator(desk: Desk) -> None:
    desk.server.tokens.domain = replace(desk.domain, scopes=frozenset())
    with pytest.raises(MisconfiguredError):
        await desk.sign_in()


def test_a_key_survives_the_vault() -> None:
    key = DelegatedKey(email="r@p", key_id="k", key=Secret("pem"), subject="a@b", scope="c d")
    kept = sealed_key(key.sealable())
    assert (kept.key.reveal(), replace(kept, key=key.key)) == ("pem", key)
