"""Order all commits, for the stream of many profiles."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Let transaction ids be numbers, and streams know where they stand among all commits."""
    for name in ("head_order", "floor_order"):
        order = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("streams", order)
    op.create_index("ix_streams_floor_order_profile_id", "streams", ["floor_order", "profile_id"])
    if op.get_bind().dialect.name == "postgresql":
        _number_transactions()


def _number_transactions() -> None:
    op.execute("ALTER TABLE activities ALTER COLUMN commit_order DROP DEFAULT")
    op.alter_column(
        "activities",
        "commit_order",
        type_=sa.BigInteger(),
        postgresql_using="commit_order::text::bigint",
    )
    # two transactions may have come to a stream against the order of their ids
    op.execute(
        "UPDATE activities SET commit_order = ordered.highest FROM ("
        "SELECT profile_id, position, max(commit_order) OVER"
        " (PARTITION BY profile_id ORDER BY position) AS highest FROM activities) AS ordered"
        " WHERE ordered.profile_id = activities.profile_id"
        " AND ordered.position = activities.position"
        " AND ordered.highest <> activities.commit_order"
    )
    op.execute(
        "UPDATE streams SET head_order = (SELECT coalesce(max(commit_order), 0) FROM activities"
        " WHERE activities.profile_id = streams.profile_id)"
    )
    key = ["commit_order", "profile_id", "position"]
    op.create_index("ix_activities_commit_order", "activities", key)
