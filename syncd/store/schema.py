"""Every table that a database has: what a new one is made of, and what revisions lead to."""

from syncd.store import (  # noqa: F401 - metadata hears of them
    grant_tables,
    published_tables,
    subscription_tables,
    tables,
)
from syncd.store.columns import metadata

__all__ = ["metadata"]
