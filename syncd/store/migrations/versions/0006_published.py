"""Calendars that are published, and tokens that rotate."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and let tokens say that they rotate."""
    op.add_column("tokens", sa.Column("rotates", sa.Boolean()))
    op.create_table(
        "rotations",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("spent_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name="fk_rotations_token_id"),
        sa.PrimaryKeyConstraint("token_id", "digest", name="pk_rotations"),
    )
    op.create_table(
        "token_calendars",
        sa.Column("token_calendar_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("path_digest", sa.LargeBinary(), nullable=False),
        sa.Column("path_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String()),
        sa.Column("noticed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_token_calendars_user_id"),
        sa.PrimaryKeyConstraint("token_calendar_id", name="pk_token_calendars"),
        sa.UniqueConstraint("path_digest", name="uq_token_calendars_path_digest"),
        sa.UniqueConstraint("user_id", "name", name="uq_token_calendars_user_id_name"),
    )
    op.create_table(
        "watches",
        sa.Column("token_calendar_id", sa.String(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("removal_digest", sa.LargeBinary(), nullable=False),
        sa.Column("recreation_digest", sa.LargeBinary(), nullable=False),
        sa.Column("comment", sa.String()),
        sa.ForeignKeyConstraint(
            ["token_calendar_id"],
            ["token_calendars.token_calendar_id"],
            name="fk_watches_token_calendar_id",
        ),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.token_id"], name="fk_watches_token_id"),
        sa.PrimaryKeyConstraint("token_calendar_id", "token_id", name="pk_watches"),
        sa.UniqueConstraint("recreation_digest", name="uq_watches_recreation_digest"),
        sa.UniqueConstraint("removal_digest", name="uq_watches_removal_digest"),
    )
    op.create_index("ix_watches_token_id", "watches", ["token_id"])
    op.create_table(
        "labels",
        sa.Column("label_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("color", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_labels_user_id"),
        sa.PrimaryKeyConstraint("label_id", name="pk_labels"),
        sa.UniqueConstraint("user_id", "name", name="uq_labels_user_id_name"),
    )
    op.create_table(
        "feeds",
        sa.Column("feed_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("calendar_ids", sa.LargeBinary(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("path_digest", sa.LargeBinary(), nullable=False),
        sa.Column("path_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.String()),
        sa.Column("profile_id", _NUMBER),
        sa.Column("application_id", sa.String()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("version", sa.String()),
        sa.Column("noticed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.application_id"], name="fk_feeds_application_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_feeds_user_id"),
        sa.PrimaryKeyConstraint("feed_id", name="pk_feeds"),
        sa.UniqueConstraint("path_digest", name="uq_feeds_path_digest"),
    )
    op.create_index("ix_feeds_user_id_feed_id", "feeds", ["user_id", "feed_id"])
