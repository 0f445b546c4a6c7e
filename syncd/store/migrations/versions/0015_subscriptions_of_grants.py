"""Pushes that end with the grant that they were asked for through."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Let a subscription name the grant that it was made through."""
    op.add_column("subscriptions", sa.Column("grant_id", sa.String()))
    op.create_index("ix_subscriptions_grant_id", "subscriptions", ["grant_id"])
