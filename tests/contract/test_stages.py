"""Every provider is on stage, and a stage lacks what its provider does not declare."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest

from syncd.model.abilities import Abilities
from syncd.providers.registry import KINDS
from tests.contract import test_powers, test_provider
from tests.contract.matrix import (
    FAILED,
    MODULES,
    NOT_RUN,
    OK,
    SCENARIOS,
    cells,
    complete,
    table,
)
from tests.contract.outcomes import SUITE
from tests.contract.rig import rigged
from tests.contract.scenarios import lacking, single
from tests.contract.stage import KeepsContacts, Lack, ShowsRooms, Stage
from tests.contract.stages import STAGES
from tests.contract.stages.google import GoogleStage
from tests.servers.google_truth import CalendarTruth

ABILITIES = {kind.name: kind.abilities for kind in KINDS}


def declared(lack: Lack, able: Abilities) -> bool | None:
    """Tell whether what a provider declares has this lack; None if it does not speak of it."""
    told = {
        Lack.CONTACTS: not able.contacts,
        Lack.ROOMS: not able.rooms,
        Lack.ROOM_CALENDARS: not able.room_calendars,
        Lack.BROKEN_BODIES: not able.icalendar,
    }
    return told.get(lack)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_provider_of_the_registry_is_on_stage(kind: object) -> None:
    assert getattr(kind, "name", "") in {stage.provider for stage in STAGES}


def test_every_stage_has_a_name_of_its_own_and_a_provider_of_the_registry() -> None:
    assert len({stage.name for stage in STAGES}) == len(STAGES)
    assert {stage.provider for stage in STAGES} <= ABILITIES.keys()


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
@pytest.mark.parametrize("lack", Lack)
def test_a_stage_lacks_what_its_provider_does_not_declare(stage: type[Stage], lack: Lack) -> None:
    able = declared(lack, ABILITIES[stage.provider])
    assert able is None or able == (lack in stage.lacks)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_can_do_what_it_does_not_lack(stage: type[Stage], tmp_path: Path) -> None:
    assert hasattr(stage, "put_broken") or Lack.BROKEN_BODIES in stage.lacks
    assert isinstance(stage(tmp_path), KeepsContacts) or Lack.CONTACTS in stage.lacks
    assert isinstance(stage(tmp_path), ShowsRooms) or Lack.ROOM_CALENDARS in stage.lacks


def test_each_lack_is_the_reason_of_a_scenario_or_of_a_difference_in_one() -> None:
    asked = {lack for scenario in SCENARIOS for lack in getattr(scenario, "needs", ())}
    expected = {Lack.REFUSED_TOKENS, Lack.ROOMS}  # these change what is expected
    assert asked | expected == set(Lack)


@pytest.mark.parametrize("module", [test_provider, test_powers], ids=lambda one: one.__name__)
def test_all_scenarios_of_the_suite_run_over_all_stages(module: ModuleType) -> None:
    """So that the matrix has no empty cell."""
    tests = {name: one for name, one in vars(module).items() if name.startswith("test_")}
    assert tests
    for scenario in tests.values():
        assert "rig" in inspect.signature(scenario).parameters
        assert scenario in SCENARIOS


def test_the_matrix_prints_a_reason_or_an_outcome_in_every_cell() -> None:
    """Negative control: a scenario that did not run is an empty cell, and the run fails."""
    some = next(one for one in STAGES if any(lacking(told, one) for told in SCENARIOS))
    told = cells({})
    assert {row[some.name] for row in told.values()} == {NOT_RUN, *_reasons(some)}
    assert not complete(told)
    assert "lacks 1" in table(told)
    node = "tests/contract/test_x.py::test_days_become_times[{}]"
    ended = {node.format(stage.name): True for stage in STAGES}
    assert set(cells(ended)["test_days_become_times"].values()) == {OK}
    ended[node.format(f"{some.name}-again")] = False
    assert cells(ended)["test_days_become_times"][some.name] == FAILED


def _reasons(stage: type[Stage]) -> set[str]:
    return {"; ".join(found) for one in SCENARIOS if (found := lacking(one, stage))}


def test_the_printed_suite_is_the_whole_suite() -> None:
    assert tuple(module.__name__.rpartition(".")[2] for module in MODULES) == SUITE


async def test_a_change_that_a_feed_forgets_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the comparison that every scenario ends with."""
    stage = GoogleStage(tmp_path)
    await stage.start()
    async with rigged(stage, tmp_path) as rig:
        await rig.connect()
        await rig.poll()
        await rig.agree()
        monkeypatch.setattr(CalendarTruth, "since", lambda *_: [])
        await stage.put("Work", "a", single("Forgotten"))
        assert (await rig.poll()).error is None
        with pytest.raises(AssertionError, match="only held"):
            await rig.agree()
    await stage.stop()
