"""Custom properties, kept in one open extension of an event (MG19): pure, both ways.

Names of extension members are restricted, those of custom properties are not: all pairs stand in
one text.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from syncd.formats.outlook import Json
from syncd.model.event import CustomProperty

EXTENSION = "dev.syncd.properties"
_TYPE = "microsoft.graph.openTypeExtension"
_PAIRS = "pairs"


def extension_body(properties: Iterable[CustomProperty]) -> Json:
    """Return the extension as it is sent."""
    pairs = [[one.key, one.value, one.private] for one in properties]
    return {
        "@odata.type": f"#{_TYPE}",
        "extensionName": EXTENSION,
        _PAIRS: orjson.dumps(pairs).decode(),
    }


def extension_of(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the extension of an event that was read with it."""
    for one in item.get("extensions") or ():
        if isinstance(one, dict) and one.get("extensionName") == EXTENSION:
            return one
    return None


def properties_of(item: Mapping[str, Any]) -> tuple[CustomProperty, ...]:
    """Return the pairs; raises ValueError or TypeError for what we did not write."""
    found = extension_of(item)
    if found is None:
        return ()
    pairs = orjson.loads(found.get(_PAIRS) or "[]")
    return tuple(
        CustomProperty(key=str(key), value=str(value), private=private is not False)
        for key, value, private in pairs
    )
