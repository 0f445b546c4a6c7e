"""What is wrong with a configuration, in sentences that name file, key and remedy."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from syncd.model.errors import MisconfiguredError

PREFIX = "SYNCD_"
_DELIMITER = "__"
_NEAR = 0.6
_SECTION = 0.25  # of what its name counts
_OURS = {"tuple_type": "must be a list, in square brackets"}  # by pydantic's name of the fault


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield every key with its sections, dotted: ``poll.caldav.interval_seconds``."""
    for name, field in model.model_fields.items():
        inner = _section(field.annotation)
        if inner is None:
            yield prefix + name
        else:
            yield from keys(inner, f"{prefix}{name}.")


def unknown_variables(model: type[BaseModel]) -> Sequence[str]:
    """Return a sentence for each ``SYNCD_<SECTION>__<KEY>`` that names no section.

    And for each that is a key but for a single ``_``, which nothing would read. Keys that are
    unknown inside a section are found when the settings are validated.
    """
    single = {_variable(key).replace(_DELIMITER, "_"): key for key in keys(model) if "." in key}
    sections = {name.upper() for name in model.model_fields}
    return [
        f"{name}: there is no such setting; "
        f"{_remedy(model, single.get(name) or _dotted(name), variable=True)}"
        for name in sorted(os.environ)  # noqa: TID251 - here the settings come from
        if name in single
        or (
            name.startswith(PREFIX)
            and _DELIMITER in name
            and name.removeprefix(PREFIX).split(_DELIMITER)[0].upper() not in sections
        )
    ]


def explain(error: ValidationError, model: type[BaseModel], file: Path | None) -> str:
    """Return one line a fault."""
    return "\n".join(dict.fromkeys(_sentence(one, model, file) for one in error.errors()))


@contextmanager
def naming(file: Path | None) -> Iterator[None]:
    """Let what turns out to be wrong with a setting name its file or variable.

    Some things are known only when they are tried: whether an address is free, whether the
    database takes an option. Raises MisconfiguredError in the place of one that has a key.
    """
    try:
        yield
    except MisconfiguredError as error:
        if error.key is None:
            raise
        raise MisconfiguredError(f"{_origin(error.key, file)}: {error.why}") from error


def _origin(key: str, file: Path | None) -> str:
    """Return what to change: the variable if there is one, as it wins, else the file's key."""
    variable = _variable(key)
    return variable if _is_set(variable) else f"{file or 'settings'}: {key}"


def _is_set(variable: str) -> bool:
    return variable in os.environ  # noqa: TID251 - here the settings come from


def _sentence(fault: Mapping[str, Any], model: type[BaseModel], file: Path | None) -> str:
    loc = [part for part in fault["loc"] if isinstance(part, str)]
    key = _known_part(loc, model)
    origin = _origin(key, file)
    if fault["type"] == "extra_forbidden":
        remedy = _remedy(model, key, variable=_is_set(_variable(key)))
        return f"{origin}: there is no such setting; {remedy}"
    message = _OURS.get(fault["type"], str(fault["msg"]).removeprefix("Value error, "))
    told = str(fault["input"])
    secret = "@" in told or "password=" in told or key.endswith("secret")  # maybe a password
    given = "" if secret else f" (it is {fault['input']!r})"
    return f"{origin}: {message[:1].lower()}{message[1:]}{given}; {_fix(key)}"


def _known_part(loc: Sequence[str], model: type[BaseModel]) -> str:
    """Return the location as a key; what pydantic adds for the branches of a union falls off."""
    found, here = list[str](), model
    for part in loc:
        found.append(part)
        field = here.model_fields.get(part)
        inner = None if field is None else _section(field.annotation)
        if inner is None:
            break
        here = inner
    return ".".join(found)


def _remedy(model: type[BaseModel], key: str, *, variable: bool) -> str:
    near = _nearest(key, {part for known in keys(model) for part in _with_sections(known)})
    if near is None:
        return "remove it (config/syncd.toml names them all)"
    return f"did you mean {_variable(near) if variable else near}?"


def _with_sections(key: str) -> Iterator[str]:
    """Yield ``poll``, ``poll.caldav`` and ``poll.caldav.interval_seconds``."""
    parts = key.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _nearest(key: str, known: Iterable[str]) -> str | None:
    """Return what was meant: the name counts, the section a little; None if no name is near."""
    section, _, name = key.rpartition(".")

    def likeness(candidate: str) -> tuple[float, float, str]:
        its_section, _, its_name = candidate.rpartition(".")
        alike = _ratio(name, its_name)
        return (alike + _SECTION * _ratio(section, its_section), alike, candidate)

    best = max(map(likeness, known))
    return best[2] if best[1] >= _NEAR else None


def _ratio(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _fix(key: str) -> str:
    return f"change {key}, or remove it for the default"


def _variable(key: str) -> str:
    return PREFIX + _DELIMITER.join(key.split(".")).upper()


def _dotted(variable: str) -> str:
    return ".".join(variable.removeprefix(PREFIX).split(_DELIMITER)).lower()


def _section(annotation: object) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    return next(
        (one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None
    )
