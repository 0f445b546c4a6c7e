"""Attempts are found by their outcome where they did not arrive: the others are most of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_NAME = "ix_deliveries_subscription_id_outcome_delivery_id"


def upgrade() -> None:
    """Leave what was delivered out of the index, which each note of it had to write."""
    op.drop_index(_NAME, "deliveries")
    others = sa.text("outcome != 'delivered'")
    op.create_index(
        _NAME,
        "deliveries",
        ["subscription_id", "outcome", "delivery_id"],
        sqlite_where=others,
        postgresql_where=others,
    )
