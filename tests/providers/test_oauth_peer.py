"""OAuth end to end against a peer that we did not write: npm's emulate (providers.md 10.5)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.model.access import User
from syncd.model.errors import MisconfiguredError, RelinkRequiredError
from syncd.model.ids import UserId
from syncd.model.profile import Reason, State
from syncd.ports.link import Login
from syncd.ports.vault import FORMER_REFRESH_TOKEN, REFRESH_TOKEN, Secret
from syncd.providers.google import KIND
from syncd.providers.graph.adapter import GraphAdapter
from syncd.providers.kind import Rim
from syncd.providers.oauth import consent
from syncd.providers.oauth.endpoint import Client, Granted, GrantRefusedError, TokenEndpoint
from syncd.providers.opener import Opener
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.fakes.vault import FakeVault
from tests.providers.signed import Process, processes
from tests.servers.emulate import CALLBACK, CLIENT_ID, PERSON, Site, emulate
from tests.servers.fronts import GoogleFront
from tests.store.opening import NOON, opened

pytestmark = pytest.mark.timeout(120)  # the first test may install the peer

HOUR = timedelta(hours=1)
NAMES = ("google", "microsoft")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody at the peer, and what we ask there for them."""

    site: Site
    session: ClientSession
    clock: FakeClock

    def endpoint(self, client: Client | None = None) -> TokenEndpoint:
        return TokenEndpoint(client or self.site.client, lambda: self.session, self.clock)

    async def code(self) -> tuple[Secret, Secret]:
        """Consent; return the code, and the verifier that belongs to it."""
        begun = consent.begun(
            self.site.authorize_url,
            CLIENT_ID,
            redirect_uri=CALLBACK,
            scopes=self.site.scopes,
            members=self.site.members,
        )
        back = await self.site.consented(self.session, begun.url)
        assert back["state"] == begun.state
        return Secret(back["code"]), begun.verifier

    async def granted(self) -> Granted:
        code, verifier = await self.code()
        return await self.endpoint().exchange(code, redirect_uri=CALLBACK, verifier=verifier)

    async def refresh_token(self) -> str:
        told = (await self.granted()).refresh_token
        assert told is not None
        return told.reveal()


@pytest.fixture(params=NAMES)
async def person(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Person]:
    async with emulate(tmp_path) as sites, ClientSession() as session:
        yield Person(site=sites[request.param], session=session, clock=FakeClock(NOON))


@asynccontextmanager
async def syncd(person: Person, folder: Path, refresh_token: str) -> AsyncIterator[Process]:
    login = {REFRESH_TOKEN: refresh_token}
    async with processes(1, folder, person.site.client, person.clock, **login) as (one,):
        yield one


async def test_a_code_becomes_tokens_once_and_only_with_its_verifier(person: Person) -> None:
    """RFC 7636: who stole the code on its way has no use for it."""
    granted = await person.granted()
    assert granted.expires_at > person.clock.now()
    assert granted.refresh_token is not None
    assert await person.site.admits(person.session, granted.access_token.reveal())
    assert str(granted.members["id_token"]).count(".") == 2
    code, verifier = await person.code()
    endpoint = person.endpoint()
    with pytest.raises(GrantRefusedError):
        await endpoint.exchange(code, redirect_uri=CALLBACK, verifier=Secret("x" * 64))
    await endpoint.exchange(code, redirect_uri=CALLBACK, verifier=verifier)
    with pytest.raises(GrantRefusedError):
        await endpoint.exchange(code, redirect_uri=CALLBACK, verifier=verifier)


async def test_a_client_that_the_peer_does_not_know_alarms_the_operator(person: Person) -> None:
    """providers.md §3: nobody is disconnected for it."""
    refresh = Secret(await person.refresh_token())
    for wrong in ({"client_id": "nobody"}, {"client_secret": Secret("wrong")}):
        with pytest.raises(MisconfiguredError):
            await person.endpoint(person.site.as_client(**wrong)).refresh(refresh)
    assert (await person.endpoint().refresh(refresh)).access_token.reveal()


async def test_tokens_are_refreshed_over_and_over(person: Person, tmp_path: Path) -> None:
    """I13, with what the peer rotates: Microsoft every time, Google never."""
    first = await person.refresh_token()
    async with syncd(person, tmp_path, first) as one:
        seen, kept = set[str](), {first}
        for _ in range(5):
            token = await one.token()
            assert await person.site.admits(person.session, token)
            seen.add(token)
            kept.add((await one.sealed())[REFRESH_TOKEN])
            person.clock.advance(HOUR)
        assert len(seen) == 5
        assert len(kept) == (6 if person.site.name == "microsoft" else 1)
        assert (FORMER_REFRESH_TOKEN in await one.sealed()) == (person.site.name == "microsoft")


async def test_what_microsoft_rotated_away_is_refused(tmp_path: Path) -> None:
    async with emulate(tmp_path) as sites, ClientSession() as session:
        person = Person(site=sites["microsoft"], session=session, clock=FakeClock(NOON))
        old = Secret(await person.refresh_token())
        new = (await person.endpoint().refresh(old)).refresh_token
        assert new is not None
        with pytest.raises(GrantRefusedError):
            await person.endpoint().refresh(old)
        assert (await person.endpoint().refresh(new)).access_token.reveal()


async def test_a_revoked_grant_is_proven_dead_by_two_polls_a_minute_apart(
    person: Person, tmp_path: Path
) -> None:
    """I11, F24: with reason and activity; both generations are gone."""
    async with syncd(person, tmp_path, await person.refresh_token()) as one:
        assert (await one.poll()).state is State.CONNECTED
        endpoint = person.endpoint()
        await endpoint.revoke(Secret((await one.sealed())[REFRESH_TOKEN]))
        await endpoint.revoke(Secret("nothing that it knows"))  # RFC 7009 §2.2
        assert (await one.poll()).proof is None  # the access token still works
        person.clock.advance(HOUR)
        doubted = await one.poll()
        assert (doubted.state, doubted.proof and doubted.proof.count) == (State.CONNECTED, 1)
        person.clock.advance(timedelta(seconds=60))
        dead = await one.poll()
        assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.INVALID_GRANT)
        assert (await one.store.stream(one.profile.id)).head == 1


async def test_a_google_profile_signs_in_dies_and_returns_by_new_consent(tmp_path: Path) -> None:
    """P14, I11, I12: the daemon's own parts, from the consent to the relink."""
    clock, hub, vault = FakeClock(NOON), Hub(), FakeVault()
    async with emulate(tmp_path) as sites, ClientSession() as session:
        site = sites["google"]
        person = Person(site=site, session=session, clock=clock)
        async with (
            GoogleFront(site, session).running() as server,
            opened(tmp_path, clock=clock) as store,
        ):
            known = server.settings["google"]
            settings = {
                **known,
                "client_id": site.client.client_id,
                "client_secret": site.client.client_secret.reveal(),
                "token_url": site.client.token_url,
            }
            rim = Rim(session=lambda: session, clock=clock, settings={"google": settings})
            opener = Opener([KIND], rim, store, vault)
            linking = Linking(store, opener, vault, clock, hub)
            poller = Poller(store, opener, hub, clock, FakeMeter(), Plan())
            await store.add_user(User(id=UserId("acc_one"), name="ada", created=NOON))
            refresh = Secret(await person.refresh_token())
            login = Login(provider="google", refresh_token=refresh)
            profile = await linking.connect(UserId("acc_one"), login)

            async def polled() -> State:
                await poller.poll(await store.profile(profile.id))
                return (await store.profile(profile.id)).state

            assert await polled() is State.CONNECTED
            await person.endpoint().revoke(refresh)
            clock.advance(HOUR)
            assert await polled() is State.CONNECTED
            clock.advance(timedelta(seconds=61))
            assert await polled() is State.DISCONNECTED
            dead = await store.profile(profile.id)
            path = await linking.relink_path(dead)
            assert path is not None
            with pytest.raises(RelinkRequiredError):
                await linking.relink(dead, login)
            anew = replace(login, refresh_token=Secret(await person.refresh_token()))
            assert (await linking.relink(dead, anew)).id == profile.id
            assert await polled() is State.CONNECTED
            assert await linking.relink_path(await store.profile(profile.id)) is None
            assert server.complaints == []


async def test_a_microsoft_account_is_the_same_person_after_every_sign_in(tmp_path: Path) -> None:
    """P15, MG15: the graph adapter signs in with what the peer rotates, tenant and object stay."""
    clock = FakeClock(NOON)
    async with emulate(tmp_path) as sites, ClientSession() as session:
        site = sites["microsoft"]
        person = Person(site=site, session=session, clock=clock)
        settings = {
            "client_id": site.client.client_id,
            "client_secret": site.client.client_secret.reveal(),
            "token_url": site.client.token_url,
            "api_url": site.api_url,
        }
        rim = Rim(session=lambda: session, clock=clock, settings={"graph": settings})
        adapter = GraphAdapter(rim)
        first = Secret(await person.refresh_token())
        signed = await adapter.sign_in(Login(provider="graph", refresh_token=first))
        assert signed.login == PERSON
        assert "." in signed.identity
        kept = signed.secrets[REFRESH_TOKEN]
        assert kept.reveal() != first.reveal()
        again = await adapter.sign_in(Login(provider="graph", refresh_token=kept))
        assert again.identity == signed.identity
        with pytest.raises(RelinkRequiredError):
            await adapter.sign_in(Login(provider="graph", refresh_token=kept))
