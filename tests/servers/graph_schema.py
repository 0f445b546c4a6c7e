"""Microsoft Graph's published schema, as a judge over what is sent and told (providers.md 10.4)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

EXTRACT = Path(__file__).parents[1] / "data" / "graph-v1.json"


@cache
def published() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(EXTRACT.read_text())
    return document


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$defs": published()["$defs"], "$ref": f"#/$defs/microsoft.graph.{name}"}
    return Draft202012Validator(schema)


def check(name: str, told: object) -> None:
    """Raise jsonschema's ValidationError for what is no ``name`` of Microsoft Graph."""
    _validator(name).validate(told)
