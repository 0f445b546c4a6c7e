"""Tokens in several processes, cut in two by kill -9, and left alone for months (I13, F22, F26)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.idle import Idle
from syncd.model.errors import RelinkRequiredError, TransientError
from syncd.model.ids import ProfileId
from syncd.model.profile import Proof, Reason, State
from syncd.ports.provider import Perishable
from syncd.ports.vault import FORMER_REFRESH_TOKEN, REFRESH_TOKEN, Secret
from syncd.providers.caldav.provider import CalDavProvider
from syncd.providers.google.provider import GoogleProvider
from syncd.providers.graph.provider import GraphProvider
from syncd.providers.oauth.endpoint import Client
from syncd.store import database
from tests.fakes.clock import FakeClock
from tests.providers.signed import Process, processes
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TokenServer
from tests.store.opening import NOON, postgres

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEALED = {REFRESH_TOKEN: "refresh-0"}


class KilledError(BaseException):
    """Stands for kill -9: nobody handles it, and nothing after it happens."""


def client(server: TokenServer) -> Client:
    return Client(client_id=CLIENT_ID, client_secret=Secret(CLIENT_SECRET), token_url=server.url)


@asynccontextmanager
async def alone(folder: Path, clock: FakeClock) -> AsyncIterator[tuple[TokenServer, Process]]:
    async with (
        TokenServer().running() as server,
        processes(1, folder, client(server), clock, **SEALED) as (one,),
    ):
        yield server, one


@pytest.mark.timeout(120)
async def test_two_processes_on_one_database_never_refresh_with_one_token() -> None:
    """F22: of two processes 13 ms apart one lost the family; ours wait for each other."""
    clock = FakeClock(NOON)
    async with (
        postgres() as address,
        TokenServer().running() as server,
        processes(2, address, client(server), clock, **SEALED) as both,
    ):
        for number in range(1, 21):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(both[at % 2].token()) for at in range(10)]
            assert {task.result() for task in tasks} == {f"access-{number}"}
            assert server.refreshes == number
            clock.advance(HOUR)
        assert not server.revoked
        refused = f"access-{server.generation}"
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.token(refused=refused)) for one in both * 5]
        assert {task.result() for task in tasks} == {"access-21"}


async def test_what_another_process_holds_too_long_passes_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No refresh without the right to it, and no disconnection for want of it."""
    monkeypatch.setattr(database, "LONGEST_ALONE_MS", 50)
    async with (
        postgres() as address,
        TokenServer().running() as server,
        processes(2, address, client(server), FakeClock(NOON), **SEALED) as (one, other),
    ):
        async with one.store.alone(one.profile.id):
            with pytest.raises(TransientError):
                await other.token()
            async with other.store.alone(ProfileId(99)):  # of another profile
                pass
        assert server.refreshes == 0
        assert await other.token() == "access-1"


async def test_a_refresh_locks_no_row_while_it_waits_for_the_provider() -> None:
    """A poll's note, and a relink, are written meanwhile."""
    async with (
        postgres() as address,
        TokenServer().running() as server,
        processes(1, address, client(server), FakeClock(NOON), **SEALED) as (one,),
    ):
        server.rotated = asyncio.Event()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            asked = group.create_task(one.token())
            await server.rotated.wait()
            profile = await one.store.profile(one.profile.id)
            await one.store.save_profile(replace(profile, name="Ada"))
            server.send.set()
        assert asked.result() == "access-1"


def killed_at_write(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process die between the provider's answer and its own commit."""

    async def die(*_: object, **__: object) -> None:
        raise KilledError

    monkeypatch.setattr(one.store, "reseal", die)


async def test_killed_between_answer_and_commit_a_lenient_server_takes_the_old_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F22, MG15: over and over, and nobody is disconnected."""
    clock = FakeClock(NOON)
    async with alone(tmp_path, clock) as (server, one):
        server.lenient = True
        for _ in range(50):
            with monkeypatch.context() as dying:
                killed_at_write(one, dying)
                with pytest.raises(KilledError):
                    await one.token()
            profile = await one.poll()
            assert (profile.state_reason, profile.failures) == (None, 0)
            assert (await one.sealed())[REFRESH_TOKEN] == server.refresh_token
            clock.advance(HOUR)


async def test_killed_between_answer_and_commit_a_strict_server_ends_in_one_disconnection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F22: with its reason, once, and nothing is asked for any more."""
    clock = FakeClock(NOON)
    async with alone(tmp_path, clock) as (server, one):
        with monkeypatch.context() as dying:
            killed_at_write(one, dying)
            with pytest.raises(KilledError):
                await one.token()
        first = await one.poll()
        assert (first.state, first.proof and first.proof.count) == (State.CONNECTED, 1)
        clock.advance(timedelta(seconds=61))
        dead = await one.poll()
        assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.INVALID_GRANT)
        assert server.revoked
        assert not await one.store.due(clock.now() + DAY, limit=5)
        stream = await one.store.stream(one.profile.id)
        assert stream.head == 1


async def test_the_generation_before_is_tried_when_the_newest_is_refused_again(
    tmp_path: Path,
) -> None:
    """MG15: a server that forgot its own rotation still knows the token before it."""
    clock = FakeClock(NOON)
    async with alone(tmp_path, clock) as (server, one):
        server.lenient = True
        await one.token()
        assert (await one.sealed())[FORMER_REFRESH_TOKEN] == "refresh-0"
        server.generation = 0
        clock.advance(HOUR)
        asked = server.asked
        first = await one.poll()
        assert first.proof is not None
        assert server.asked == asked + 1  # a stumble costs no old token (F23)
        clock.advance(timedelta(seconds=61))
        healed = await one.poll()
        assert (healed.proof, healed.refused) == (None, None)
        kept = await one.sealed()
        assert (kept[REFRESH_TOKEN], kept[FORMER_REFRESH_TOKEN]) == ("refresh-1", "refresh-0")


async def test_without_a_generation_before_the_proof_stands(tmp_path: Path) -> None:
    async with alone(tmp_path, FakeClock(NOON)) as (server, one):
        server.revoked = True
        proof = Proof(reason=Reason.INVALID_GRANT, count=1, first_at=NOON, last_at=NOON)
        await one.store.save_profile(replace(one.profile, proof=proof))
        with pytest.raises(RelinkRequiredError) as caught:
            await one.token()
        assert caught.value.reason == "invalid_grant"
        assert server.asked == 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize("lifetime", [3600, 7 * 86400])
async def test_a_paused_profile_is_refreshed_at_least_once_a_day(
    lifetime: int, tmp_path: Path
) -> None:
    """F26, G11: 200 days of doing nothing, whatever an access token says it lasts."""
    clock = FakeClock(NOON)
    async with alone(tmp_path, clock) as (server, one):
        server.lifetime = lifetime
        await one.store.save_profile(replace(one.profile, paused=True, polled_at=NOON))
        idle = Idle(one.store, one.opener, clock)
        begun, last = server.refreshes, clock.now()
        for _ in range(200 * 24 if lifetime > 86400 else 48):
            clock.advance(HOUR)
            await idle.keep_alive()
            if server.refreshes > begun:
                begun, last = server.refreshes, clock.now()
            assert clock.now() - last < DAY
        assert not server.revoked


def test_the_providers_with_grants_are_those_that_are_kept_alive() -> None:
    assert issubclass(GoogleProvider, Perishable)
    assert issubclass(GraphProvider, Perishable)
    assert not issubclass(CalDavProvider, Perishable)


async def test_a_profile_that_is_polled_or_dead_is_left_alone(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    async with alone(tmp_path, clock) as (server, one):
        idle = Idle(one.store, one.opener, clock)
        polled = await one.poll()
        clock.advance(HOUR)
        await idle.keep_alive()
        assert server.refreshes == 1
        await one.store.save_profile(replace(polled, refused=Reason.INVALID_GRANT))
        clock.advance(3 * DAY)
        await idle.keep_alive()
        assert server.refreshes == 1


async def test_a_grant_that_died_of_disuse_shows_when_the_profile_is_polled(
    tmp_path: Path,
) -> None:
    clock = FakeClock(NOON)
    async with alone(tmp_path, clock) as (server, one):
        server.revoked = True
        await one.store.save_profile(replace(one.profile, paused=True))
        await Idle(one.store, one.opener, clock).keep_alive()
        told: Mapping[str, str] = await one.sealed()
        assert told == SEALED
        assert (await one.store.profile(one.profile.id)).state is State.PAUSED
