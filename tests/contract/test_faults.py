"""Networks and servers at their worst, over every stage (F1, F3, F10, F23; P1, I7, I11).

While a fault is on, the person goes on editing. When it has ended, the snapshot is the provider's
within three polls, and on the way nothing was told as deleted that is there, and nobody was
disconnected.
"""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from syncd.model.profile import State
from syncd.providers.google import wire
from tests.contract.rig import Json, Rig, differences, rigged
from tests.contract.scenarios import dice, moved, single, slot, weekly
from tests.contract.stage import Stage
from tests.contract.stages import STAGES
from tests.contract.stages.google import GoogleStage
from tests.contract.stages.words import WORDS
from tests.servers import chaos_faults as faults
from tests.servers.chaos import Chaos
from tests.servers.chaos_faults import Kinds

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
pytestmark = pytest.mark.timeout(3600 if NIGHTLY else 180)
SEEDS = 20 if NIGHTLY else 2
ROUNDS = (1, 2)  # of edits and a poll while the fault is on, more if it meets nothing
MOST_ROUNDS = 6
POLLS = 3  # after it ended
GROUPS: dict[str, Kinds] = {
    "connections": faults.CONNECTIONS,
    "bodies": faults.BODIES,
    "refusals": faults.REFUSALS,
    "statuses": faults.STATUSES,
    "pages": faults.PAGES,
}


@dataclass
class Device:
    """A person who edits a calendar; names say what a thing is and which version of it.

    ``living`` names what is there: single events and series by their key, exceptions by key and
    week.
    """

    stage: Stage
    dice: Random
    living: set[str] = field(default_factory=set)
    written: int = 0

    async def begin(self) -> None:
        for _ in range(4):
            await self._add()
        await self._add_series()

    async def edit(self) -> None:
        """Do something that people do, at most three times."""
        for _ in range(self.dice.randint(1, 3)):
            acts = [self._add, self._change, self._change, self._remove, self._add_series]
            await self.dice.choice([*acts, self._except, self._except, self._drop])()

    async def _add(self) -> None:
        if len(self._of("e")) < 8:
            await self._put(self._new("e"))

    async def _change(self) -> None:
        await self._put(self.dice.choice(self._of("e")))

    async def _remove(self) -> None:
        if len(self._of("e")) > 3:
            await self._gone(self.dice.choice(self._of("e")))

    async def _add_series(self) -> None:
        if len(self._of("s")) >= 2:
            await self._gone(self._of("s")[0])
        key = self._new("s")
        await self.stage.put("Work", key, weekly(self._version(key)))
        self.living.add(key)

    async def _except(self) -> None:
        key, week = self.dice.choice(self._of("s")), self.dice.randint(1, 3)
        if f"{key}/{week}-gone" in self.living:
            return
        name = f"{key}/{week}"
        await self.stage.put_exception(
            "Work", key, slot(week), moved(week, self.dice.randint(11, 20), self._version(name))
        )
        self.living.add(name)

    async def _drop(self) -> None:
        key, week = self.dice.choice(self._of("s")), self.dice.randint(4, 6)
        if self.dice.random() < 0.5:
            week = self.dice.randint(1, 3)
        if f"{key}/{week}-gone" not in self.living:
            await self.stage.drop_occurrence("Work", key, slot(week))
            self.living.discard(f"{key}/{week}")
            self.living.add(f"{key}/{week}-gone")

    async def _put(self, key: str) -> None:
        day, hour = self.dice.randint(1, 28), self.dice.randint(8, 18)
        await self.stage.put("Work", key, single(self._version(key), day=day, hour=hour))
        self.living.add(key)

    async def _gone(self, key: str) -> None:
        await self.stage.remove("Work", key)
        self.living = {one for one in self.living if one.partition("/")[0] != key}

    def _of(self, kind: str) -> Sequence[str]:
        return sorted(one for one in self.living if one.startswith(kind) and "/" not in one)

    def _new(self, kind: str) -> str:
        self.written += 1
        return f"{kind}{self.written:05}"

    def _version(self, thing: str) -> str:
        self.written += 1
        return f"{thing} v{self.written}"


@dataclass
class Storm:
    """A profile whose provider is reached through ``chaos`` only; ``case`` is what rages."""

    rig: Rig[Stage]
    chaos: Chaos
    device: Device
    case: str = ""

    async def suffer(self, kinds: Kinds, kind: str, seed: int) -> None:
        """Let a fault rage and end; raises AssertionError, with kind and seed, for a false word."""
        self.case = f"{kind}-{seed}"
        thrown = self.device.dice = dice(self.case)
        words, share = WORDS[self.rig.stage.provider], thrown.choice((0.35, 0.7, 1.0))
        self.chaos.begin(
            kinds[kind](words, thrown), lambda _: not self.chaos.met or thrown.random() < share
        )
        least = thrown.choice(ROUNDS)
        for done in range(MOST_ROUNDS):
            if done >= least and self.chaos.met:
                break
            await self.device.edit()
            await self.poll()
        if not self.chaos.met:
            raise RuntimeError(f"{kind} met no request")
        await self.device.edit()
        self.chaos.end()
        held = await self.rig.truth()
        for _ in range(POLLS):
            await self.poll()
            if self.rig.replay.neutral() == held:
                break
        told = self.rig.replay.neutral()
        assert told == held, (self.case, differences(told, held))
        assert (await self.rig.profile()).state is State.CONNECTED, self.case

    async def suffer_long(self, kinds: Kinds, kind: str, seeds: int = 20) -> None:
        """Let a fault rage again and again."""
        for seed in range(seeds):
            await self.suffer(kinds, kind, seed)

    async def poll(self) -> None:
        """Poll when the profile is due, and no calendar of it waits (F39); judge what it told."""
        now = self.rig.clock.now()
        profile = await self.rig.profile()
        waits = [one.retry_at for one in await self.rig.store.calendars(profile.id)]
        due = [at for at in (profile.next_poll_at, *waits) if at is not None]
        self.rig.clock.advance(max([*due, now + timedelta(minutes=1)]) - now)
        await self.rig.poll(pause=timedelta())
        self.judge(await self.rig.news())

    def judge(self, news: Sequence[Json]) -> None:
        """Nothing is told as deleted that is there; nobody was disconnected."""
        for record in news:
            told = record["metadata"]
            if record["type"] == "delete":
                assert told["type"] == "event", (self.case, told)
                thing = told["name"].partition(" ")[0]
                assert thing not in self.device.living, (self.case, told)
            assert told["type"] != "account" or told["state"] == "connected", (self.case, told)


@pytest.fixture(params=STAGES, ids=lambda stage: stage.name)
async def storm(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storm]:
    stage: Stage = request.param(tmp_path / "stage")
    await stage.start()
    (tmp_path / "store").mkdir()
    device = Device(stage, dice(stage.name))
    await device.begin()
    try:
        async with Chaos.running() as chaos:
            addresses = [one for told in stage.settings.values() for one in told.values()]
            await chaos.cover([stage.login().url, *addresses])
            async with rigged(stage, tmp_path / "store", seen=chaos.seen) as rig:
                await rig.connect()
                assert (await rig.poll()).error is None
                await rig.agree()
                yield Storm(rig, chaos, device)
    finally:
        await stage.stop()


@pytest.mark.parametrize("group", GROUPS)
async def test_whatever_happened_the_truth_is_told_within_three_polls(
    storm: Storm, group: str
) -> None:
    kinds = GROUPS[group]
    for kind in kinds:
        await storm.suffer_long(kinds, kind, SEEDS)
    states = await storm.rig.account_states()
    assert "disconnected" not in states


def test_there_are_twenty_kinds_of_fault_and_more() -> None:
    assert sum(map(len, GROUPS.values())) == len(
        {one for kinds in GROUPS.values() for one in kinds}
    )
    assert sum(map(len, GROUPS.values())) >= 20


async def test_a_page_that_lies_about_its_end_is_noticed(storm: Storm) -> None:
    """The negative control: what no client can notice, this suite must."""
    with pytest.raises(AssertionError):
        await storm.suffer_long(faults.LIES, "entries missing")


@pytest.mark.parametrize("storm", [GoogleStage], indirect=True, ids=["google"])
async def test_an_adapter_that_takes_a_cut_page_for_whole_is_noticed(
    storm: Storm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one: without G1's check there would be false deletes."""
    real = wire.state_text
    monkeypatch.setattr(wire, "state_text", lambda sync: real(sync or "made up"))
    with pytest.raises(AssertionError):
        await storm.suffer_long(faults.PAGES, "entries missing, and the end")
