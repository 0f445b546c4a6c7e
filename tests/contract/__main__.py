"""Runs the suite over every stage, then prints scenario × stage; fails if a cell is empty."""

import sys
from pathlib import Path

import pytest

from tests.contract.matrix import MODULES, Matrix, table

matrix = Matrix()
files = [str(Path(str(module.__file__))) for module in MODULES]
status = pytest.main(["-q", *sys.argv[1:], *files], plugins=[matrix])
sys.stdout.write(f"\n{table(matrix.outcomes)}\n")
sys.exit(status or (not matrix.complete()))
