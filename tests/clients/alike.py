"""Whether an answer is as a document shows it: its members, their types, and no others."""

from typing import Any


def differences(
    told: Any,  # noqa: ANN401 - JSON
    shown: Any,  # noqa: ANN401 - JSON
    *,
    more: frozenset[str] = frozenset(),
    where: str = "",
) -> list[str]:
    """Return what differs: ``told`` must have every member of ``shown``, with a value of its type.

    A null on either side is any type, as the documents say "null if unavailable" of most members;
    of a list every element is like the first one shown. Beside what is shown an object may have
    members of ``more`` only.
    """
    if isinstance(shown, dict):
        if not isinstance(told, dict):
            return [f"{where} is no object"]
        missing = [f"{where}.{name} is missing" for name in shown.keys() - told.keys()]
        extra = [f"{where}.{name} is undocumented" for name in told.keys() - shown.keys() - more]
        inner = [
            one
            for name in shown.keys() & told.keys()
            if told[name] is not None and shown[name] is not None
            for one in differences(told[name], shown[name], more=more, where=f"{where}.{name}")
        ]
        return missing + extra + inner
    if isinstance(shown, list):
        if not isinstance(told, list):
            return [f"{where} is no list"]
        return [
            one
            for number, each in enumerate(told)
            if shown
            for one in differences(each, shown[0], more=more, where=f"{where}[{number}]")
        ]
    return [] if type(told) is type(shown) else [f"{where} is {told!r}, not like {shown!r}"]
