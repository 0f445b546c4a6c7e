"""Tokens against a server that rotates strictly: one refresh a round, whatever happens (I13)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from syncd.model.errors import (
    MisconfiguredError,
    RelinkRequiredError,
    StaleStateError,
    SyncdError,
    TransientError,
)
from syncd.model.ids import ProfileId, UserId
from syncd.model.profile import Profile
from syncd.ports.vault import ACCESS_TOKEN, REFRESH_TOKEN, Secret
from syncd.providers.oauth.endpoint import MARGIN, Client, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper
from tests.fakes.clock import BEGIN, FakeClock
from tests.fakes.keys import FakeKeys
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, Answer, TokenServer

PROFILE = Profile(
    id=ProfileId(7),
    user_id=UserId("acc_1"),
    provider="google",
    login="ada@example.org",
    identity="1",
    created=BEGIN,
    modified=BEGIN,
    state_since=BEGIN,
)
HOUR = timedelta(hours=1)


@dataclass
class Desk:
    server: TokenServer
    clock: FakeClock
    session: ClientSession
    keys: FakeKeys

    def keeper(self, **fields: object) -> Keeper:
        """Return what another process would have."""
        client = Client(
            client_id=CLIENT_ID, client_secret=Secret(CLIENT_SECRET), token_url=self.server.url
        )
        client = replace(client, **fields)  # type: ignore[arg-type]
        return Keeper(TokenEndpoint(client, lambda: self.session, self.clock), self.clock)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with TokenServer().running() as server, ClientSession() as session:
        yield Desk(server, FakeClock(), session, FakeKeys(**{REFRESH_TOKEN: server.refresh_token}))


@pytest.mark.timeout(120)
async def test_fifty_callers_refresh_once_a_round(desk: Desk) -> None:
    """F22: in one process, over 200 expiries."""
    keeper = desk.keeper()
    for number in range(1, 201):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(keeper.token(PROFILE, desk.keys)) for _ in range(50)]
        assert {task.result() for task in tasks} == {f"access-{number}"}
        assert desk.server.refreshes == number
        desk.clock.advance(HOUR)
    assert not desk.server.revoked
    assert desk.keys.writes == 200


async def test_a_token_is_kept_until_a_minute_before_it_ends(desk: Desk) -> None:
    """F27."""
    keeper = desk.keeper()
    await keeper.token(PROFILE, desk.keys)
    desk.clock.advance(HOUR - MARGIN - timedelta(seconds=1))
    assert await keeper.token(PROFILE, desk.keys) == "access-1"
    desk.clock.advance(timedelta(seconds=1))
    assert await keeper.token(PROFILE, desk.keys) == "access-2"


async def test_a_token_that_the_provider_refuses_is_replaced_once(desk: Desk) -> None:
    keeper = desk.keeper()
    dead = await keeper.token(PROFILE, desk.keys)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(keeper.token(PROFILE, desk.keys, refused=dead)) for _ in range(20)
        ]
    assert {task.result() for task in tasks} == {"access-2"}
    assert await keeper.token(PROFILE, desk.keys) == "access-2"  # the refused one is forgotten
    assert desk.server.refreshes == 2


async def test_a_token_is_of_the_credentials_that_brought_it(desk: Desk) -> None:
    """I12: who is connected anew is asked for with the new grant's token, at once."""
    keeper = desk.keeper()
    await keeper.token(PROFILE, desk.keys)
    relinked = replace(PROFILE, generation=PROFILE.generation + 1)
    anew = FakeKeys(**{REFRESH_TOKEN: desk.server.refresh_token})
    assert await keeper.token(relinked, anew) == "access-2"
    assert await keeper.token(relinked, anew) == "access-2"


async def test_the_new_refresh_token_is_durable_before_the_access_token_is_used(
    desk: Desk,
) -> None:
    class Full(FakeKeys):
        async def write(self, secrets: Mapping[str, Secret]) -> None:
            raise StaleStateError(f"connected anew before {len(secrets)} were written")

    with pytest.raises(StaleStateError):
        await desk.keeper().token(PROFILE, Full(**desk.keys.held))


async def test_an_answer_that_comes_in_pieces_is_read_whole(desk: Desk) -> None:
    desk.server.pieces = True
    assert await desk.keeper().token(PROFILE, desk.keys) == "access-1"
    assert desk.keys.held[REFRESH_TOKEN] == "refresh-1"


async def test_a_caller_that_leaves_meanwhile_loses_no_rotated_token(desk: Desk) -> None:
    """A poll is cancelled at shutdown, a write by its time limit (F22)."""
    desk.server.rotated = asyncio.Event()
    caller = asyncio.create_task(desk.keeper().token(PROFILE, desk.keys))
    await desk.server.rotated.wait()
    caller.cancel()
    desk.server.send.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert desk.keys.held[REFRESH_TOKEN] == desk.server.refresh_token
    assert await desk.keeper().token(PROFILE, desk.keys) == "access-1"


async def test_another_process_that_rotated_meanwhile_is_believed(desk: Desk) -> None:
    """F22: invalid_grant counts only for the token that is stored now."""
    desk.server.generation = 4

    class Rotated(FakeKeys):
        async def read(self, field: str) -> Secret | None:
            found = await super().read(field)
            if field == REFRESH_TOKEN:
                desk.server.revoked = False  # a lenient server: only the old token is refused
                self.held[REFRESH_TOKEN] = "refresh-4"
            return found

    assert await desk.keeper().token(PROFILE, Rotated(**desk.keys.held)) == "access-5"


async def test_a_grant_that_is_gone_is_told_with_its_reason(desk: Desk) -> None:
    desk.server.revoked = True
    with pytest.raises(RelinkRequiredError) as caught:
        await desk.keeper().token(PROFILE, desk.keys)
    assert caught.value.reason == "invalid_grant"
    with pytest.raises(MisconfiguredError):
        await desk.keeper().token(PROFILE, FakeKeys())


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"error":"invalid_grant","error_description":"gone"}', RelinkRequiredError),
        (400, '{"error":"interaction_required"}', RelinkRequiredError),
        (400, '{"error":"consent_required"}', RelinkRequiredError),
        (401, '{"error":"invalid_client"}', MisconfiguredError),
        (400, '{"error":"unauthorized_client"}', MisconfiguredError),
        (401, '{"error":"deleted_client"}', MisconfiguredError),
        (401, '{"error":"disabled_client"}', MisconfiguredError),
        (400, '{"error":"invalid_request"}', TransientError),
        (400, '{"error":"temporarily_unavailable"}', TransientError),
        (429, '{"error":"invalid_grant"}', TransientError),
        (500, '{"error":"invalid_grant"}', TransientError),
        (503, "", TransientError),
        (200, "<html>maintenance</html>", TransientError),
        (403, "<html>blocked</html>", TransientError),
        (302, "", TransientError),
        (200, "{}", TransientError),
        (200, '{"access_token":""}', SyncdError),
    ],
)
async def test_what_a_token_endpoint_says_is_classified(
    desk: Desk, status: int, body: str, error: type[SyncdError]
) -> None:
    """providers.md §3: only a dead grant is one, only a bad client alarms the operator (F23)."""
    desk.server.instead = Answer(status, body, {"Retry-After": "7", "Location": "/elsewhere"})
    with pytest.raises(error) as caught:
        await desk.keeper().token(PROFILE, desk.keys)
    if status in {429, 503}:
        assert isinstance(caught.value, TransientError)
        assert caught.value.retry_after == timedelta(seconds=7)
    desk.server.instead = None
    assert await desk.keeper().token(PROFILE, desk.keys) == "access-1"


async def test_an_unreachable_endpoint_passes_by_itself(desk: Desk) -> None:
    with pytest.raises(TransientError):
        await desk.keeper(token_url="http://127.0.0.1:9/token").token(PROFILE, desk.keys)  # noqa: S106
    assert ACCESS_TOKEN not in desk.keys.held
