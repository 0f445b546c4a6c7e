"""The files that ``syncd init`` writes; what is there already stays as it is."""

import os
import sys
from pathlib import Path
from shutil import which

from syncd.model.errors import MisconfiguredError
from syncd.runtime import settings
from syncd.runtime.places import SYSTEM_CONFIG, SYSTEM_STATE, new_config_file, shipped
from syncd.runtime.vault import SYSTEM_RING, ring_file, write_ring

UNIT = Path("/etc/systemd/system/syncd.service")
_START = "ExecStart=/usr/bin/env syncd run"


def write_files(given: Path | None) -> dict[str, str | None]:
    """Write configuration and key ring, and as root the unit; return where each lies.

    Raises MisconfiguredError for a configuration that is there and wrong.
    """
    config = (given or new_config_file()).absolute()
    if not config.exists():
        _write(config, shipped("config", "syncd.toml"), 0o644)
    current = settings.load(config)
    system = os.geteuid() == 0 and config == SYSTEM_CONFIG
    ring = _ring(current, system=system)
    unit = _unit() if system else None
    return {
        "config": str(config),
        "key_ring": str(ring),
        "unit": None if unit is None else str(unit),
    }


def _ring(current: settings.Settings, *, system: bool) -> Path:
    """Make the ring where the daemon will look: under the unit, systemd hands it in."""
    ring = ring_file(current.vault.key_file, current.state_dir)
    handed_in = system and not current.vault.key_file and current.state_dir == SYSTEM_STATE
    if handed_in and not ring.exists():
        ring = SYSTEM_RING
    if not ring.exists():
        write_ring(ring)
    return ring


def _unit() -> Path | None:
    if not UNIT.parent.is_dir():
        return None
    if not UNIT.exists():
        program = which(sys.argv[0]) or which("syncd")
        if program is None:
            raise MisconfiguredError("syncd is not installed as a program: run `pip install syncd`")
        start = f"ExecStart={Path(program).absolute()} run"
        _write(UNIT, shipped("systemd", "syncd.service").replace(_START, start), 0o644)
    return UNIT


def _write(path: Path, text: str, mode: int) -> None:
    if not path.parent.exists():
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o755)  # the daemon is another user than who runs `syncd init`
    path.write_text(text, "utf-8")
    path.chmod(mode)
