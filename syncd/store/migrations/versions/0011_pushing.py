"""Push: order all commits, and let subscriptions keep their places."""

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
    _subscribe()


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


def _subscribe() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "subscriptions",
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("wanted", sa.LargeBinary(), nullable=False),
        sa.Column("profile_id", number),
        sa.Column("user_id", sa.String()),
        sa.Column("application_id", sa.String()),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_subscriptions_user_id"),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.application_id"],
            name="fk_subscriptions_application_id",
        ),
        sa.PrimaryKeyConstraint("subscription_id", name="pk_subscriptions"),
    )
    for column in ("profile_id", "user_id", "application_id"):
        op.create_index(f"ix_subscriptions_{column}", "subscriptions", [column])
    op.create_table(
        "signing_secrets",
        sa.Column("secret_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("until_at", sa.BigInteger()),
        _of_subscription("signing_secrets"),
        sa.PrimaryKeyConstraint("secret_id", name="pk_signing_secrets"),
    )
    op.create_index("ix_signing_secrets_subscription_id", "signing_secrets", ["subscription_id"])
    op.create_table(
        "positions",
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("profile_id", number, nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        _of_subscription("positions"),
        sa.PrimaryKeyConstraint("subscription_id", "profile_id", name="pk_positions"),
    )
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("subscription_id", sa.String(), nullable=False),
        sa.Column("profile_id", number, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("code", sa.Integer()),
        sa.Column("duration_ms", sa.BigInteger()),
        sa.Column("error", sa.String()),
        sa.Column("answer", sa.LargeBinary()),
        sa.Column("next_at", sa.BigInteger()),
        _of_subscription("deliveries"),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_at", "deliveries", ["at"])
    by_id, by_outcome = ["subscription_id", "delivery_id"], ["outcome"]
    op.create_index("ix_deliveries_subscription_id_delivery_id", "deliveries", by_id)
    op.create_index(
        "ix_deliveries_subscription_id_outcome_delivery_id",
        "deliveries",
        [*by_id[:1], *by_outcome, *by_id[1:]],
    )


def _of_subscription(table: str) -> sa.ForeignKeyConstraint:
    key = "subscription_id"
    return sa.ForeignKeyConstraint([key], [f"subscriptions.{key}"], name=f"fk_{table}_{key}")
