"""The shape of the code: short files, honest names, no second configuration file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 400
BANNED = {"manager", "helper", "util", "utils", "common", "misc", "data", "info", "process"}
BANNED |= {"service", "handler"}
WIRE = {
    "service",
    "service_name",
    "provider_service",
    "service_documentation",
    "metadata",
    "extra_data",
}  # members of the dialects
FOREIGN_CONFIGURATION = ("setup.py", "setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", "ruff.toml")


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def words(name: str) -> set[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return set(spaced.lower().split("_"))


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case _:
                pass


def banned(path: Path) -> set[str]:
    allowed = {"handler"} if "api" in path.parts else set()
    found = {path.stem, *names(ast.parse(path.read_text()))} - WIRE
    return {name for name in found if words(name) & (BANNED - allowed)}


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources("syncd", "tests"), ids=place)
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", sources("syncd"), ids=place)
def test_names_say_what_a_thing_is(path: Path) -> None:
    assert banned(path) == set()


def test_a_banned_name_is_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("class EventManager:\n    def poll(self, user_data): ...\n")
    assert banned(planted) == {"EventManager", "user_data"}


def test_tools_are_configured_in_one_place() -> None:
    assert [name for name in FOREIGN_CONFIGURATION if (ROOT / name).exists()] == []
