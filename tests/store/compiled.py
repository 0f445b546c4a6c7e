"""What SQLAlchemy compiled, kept for all stores of a test process.

Each engine keeps a cache of its own, and most tests open a store: they would compile each statement
anew, which takes longer than to run it. In a daemon it is compiled once, as here.
"""

from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine

from syncd.store import database


class Compiled(dict[Any, Any]):
    """Statements by what they are and the kind of database, whichever engine asks."""

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401 - SQLAlchemy's
        return super().get(_shared(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        super().__setitem__(_shared(key), compiled)


def _shared(key: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's
    dialect, *statement = key
    return (dialect.name, *statement)


def share() -> None:
    """Let every store that is opened from now on look there first."""
    kept = partial(create_async_engine, execution_options={"compiled_cache": Compiled()})
    database.create_async_engine = kept  # type: ignore[attr-defined]  # what it calls
