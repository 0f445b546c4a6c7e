"""Runs the suite over every stage, prints scenario by stage, and fails if a cell is empty."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.contract.outcomes import SUITE, Outcomes

outcomes = Outcomes()
files = [str(Path(__file__).with_name(f"{name}.py")) for name in SUITE]
status = pytest.main(["-q", *sys.argv[1:], *files], plugins=[outcomes])
matrix = import_module("tests.contract.matrix")  # not before: pytest rewrites what it imports
told = matrix.cells(outcomes.ended)
sys.stdout.write(f"\n{matrix.table(told)}\n")
sys.exit(int(status) or (not matrix.complete(told)))
