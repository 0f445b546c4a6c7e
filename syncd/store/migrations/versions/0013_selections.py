"""Choices of calendars through which a stream is read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add a table; a syncd that does not know it does no harm."""
    op.create_table(
        "selections",
        sa.Column("selection_id", sa.String(), nullable=False),
        sa.Column(
            "profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("calendars", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.profile_id"], name="fk_selections_profile_id"
        ),
        sa.PrimaryKeyConstraint("selection_id", name="pk_selections"),
    )
    key = ["profile_id", "selection_id"]
    op.create_index("ix_selections_profile_id_selection_id", "selections", key)
