"""What a message that tells of many records named as their beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Keep it with the attempt, so that a replay says the same."""
    op.add_column("deliveries", sa.Column("since_at", sa.BigInteger()))
