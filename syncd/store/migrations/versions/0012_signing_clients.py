"""Pushes that an application's own secrets sign."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Let a subscription name the application whose secrets sign."""
    op.add_column("subscriptions", sa.Column("client_id", sa.String()))
    op.create_index("ix_subscriptions_client_id", "subscriptions", ["client_id"])
