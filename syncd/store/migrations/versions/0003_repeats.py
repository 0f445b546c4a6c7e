"""Answers of creating requests, kept for those who ask again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table; a syncd that does not know it does no harm."""
    op.create_table(
        "repeats",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("running_until", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("token_id", "route", "request_key", name="pk_repeats"),
    )
    op.create_index("ix_repeats_began_at", "repeats", ["began_at"])
