"""Scenario × stage: how each played, or why it could not; printed by ``python -m tests.contract``."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import ModuleType

import pytest

from tests.contract import test_faults, test_powers, test_provider
from tests.contract.scenarios import lacking
from tests.contract.stages import STAGES

MODULES: tuple[ModuleType, ...] = (test_provider, test_powers, test_faults)
NOT_RUN = "NOT RUN"
_NODE = re.compile(r"::(?P<scenario>test_\w+)\[(?P<parts>.+)\]$")
Outcomes = Mapping[tuple[str, str], str]  # by scenario and stage


def _scenarios(module: ModuleType) -> Iterator[tuple[str, object]]:
    short = module.__name__.rpartition(".")[2]
    for name, scenario in vars(module).items():
        if name.startswith("test_") and "rig" in scenario.__annotations__:
            yield short, scenario


SCENARIOS: tuple[tuple[str, object], ...] = tuple(
    told for module in MODULES for told in _scenarios(module)
)


def cells(outcomes: Outcomes) -> dict[str, dict[str, str]]:
    """Return scenario → stage → ``ok``, ``FAILED``, the lack's sentence, or that it did not run."""
    return {
        _name(scenario): {
            stage.name: "; ".join(lacking(scenario, stage))
            or outcomes.get((_name(scenario), stage.name), NOT_RUN)
            for stage in STAGES
        }
        for _, scenario in SCENARIOS
    }


def table(outcomes: Outcomes) -> str:
    """Return the matrix as Markdown; what a stage lacks is a number with a note below."""
    names = [stage.name for stage in STAGES]
    notes = dict[str, int]()
    rows = [f"| scenario | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for scenario, told in cells(outcomes).items():
        short = [
            one if one in {"ok", "FAILED", NOT_RUN} else f"— ({notes.setdefault(one, len(notes) + 1)})"
            for one in told.values()
        ]
        words = scenario.removeprefix("test_").replace("_", " ")
        rows.append(f"| {words} | {' | '.join(short)} |")
    return "\n".join([*rows, "", *(f"({number}) {note}" for note, number in notes.items())])


def _name(scenario: object) -> str:
    return str(getattr(scenario, "__name__", scenario))


class Matrix:
    """A pytest plugin that keeps outcomes; a scenario with several parameters is one row."""

    def __init__(self) -> None:
        self.outcomes = dict[tuple[str, str], str]()
        self._counts = defaultdict[str, int](int)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = _NODE.search(report.nodeid)
        if found is None or (report.passed and report.when != "call"):
            return
        for stage in {one.name for one in STAGES} & set(found["parts"].split("-")):
            key = found["scenario"], stage
            good = report.passed and self.outcomes.get(key, "ok") == "ok"
            self.outcomes[key] = "ok" if good else "FAILED"

    def complete(self) -> bool:
        """Tell whether everything that could be played was, and well."""
        told = [one for row in cells(self.outcomes).values() for one in row.values()]
        return not {"FAILED", NOT_RUN} & set(told)
