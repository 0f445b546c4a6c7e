"""What events claim of time, for looking up what is free.

Events that are there keep the claim 2: their documents are asked, until they are written again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_SHORT = 31 * 24 * 60 * 60 * 1000


def upgrade() -> None:
    """Add both columns, and indexes that hold them."""
    op.add_column(
        "objects", sa.Column("claim", sa.SmallInteger(), nullable=False, server_default="2")
    )
    op.add_column(
        "objects", sa.Column("lasting", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.execute(
        "UPDATE objects SET lasting = "  # noqa: S608 - a number of ours
        f"(is_series OR ends_at IS NULL OR ends_at - starts_at > {_SHORT})"
    )
    op.drop_index("ix_objects_calendar_id_starts_at_object_id_ends_at_is_series", "objects")
    op.create_index(
        "ix_objects_span",
        "objects",
        ["calendar_id", "starts_at", "object_id", "ends_at", "is_series", "claim", "lasting"],
    )
    op.create_index(
        "ix_objects_lasting",
        "objects",
        ["calendar_id", "starts_at", "object_id", "ends_at"],
        sqlite_where=sa.text("lasting"),
        postgresql_where=sa.text("lasting"),
    )
