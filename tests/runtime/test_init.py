"""What ``syncd init`` writes for a whole machine: configuration, key ring, unit."""

from pathlib import Path

import pytest

from syncd.runtime import vault
from syncd.runtime.cli import init
from syncd.runtime.vault import open_ring, ring_file


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a machine's places below a folder of this test, and be root there."""
    (tmp_path / "units").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(init, "SYSTEM_CONFIG", tmp_path / "etc" / "syncd.toml")
    monkeypatch.setattr(init, "SYSTEM_RING", tmp_path / "etc" / "keys")
    monkeypatch.setattr(vault, "SYSTEM_RING", tmp_path / "etc" / "keys")
    monkeypatch.setattr(init, "UNIT", tmp_path / "units" / "syncd.service")
    monkeypatch.setattr("sys.argv", [str(tmp_path / "bin" / "syncd")])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "syncd").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "syncd").chmod(0o755)
    return tmp_path


def test_root_gets_configuration_ring_and_unit(machine: Path) -> None:
    written = init.write_files(machine / "etc" / "syncd.toml")
    assert written == {
        "config": str(machine / "etc" / "syncd.toml"),
        "key_ring": str(machine / "etc" / "keys"),
        "unit": str(machine / "units" / "syncd.service"),
    }
    unit = (machine / "units" / "syncd.service").read_text()
    assert f"ExecStart={machine}/bin/syncd run\n" in unit
    assert (machine / "etc").stat().st_mode & 0o777 == 0o755  # the daemon is another user
    assert (machine / "etc" / "keys").stat().st_mode & 0o777 == 0o600


def test_commands_of_root_use_the_ring_that_the_unit_hands_in(machine: Path) -> None:
    init.write_files(machine / "etc" / "syncd.toml")
    found = ring_file("", Path("/var/lib/syncd"))
    assert found == machine / "etc" / "keys"
    assert len(open_ring(found).names) == 1


def test_what_is_there_stays(machine: Path) -> None:
    init.write_files(machine / "etc" / "syncd.toml")
    files = [machine / "etc" / "syncd.toml", machine / "etc" / "keys"]
    files.append(machine / "units" / "syncd.service")
    before = [file.read_bytes() for file in files]
    init.write_files(machine / "etc" / "syncd.toml")
    assert [file.read_bytes() for file in files] == before


def test_a_configuration_elsewhere_needs_no_unit(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_STATE_DIR", str(machine / "state"))
    written = init.write_files(machine / "mine" / "syncd.toml")
    assert written["unit"] is None
    assert written["key_ring"] == str(machine / "state" / "syncd.keys")
