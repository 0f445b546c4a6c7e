"""The documents say what is so: invariants name tests that exist, the error tree is whole."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest

from syncd.model import errors

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
INVARIANTS = re.compile(r"^- \*\*(I\d+)\*\*.*?(?=^- \*\*I|^##)", re.DOTALL | re.MULTILINE)
TESTS = re.compile(r"`(test_\w+)`")


def invariants() -> dict[str, str]:
    text = (DOCS / "architecture.md").read_text()
    return {found[1]: found[0] for found in INVARIANTS.finditer(text)}


def known_tests() -> set[str]:
    found = set[str]()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= {path.stem, *re.findall(r"def (test_\w+)", path.read_text())}
    return found


@pytest.mark.parametrize("name", [f"I{number}" for number in range(1, 17)])
def test_each_invariant_names_tests_that_hold_it(name: str) -> None:
    named = set(TESTS.findall(invariants()[name]))
    assert named
    assert named <= known_tests()


def test_the_tests_that_documents_name_exist() -> None:
    for path in DOCS.rglob("*.md"):
        assert set(TESTS.findall(path.read_text())) <= known_tests(), path.name


def test_each_error_stands_in_the_tree_under_its_parent() -> None:
    tree = inspect.getdoc(errors) or ""
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.SyncdError):
            assert name in tree
            assert name.endswith("Error")


def test_architecture_stays_a_map() -> None:
    assert len((DOCS / "architecture.md").read_text().splitlines()) <= 200


@pytest.mark.parametrize("path", sorted((DOCS / "adr").glob("*.md")), ids=lambda path: path.stem)
def test_a_decision_is_short_and_numbered(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert len(text.splitlines()) <= 40
    assert all(f"## {part}" in text for part in ("Context", "Decision", "Consequences"))


def test_readme_installs_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = re.findall(r"'\.\[([a-z,]+)\]'", (ROOT / "README.md").read_text())
    assert len(asked) >= 2
    for extras in asked:
        assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_the_lock_file_knows_what_is_asked_for() -> None:
    """``uv lock`` writes it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    asked = {_name(one) for group in groups for one in group}
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (ours,) = (one for one in locked if one["name"] == project["name"])
    assert {one["name"] for one in ours["metadata"]["requires-dist"]} == asked
    assert asked <= {one["name"] for one in locked}


def _name(requirement: str) -> str:
    found = re.match(r"[\w-]+", requirement)
    assert found is not None
    return found[0]


def test_links_between_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(((?!http)[^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
