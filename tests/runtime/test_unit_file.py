"""The unit file: understood by systemd, and as closed as reliability.md §9 wants it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd" / "syncd.service"
PLAIN = "[Service]\nType=notify\nExecStart=/usr/bin/env true\n"
MOST = "12"  # tenths of systemd's exposure level


@pytest.fixture(autouse=True)
def _systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("systemd-analyze is missing: install the package systemd")
        pytest.skip("systemd-analyze is missing: install the package systemd")


def analyze(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run(  # noqa: S603
        ["systemd-analyze", *arguments],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )
    return ran.returncode, ran.stdout + ran.stderr


def exposure(path: Path) -> tuple[int, str]:
    return analyze("security", "--offline=true", f"--threshold={MOST}", str(path))


def test_systemd_understands_the_unit() -> None:
    assert analyze("verify", str(UNIT)) == (0, "")


def test_the_exposure_is_at_most_1_2() -> None:
    code, told = exposure(UNIT)
    assert code == 0, told


def test_a_plain_unit_is_refused(tmp_path: Path) -> None:
    """The negative control."""
    plain = tmp_path / "plain.service"
    plain.write_text(PLAIN)
    code, _ = exposure(plain)
    assert code == 1


def test_an_unknown_directive_is_noticed(tmp_path: Path) -> None:
    """The negative control of ``verify``."""
    wrong = tmp_path / "wrong.service"
    wrong.write_text(UNIT.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    _, told = analyze("verify", str(wrong))
    assert "WatchdogSecs" in told


def test_what_only_an_operator_can_mend_is_not_tried_again() -> None:
    """Exit codes of usage, permission and configuration do not restart."""
    assert "RestartPreventExitStatus=2 77 78" in UNIT.read_text().splitlines()
