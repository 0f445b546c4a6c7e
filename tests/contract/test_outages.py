"""Days of outage disconnect nobody, a dead sign-in is noticed within half an hour (F23, F24, F26).

Polls come when the schedule says; the clock is simulated.
"""

import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from socket import EAI_AGAIN, gaierror

import pytest
from aiohttp import ClientConnectorDNSError, TCPConnector

from syncd.engine.poll import Polled
from syncd.model.profile import State
from tests.contract.rig import Rig, rigged
from tests.contract.scenarios import dice, single
from tests.contract.serving import served
from tests.contract.stage import Stage
from tests.contract.stages import STAGES
from tests.contract.stages.google import GoogleStage
from tests.contract.stages.words import WORDS
from tests.servers.chaos import Chaos
from tests.servers.chaos_faults import BODIES, CONNECTIONS, REFUSALS, STATUSES
from tests.servers.google import Fault

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
pytestmark = pytest.mark.timeout(1200 if NIGHTLY else 180)
OUTAGE = timedelta(days=3) if NIGHTLY else timedelta(hours=12)
KINDS = {
    **{name: CONNECTIONS[name] for name in ("reset before it arrives",)},
    **{name: BODIES[name] for name in ("sign-in page",)},
    **{name: REFUSALS[name] for name in ("429 without a time", "limit in the provider's words")},
    **{name: STATUSES[name] for name in ("500", "404")},
}
NO_NAMES = "no host name resolves"
LONGEST = timedelta(minutes=30)


class Unplugged(TCPConnector):
    """A way out on which names resolve to nothing while ``cut``."""

    cut = False

    async def _create_connection(self, req, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202
        if self.cut:
            lost = gaierror(EAI_AGAIN, "Temporary failure in name resolution")
            raise ClientConnectorDNSError(req.connection_key, lost)
        return await super()._create_connection(req, *rest)


@dataclass
class Weather:
    """A profile whose provider is behind a proxy, and whose network can be cut."""

    rig: Rig[Stage]
    chaos: Chaos
    network: list[Unplugged]

    async def poll(self) -> Polled:
        """Poll when the schedule says."""
        due = (await self.rig.profile()).next_poll_at
        assert due is not None
        return await self.rig.poll(pause=max(due - self.rig.clock.now(), timedelta()))

    async def last(self, span: timedelta, *, wrong: bool) -> int:
        """Poll for so long; return how often. ``wrong``: each poll fails, as the profile tells."""
        polls, end = 0, self.rig.clock.now() + span
        while self.rig.clock.now() < end:
            polled = await self.poll()
            assert (polled.error is not None) == wrong, polled
            assert (await self.rig.profile()).state is State.CONNECTED
            polls += 1
        return polls


@pytest.fixture(params=STAGES, ids=lambda stage: stage.name)
async def weather(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Weather]:
    stage: Stage = request.param(tmp_path / "stage")
    await stage.start()
    (tmp_path / "store").mkdir()
    await stage.put("Work", "a", single("First"))
    network = list[Unplugged]()

    def connector() -> TCPConnector:
        network.append(Unplugged(force_close=True))
        return network[-1]

    try:
        async with Chaos.running() as chaos:
            addresses = [one for told in stage.settings.values() for one in told.values()]
            await chaos.cover([stage.login().url, *addresses])
            place = tmp_path / "store"
            async with rigged(stage, place, seen=chaos.seen, connector=connector, draw=0.99) as rig:
                await rig.connect()
                assert (await rig.poll()).error is None
                await rig.agree()
                yield Weather(rig, chaos, network)
    finally:
        await stage.stop()


async def test_days_of_outage_disconnect_nobody_and_lose_nothing(weather: Weather) -> None:
    """I11, F23: and nobody is polled more than the back-off allows (F39)."""
    rig = weather.rig
    for number, kind in enumerate([*KINDS, NO_NAMES]):
        await rig.stage.put("Work", f"during-{number}", single(kind))
        await _rage(weather, kind)
        await rig.poll(pause=timedelta(hours=7))  # when even a calendar on its own is due again
        await weather.last(timedelta(minutes=5), wrong=False)
        await rig.agree()
    assert await rig.account_states() == ["initial", "connected"]
    assert rig.replay.counts["delete"] == 0


async def _rage(weather: Weather, kind: str) -> None:
    if kind == NO_NAMES:
        with nameless(weather.network):
            polls = await weather.last(OUTAGE, wrong=True)
    else:
        words = WORDS[weather.rig.stage.provider]
        weather.chaos.begin(KINDS[kind](words, dice(kind)), lambda _: True)
        polls = await weather.last(OUTAGE, wrong=True)
        weather.chaos.end()
    shortest = timedelta(minutes=3 if kind in REFUSALS else 5)  # who throttles may name a time
    assert OUTAGE / timedelta(hours=2) <= polls <= OUTAGE / shortest, kind


@contextmanager
def nameless(network: Sequence[Unplugged]) -> Iterator[None]:
    """Let no name resolve, for aiohttp and for who asks the system."""

    def unknown(*_: object, **__: object) -> None:
        raise gaierror(EAI_AGAIN, "Temporary failure in name resolution")

    for one in network:
        one.cut = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", unknown)
        yield
    for one in network:
        one.cut = False


async def test_a_dead_sign_in_is_told_once_within_half_an_hour(weather: Weather) -> None:
    """I11, F24: with its reason, and the URL where the person mends it (N1)."""
    rig = weather.rig
    async with served(rig) as application:
        (listed,) = await application.profiles()
        assert (listed["profile_connected"], "profile_relink_url" in listed) == (True, False)
        rig.stage.refuse()
        begin = rig.clock.now()
        while (await rig.profile()).state is State.CONNECTED:
            await weather.poll()
            assert rig.clock.now() - begin <= LONGEST
        dead = await rig.profile()
        assert dead.state_reason is rig.refusal
        (told,) = [one for one in await rig.news() if one["metadata"]["type"] == "account"]
        assert told["changes"]["state"] == {"old": "connected", "new": "disconnected"}
        assert told["metadata"]["state_reason"] == dead.state_reason
        (listed,) = await application.profiles()
        assert not listed["profile_connected"]
        url = listed["profile_relink_url"]
        assert "/relink/" in url
        rig.clock.advance(timedelta(days=1))
        assert [one["profile_relink_url"] for one in await application.profiles()] == [url]
        assert await rig.news() == []
        rig.stage.accept()
        await rig.linking.relink(dead, rig.login())
        (listed,) = await application.profiles()
        assert (listed["profile_connected"], "profile_relink_url" in listed) == (True, False)
    states = ["initial", "connected", "disconnected", "connected"]
    assert await rig.account_states() == states
    await rig.step()


async def test_a_refusal_that_passes_disconnects_nobody(weather: Weather) -> None:
    """F23: now and then an answer says that the credentials are wrong, the next that they are not.

    Often enough that they would be proof if they were added up: three over 15 minutes (I11).
    """
    rig, words = weather.rig, WORDS[weather.rig.stage.provider]
    for _ in range(4):
        weather.chaos.begin(STATUSES["401 once"](words, dice("")), lambda _: True)
        await weather.poll()
        weather.chaos.end()
        await weather.last(timedelta(minutes=12), wrong=False)
    assert await rig.account_states() == ["initial", "connected"]
    assert (await rig.profile()).state is State.CONNECTED


@pytest.mark.parametrize("weather", [GoogleStage], indirect=True, ids=["google"])
async def test_a_missing_permission_at_google_disconnects_nobody(weather: Weather) -> None:
    """I11: the calendar says so, and is looked at again when its listing is due."""
    stage = weather.rig.stage
    assert isinstance(stage, GoogleStage)
    denied = Fault(403, reason="insufficientPermissions", part="/events", times=10**6)
    stage.server.faults.append(denied)
    await weather.rig.poll(30)
    assert (await weather.rig.profile()).state is State.CONNECTED
    stage.server.faults.remove(denied)
    await weather.rig.stage.put("Work", "b", single("Second"))
    await weather.rig.poll(pause=timedelta(days=2))
    assert (await weather.rig.drain())["add"] == 1
    await weather.rig.agree()


async def test_an_hour_down_costs_a_dozen_polls_at_most_f39(weather: Weather) -> None:
    """And the first poll after it finds everything."""
    rig = weather.rig
    rig.poller._draw = lambda: 0.5  # the average of the jitter
    await rig.stage.put("Work", "b", single("Meanwhile"))
    await rig.stage.stop()
    polls = await weather.last(timedelta(hours=1), wrong=True)
    assert polls <= 12
    await rig.stage.start()
    assert (await weather.poll()).error is None
    assert await rig.drain() == {"add": 1, "update": 0, "delete": 0}
    await rig.agree()


async def test_two_hundred_quiet_days_end_connected_f26(weather: Weather) -> None:
    """Access tokens end on the way, and whatever else lasts only for a while."""
    rig = weather.rig
    for _ in range(25):
        assert (await rig.poll(pause=timedelta(days=8))).error is None
    assert await rig.account_states() == ["initial", "connected"]
    await rig.stage.put("Work", "b", single("At last"))
    await rig.step(add=1)


@pytest.mark.parametrize("hours", [1, -1, 24, -24])
async def test_a_clock_that_jumps_loses_and_doubles_nothing_f27(
    weather: Weather, hours: int
) -> None:
    rig = weather.rig
    await rig.stage.put("Work", "b", single("Before"))
    rig.clock.jump(timedelta(hours=hours))
    await rig.step(add=1)
    await rig.stage.put("Work", "b", single("After"))
    await rig.stage.remove("Work", "a")
    await rig.step(update=1, delete=1)
    rig.clock.jump(timedelta(hours=-hours))
    await rig.step()
    assert (await rig.profile()).state is State.CONNECTED
