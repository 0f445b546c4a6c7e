"""Tell address books from calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Let every collection so far be a calendar."""
    holds = sa.Column("holds", sa.String(), nullable=False, server_default="events")
    op.add_column("calendars", holds)
