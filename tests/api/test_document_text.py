"""``docs/api.md`` has a heading for each route, and none besides."""

import re
from pathlib import Path

from syncd.api.build import routes
from syncd.api.problems import STATUSES

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
HEADING = re.compile(r"^### `([A-Z]+) (\S+)`$", re.MULTILINE)


def test_routes_are_the_headings_of_the_document() -> None:
    headings = HEADING.findall(TEXT)
    assert len(headings) == len(set(headings))
    assert set(headings) == {(route.method, route.path) for route in routes()}


def test_each_route_that_needs_a_scope_names_it_in_its_section() -> None:
    for title, section in re.findall(
        r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE
    ):
        for method, path in HEADING.findall(section):
            (route,) = [one for one in routes() if (one.method, one.path) == (method, path)]
            assert route.scope is None or f"`{route.scope}`" in section, (title, path)


def test_each_code_of_an_error_is_explained() -> None:
    for _, code in STATUSES.values():
        assert code in {"upstream_forbidden", "other_person"} or f"`{code}`" in TEXT, code
