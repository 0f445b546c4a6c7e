"""``config/syncd.toml`` names every setting, with its default and a sentence."""

import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, SecretStr

from syncd.runtime.faults import keys
from syncd.runtime.settings import Settings

FILE = Path(__file__).parents[2] / "config" / "syncd.toml"
KEY = re.compile(r"# ([a-z_]+) =(.*)")


def entries(text: str) -> dict[str, tuple[str, str]]:
    """Return per dotted key what is written behind ``=``, and the comment above it."""
    found, section, comment = dict[str, tuple[str, str]](), "", ""
    for line in text.splitlines():
        if line.startswith("["):
            section, comment = line.strip("[]") + ".", ""
        elif match := KEY.fullmatch(line):
            found[section + match[1]] = (match[2].strip(), comment)
        elif line.startswith("#"):
            comment += line
        else:
            comment = ""
    return found


def default(key: str) -> object:
    found: object = Settings.model_validate({})
    for part in key.split("."):
        found = getattr(found, part)
    return found


def faults(text: str) -> list[str]:
    written, known = entries(text), set(keys(Settings))
    found = [f"{key} is not in the file" for key in known - written.keys()]
    found += [f"{key} is no setting" for key in written.keys() - known]
    for key in known & written.keys():
        value, comment = written[key]
        told = tomllib.loads(f"value = {value}")["value"] if value else None
        meant = default(key)
        meant = str(meant) if isinstance(meant, Path) else meant
        meant = meant.get_secret_value() if isinstance(meant, SecretStr) else meant
        meant = list(meant) if isinstance(meant, tuple) else meant
        if told != meant:
            found.append(f"{key} is {meant!r}, the file says {told!r}")
        if not comment and not key.startswith("poll.") and "." in key:
            found.append(f"{key} has no sentence")
    return sorted(found)


def test_every_setting_stands_in_the_file_with_its_default_and_a_sentence() -> None:
    assert faults(FILE.read_text()) == []


def test_a_missing_key_a_wrong_default_and_a_foreign_key_are_found() -> None:
    text = FILE.read_text().replace("# days = 30", "# days = 31\n# weeks = 4")
    text = text.replace("# burst = 5000\n", "")
    assert faults(text) == [
        "limits.burst is not in the file",
        "retention.days is 30, the file says 31",
        "retention.weeks is no setting",
    ]


def test_the_file_as_it_is_can_be_loaded() -> None:
    Settings.model_validate(tomllib.loads(FILE.read_text()))


def test_each_section_is_frozen_and_refuses_what_it_does_not_know() -> None:
    for field in Settings.model_fields.values():
        if isinstance(field.default, BaseModel):
            assert field.default.model_config["frozen"]
            assert field.default.model_config["extra"] == "forbid"
