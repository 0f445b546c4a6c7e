"""Let providers call: channels, and what their calls ask for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table, and let profiles say by when a call wants them polled."""
    op.add_column("profiles", sa.Column("hinted_at", sa.BigInteger()))
    op.create_table(
        "channels",
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("remote", sa.String()),
        sa.Column("opened_at", sa.BigInteger()),
        sa.Column("renew_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("heard_at", sa.BigInteger()),
        sa.Column("hinted_at", sa.BigInteger()),
        sa.Column("retry_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.profile_id"], name="fk_channels_profile_id"
        ),
        sa.PrimaryKeyConstraint("channel_id", name="pk_channels"),
    )
    op.create_index("ix_channels_profile_id", "channels", ["profile_id"])
