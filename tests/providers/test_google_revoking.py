"""Giving a grant back to Google (RFC 7009), through the port that the engine asks (K5, N4)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from syncd.model.errors import TransientError
from syncd.ports.vault import DELEGATED_KEY, PASSWORD, REFRESH_TOKEN, Secret, credential_place
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault
from tests.store.opening import NOON, opened
from tests.store.samples import a_profile, with_profile


@dataclass
class Desk:
    """Google's revocation endpoint, and syncd's way there; ``asked`` are the forms it got."""

    opener: Opener
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    body: str = "{}"

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.asked.append({name: str(value) for name, value in form.items()})
        return web.Response(status=self.status, text=self.body)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock, vault = FakeClock(NOON), FakeVault()
    app = web.Application()
    async with opened(tmp_path, clock=clock) as store, ClientSession() as session:
        server = TestServer(app)
        settings = {"google": {"client_id": "c", "client_secret": "s"}}
        rim = Rim(session=lambda: session, clock=clock, settings=settings)
        made = Desk(Opener(KINDS, rim, store, vault))
        app.router.add_post("/revoke", made.answer)
        await server.start_server()
        settings["google"]["revoke_url"] = str(server.make_url("/revoke"))
        await with_profile(store, 3)
        for provider, name in (("google", REFRESH_TOKEN), ("caldav", PASSWORD)):
            number = 1 if provider == "google" else 2
            place = credential_place(number, name)
            sealed = {name: vault.seal(Secret(f"{provider}'s"), place=place)}
            profile = a_profile(number, provider=provider)
            await store.add_profile(profile, sealed=sealed, records=[])
        yield made
        await server.close()


async def test_the_grant_of_a_profile_ends_at_google(desk: Desk) -> None:
    profile = await desk.opener._store.profile(1)  # type: ignore[arg-type]  # an id
    assert await desk.opener.leave(profile)
    assert desk.asked == [{"token": "google's", "token_type_hint": "refresh_token"}]


async def test_a_grant_that_google_does_not_know_is_as_good_as_ended(desk: Desk) -> None:
    desk.status, desk.body = 400, '{"error": "invalid_token"}'
    assert await desk.opener.give_up("google", {REFRESH_TOKEN: Secret("gone")})
    desk.status, desk.body = 503, "later"
    with pytest.raises(TransientError):
        await desk.opener.give_up("google", {REFRESH_TOKEN: Secret("new")})


async def test_where_there_is_no_grant_nobody_is_asked(desk: Desk) -> None:
    """A password, and the key of a service account, which is its domain's."""
    profile = await desk.opener._store.profile(2)  # type: ignore[arg-type]  # an id
    assert not await desk.opener.leave(profile)
    assert not await desk.opener.give_up("google", {DELEGATED_KEY: Secret("key")})
    assert not await desk.opener.give_up("graph", {REFRESH_TOKEN: Secret("theirs")})
    assert desk.asked == []
