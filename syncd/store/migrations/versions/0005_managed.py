"""Which events applications made, by the names that they gave them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "managed",
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("own_id", sa.String(), nullable=False),
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("object_id", sa.String()),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("application", "calendar_id", "own_id", name="pk_managed"),
    )
    op.create_index("ix_managed_profile_id_object_id", "managed", ["profile_id", "object_id"])
    op.create_index("ix_managed_application_object_id", "managed", ["application", "object_id"])
