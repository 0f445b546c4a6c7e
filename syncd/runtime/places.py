"""Where files lie: the configuration, the state, by platform and by systemd's word (design §7)."""

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_state_path

from syncd.model.errors import MisconfiguredError

SYSTEM_CONFIG = Path("/etc/syncd/syncd.toml")
SYSTEM_STATE = Path("/var/lib/syncd")


def environment(name: str) -> str | None:
    """Return a variable that is not a setting: what systemd tells its units."""
    return os.environ.get(name) or None  # noqa: TID251 - here the settings come from


def config_file(given: Path | None) -> Path | None:
    """Return the file to read: the one given, else the system's, else the user's own, else None.

    Raises MisconfiguredError if the one given is not there.
    """
    if given is not None:
        if not given.is_file():
            raise MisconfiguredError(f"{given}: there is no such file; `syncd init` writes one")
        return given
    candidates = (SYSTEM_CONFIG, user_config_path("syncd") / "syncd.toml")
    return next((path for path in candidates if readable(path)), None)


def readable(path: Path) -> bool:
    """Tell whether there is a file; one that may not be looked for is none of ours."""
    try:
        return path.is_file()
    except OSError:
        return False


def new_config_file() -> Path:
    """Return where ``syncd init`` writes the configuration."""
    return SYSTEM_CONFIG if os.geteuid() == 0 else user_config_path("syncd") / "syncd.toml"


def parse_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises MisconfiguredError with file and place of what is wrong."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise MisconfiguredError(f"{path}: this is not TOML: {error}; mend that line") from None
    except UnicodeDecodeError:
        raise MisconfiguredError(f"{path}: this is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise MisconfiguredError(f"{path}: {reason}; run as a user who may read it") from None


def state_directory(given: Path | None) -> Path:
    """Return where the database and the admin socket lie; made by whoever opens them.

    ``SYNCD_STATE_DIR`` wins, then systemd's ``$STATE_DIRECTORY``, then the file, then the
    system's directory for root and the platform's for anybody else.
    """
    if wanted := environment("SYNCD_STATE_DIR"):
        return Path(wanted).absolute()
    if told := environment("STATE_DIRECTORY"):
        return Path(told.split(":", maxsplit=1)[0])
    if given is not None:
        return given.absolute()
    return SYSTEM_STATE if os.geteuid() == 0 else user_state_path("syncd")


def shipped(*parts: str) -> str:
    """Return the text of a file that comes with syncd: of the source tree, else as installed."""
    roots = (Path(__file__).parents[2], Path(sys.prefix) / "share" / "syncd")
    for root in roots:
        if readable(root.joinpath(*parts)):
            return root.joinpath(*parts).read_text("utf-8")
    raise MisconfiguredError(f"{'/'.join(parts)} is missing: install syncd again")
