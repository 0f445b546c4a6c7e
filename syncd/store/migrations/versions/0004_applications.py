"""Applications: where people may be sent back to, and the secrets that pushes are signed with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add columns and a table; a syncd that does not know them does no harm."""
    op.add_column("applications", sa.Column("redirect_uris", sa.LargeBinary()))
    op.add_column("applications", sa.Column("removed_at", sa.BigInteger()))
    op.create_index(
        "uq_applications_name",
        "applications",
        ["name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "application_keys",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.application_id"],
            name="fk_application_keys_application_id",
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.token_id"], name="fk_application_keys_token_id"
        ),
        sa.PrimaryKeyConstraint("token_id", name="pk_application_keys"),
    )
    op.create_index("ix_application_keys_application_id", "application_keys", ["application_id"])
