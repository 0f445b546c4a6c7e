"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


class _CommitOrder(sa.types.UserDefinedType[int]):
    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: object) -> str:
        return self.spec


_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROW_NUMBER = _CommitOrder("INTEGER PRIMARY KEY AUTOINCREMENT")  # SQLite
_TRANSACTION = _CommitOrder("xid8 DEFAULT pg_current_xact_id()")  # PostgreSQL


def upgrade() -> None:
    """Make every table."""
    lite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "absences",
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("resource_key", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("calendar_id", "resource_key", name="pk_absences"),
    )
    op.create_table(
        "activities",
        sa.Column("commit_order", _ROW_NUMBER if lite else _TRANSACTION, nullable=False),
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("calendar_id", sa.String()),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("profile_id", "position", name="uq_activities_profile_id_position"),
    )
    op.create_table(
        "applications",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("origins", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name="pk_applications"),
    )
    op.create_table(
        "faults",
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("resource_key", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("calendar_id", "resource_key", name="pk_faults"),
    )
    op.create_table(
        "installations",
        sa.Column("installation_id", sa.String(), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("oldest_schema", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("last_profile_id", sa.BigInteger(), nullable=False),
        sa.Column("backup_mark", sa.Boolean(), nullable=False),
        sa.Column("server_identity", sa.String()),
        sa.PrimaryKeyConstraint("installation_id", name="pk_installations"),
    )
    op.create_table(
        "objects",
        sa.Column("profile_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("resource_key", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("series_id", sa.String()),
        sa.Column("is_series", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "object_id", name="pk_objects"),
    )
    op.create_index(
        "ix_objects_calendar_id_resource_key", "objects", ["calendar_id", "resource_key"]
    )
    op.create_index(
        "ix_objects_calendar_id_series_id",
        "objects",
        ["calendar_id", "series_id"],
        sqlite_where=sa.text("series_id IS NOT NULL"),
        postgresql_where=sa.text("series_id IS NOT NULL"),
    )
    op.create_index(
        "ix_objects_calendar_id_starts_at_object_id_ends_at_is_series",
        "objects",
        ["calendar_id", "starts_at", "object_id", "ends_at", "is_series"],
    )
    op.create_table(
        "resources",
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("resource_key", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("calendar_id", "resource_key", name="pk_resources"),
    )
    op.create_index("ix_resources_calendar_id_uid", "resources", ["calendar_id", "uid"])
    op.create_table(
        "users",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "profiles",
        sa.Column("profile_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String()),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("settings", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("pollable", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("first_read", sa.Boolean(), nullable=False),
        sa.Column("suspect", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("refused", sa.String()),
        sa.Column("refused_at", sa.BigInteger()),
        sa.Column("next_poll_at", sa.BigInteger()),
        sa.Column("polled_at", sa.BigInteger()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.LargeBinary()),
        sa.Column("proof", sa.LargeBinary()),
        sa.Column("relink_digest", sa.LargeBinary()),
        sa.Column("relink_until", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("state_since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.application_id"], name="fk_profiles_application_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_profiles_user_id"),
        sa.PrimaryKeyConstraint("profile_id", name="pk_profiles"),
    )
    op.create_index("ix_profiles_pollable_next_poll_at", "profiles", ["pollable", "next_poll_at"])
    op.create_index("ix_profiles_relink_digest", "profiles", ["relink_digest"])
    op.create_index(
        "uq_profiles_identity",
        "profiles",
        ["user_id", "provider", "identity"],
        unique=True,
        sqlite_where=sa.text("removed = 0"),
        postgresql_where=sa.text("NOT removed"),
    )
    op.create_table(
        "calendars",
        sa.Column("calendar_id", sa.String(), nullable=False),
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("calendar_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String()),
        sa.Column("location", sa.String()),
        sa.Column("timezone", sa.String()),
        sa.Column("color", sa.String()),
        sa.Column("place", sa.Integer()),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("sync_token", sa.String()),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("polled_at", sa.BigInteger()),
        sa.Column("reconciled_at", sa.BigInteger()),
        sa.Column("reconcile_due_at", sa.BigInteger()),
        sa.Column("first_read_at", sa.BigInteger()),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("missing_at", sa.BigInteger()),
        sa.Column("full_reads", sa.Integer(), nullable=False),
        sa.Column("full_reads_at", sa.BigInteger()),
        sa.Column("corrections", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger()),
        sa.Column("last_error", sa.String()),
        sa.Column("removed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.profile_id"], name="fk_calendars_profile_id"
        ),
        sa.PrimaryKeyConstraint("calendar_id", name="pk_calendars"),
    )
    op.create_index("ix_calendars_profile_id", "calendars", ["profile_id"])
    op.create_table(
        "credentials",
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.profile_id"], name="fk_credentials_profile_id"
        ),
        sa.PrimaryKeyConstraint("profile_id", "field", name="pk_credentials"),
    )
    op.create_table(
        "streams",
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("after_auth", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.profile_id"], name="fk_streams_profile_id"
        ),
        sa.PrimaryKeyConstraint("profile_id", name="pk_streams"),
    )
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.String()),
        sa.Column("profile_id", _NUMBER),
        sa.Column("application_id", sa.String()),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("used_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.application_id"], name="fk_tokens_application_id"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.profile_id"], name="fk_tokens_profile_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_tokens_user_id"),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
    )
