"""Scenario by stage: how each played, or why it could not (``python -m tests.contract``)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

from tests.contract import test_faults, test_outages, test_powers, test_provider
from tests.contract.scenarios import lacking
from tests.contract.stages import STAGES

MODULES: tuple[ModuleType, ...] = (test_provider, test_powers, test_outages, test_faults)
ON_STAGE = frozenset({"rig", "weather", "storm"})  # fixtures over all stages
OK, FAILED, NOT_RUN = "ok", "FAILED", "NOT RUN"
_NODE = re.compile(r"::(?P<scenario>test_\w+)\[(?P<parts>.+)\]$")
Cells = Mapping[str, Mapping[str, str]]  # scenario → stage → what is printed


def _scenarios(module: ModuleType) -> Iterator[object]:
    for name, scenario in vars(module).items():
        marks = getattr(scenario, "pytestmark", ())
        chosen = any(ON_STAGE & set(mark.args[:1]) for mark in marks)  # by hand: a stage's own
        if name.startswith("test_") and ON_STAGE & scenario.__annotations__.keys() and not chosen:
            yield scenario


SCENARIOS: tuple[object, ...] = tuple(
    scenario for module in MODULES for scenario in _scenarios(module)
)


def cells(ended: Mapping[str, bool]) -> Cells:
    """Return what each cell says; a scenario with further parameters is one row."""
    return {
        name: {
            stage.name: "; ".join(lacking(scenario, stage)) or _word(ended, name, stage.name)
            for stage in STAGES
        }
        for name, scenario in ((str(getattr(one, "__name__", "")), one) for one in SCENARIOS)
    }


def complete(told: Cells) -> bool:
    """Tell whether everything that could be played was, and well."""
    return not {FAILED, NOT_RUN} & {one for row in told.values() for one in row.values()}


def table(told: Cells) -> str:
    """Return the matrix as Markdown; what a stage lacks is a number with a note below."""
    names = [stage.name for stage in STAGES]
    notes = dict[str, int]()
    rows = [f"| scenario | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for scenario, row in told.items():
        short = (
            one
            if one in {OK, FAILED, NOT_RUN}
            else f"lacks {notes.setdefault(one, len(notes) + 1)}"
            for one in row.values()
        )
        words = scenario.removeprefix("test_").replace("_", " ")
        rows.append(f"| {words} | {' | '.join(short)} |")
    return "\n".join([*rows, "", *(f"{number}. {note}" for note, number in notes.items())])


def _word(ended: Mapping[str, bool], scenario: str, stage: str) -> str:
    told = [good for node, good in ended.items() if _is(node, scenario, stage)]
    return NOT_RUN if not told else OK if all(told) else FAILED


def _is(node: str, scenario: str, stage: str) -> bool:
    found = _NODE.search(node)
    return found is not None and found["scenario"] == scenario and stage in _parts(found["parts"])


def _parts(text: str) -> Iterable[str]:
    return text.split("-")
