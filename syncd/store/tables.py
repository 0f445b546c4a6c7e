"""Every table, once. Instants are milliseconds since 1970 in UTC, JSON is kept as bytes.

The rows of a snapshot and the activities carry no foreign keys: a transaction that writes them
begins with the row of their calendar or stream, so there is none without its parent, and
``SqlUpkeep.check`` looks.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    true,
)

from syncd.store.columns import Bytes, CommitOrder, Foreign, Number, metadata

installations = Table(
    "installations",
    metadata,
    Column("installation_id", String, primary_key=True),  # random; this table has one row
    Column("schema_version", Integer, nullable=False),
    Column("oldest_schema", Integer, nullable=False),  # the oldest program that still may run
    Column("epoch", String, nullable=False),  # of new streams
    Column("beats", BigInteger, nullable=False),  # starts, stops and health checks (S8)
    Column("last_profile_id", BigInteger, nullable=False),
    Column("backup_mark", Boolean, nullable=False),  # this is a copy (S8)
    Column("server_identity", String),  # PostgreSQL: system identifier and timeline
)

users = Table(
    "users",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("application_id", String),  # whose user it is; null: the operator's
)

applications = Table(
    "applications",
    metadata,
    Column("application_id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("origins", Bytes, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("redirect_uris", Bytes),
    Column("removed_at", BigInteger),
)
Index(
    "uq_applications_name",
    applications.c.name,
    unique=True,
    sqlite_where=applications.c.removed_at.is_(None),
    postgresql_where=applications.c.removed_at.is_(None),
)

profiles = Table(
    "profiles",
    metadata,
    Column("profile_id", Number, primary_key=True, autoincrement=False),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("application_id", ForeignKey("applications.application_id")),
    Column("provider", String, nullable=False),
    Column("login", Foreign, nullable=False),
    Column("identity", Foreign, nullable=False),
    Column("name", Foreign),
    Column("settings", Bytes, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("pollable", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("first_read", Boolean, nullable=False),
    Column("suspect", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("refused", String),
    Column("refused_at", BigInteger),
    Column("next_poll_at", BigInteger),
    Column("polled_at", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("last_error", Bytes),
    Column("proof", Bytes),
    Column("relink_digest", Bytes, index=True),
    Column("relink_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("state_since", BigInteger, nullable=False),
    Column("hinted_at", BigInteger),  # by when a provider's call wants it polled (P16)
    Index(None, "pollable", "next_poll_at"),
    Index(None, "provider", "identity"),
)
Index(
    "uq_profiles_identity",
    profiles.c.user_id,
    profiles.c.provider,
    profiles.c.identity,
    unique=True,
    sqlite_where=~profiles.c.removed,
    postgresql_where=~profiles.c.removed,
)

credentials = Table(
    "credentials",
    metadata,
    Column("profile_id", ForeignKey("profiles.profile_id"), primary_key=True),
    Column("field", String, primary_key=True),
    Column("sealed", Bytes, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", String, primary_key=True),
    Column("digest", Bytes, nullable=False),
    Column("scopes", Bytes, nullable=False),
    Column("user_id", ForeignKey("users.user_id")),
    Column("profile_id", ForeignKey("profiles.profile_id")),
    Column("application_id", ForeignKey("applications.application_id")),
    Column("admin", Boolean, nullable=False),
    Column("name", String),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger),
    Column("rotates", Boolean),  # null in rows from before rotation: no
    Column("grant_id", String, index=True),
)

application_keys = Table(
    "application_keys",
    metadata,
    Column("token_id", ForeignKey("tokens.token_id"), primary_key=True),
    Column("application_id", ForeignKey("applications.application_id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("sealed", Bytes, nullable=False),
)

repeats = Table(
    "repeats",
    metadata,
    Column("token_id", String, primary_key=True),
    Column("route", String, primary_key=True),
    Column("request_key", String, primary_key=True),
    Column("digest", Bytes, nullable=False),
    Column("name", String, nullable=False),
    Column("began_at", BigInteger, nullable=False, index=True),
    Column("running_until", BigInteger, nullable=False),
    Column("sealed", Bytes),
)

calendars = Table(
    "calendars",
    metadata,
    Column("calendar_id", String, primary_key=True),
    Column("profile_id", ForeignKey("profiles.profile_id"), nullable=False, index=True),
    Column("generation", Integer, nullable=False),  # of the profile's credentials (F14)
    Column("revision", Integer, nullable=False),
    Column("calendar_key", Foreign, nullable=False),
    Column("name", Foreign, nullable=False),
    Column("description", Foreign),
    Column("location", Foreign),
    Column("timezone", Foreign),
    Column("color", Foreign),
    Column("place", Integer),
    Column("is_primary", Boolean, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("sync_token", Foreign),
    Column("mode", String, nullable=False),
    Column("polled_at", BigInteger),
    Column("reconciled_at", BigInteger),
    Column("reconcile_due_at", BigInteger),
    Column("first_read_at", BigInteger),
    Column("missing", Integer, nullable=False),
    Column("missing_at", BigInteger),
    Column("full_reads", Integer, nullable=False),
    Column("full_reads_at", BigInteger),
    Column("corrections", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("retry_at", BigInteger),
    Column("last_error", Foreign),
    Column("removed_at", BigInteger),
    Column("holds", String, nullable=False, server_default="events"),  # or contacts
)

resources = Table(
    "resources",
    metadata,
    Column("calendar_id", String, primary_key=True),
    Column("resource_key", Foreign, primary_key=True),
    Column("uid", Foreign, nullable=False),
    Column("etag", Foreign, nullable=False),
    Column("raw", Bytes, nullable=False),  # last, so that short reads stay short
    Index(None, "calendar_id", "uid"),
)

objects = Table(
    "objects",
    metadata,
    Column("profile_id", Number, primary_key=True, autoincrement=False),
    Column("object_id", String, primary_key=True),
    Column("calendar_id", String, nullable=False),
    Column("resource_key", Foreign, nullable=False),
    Column("slot", String, nullable=False),
    Column("series_id", String),  # of an exception: the series that it belongs to
    Column("is_series", Boolean, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger),
    Column("content", Bytes, nullable=False),
    Column("document", Bytes, nullable=False),
    Column("claim", SmallInteger, nullable=False, server_default="2"),
    # a series, or too long to be found by its start
    Column("lasting", Boolean, nullable=False, server_default=true()),
    Index(None, "calendar_id", "resource_key"),
    Index(
        "ix_objects_span",
        *("calendar_id", "starts_at", "object_id", "ends_at", "is_series", "claim", "lasting"),
    ),
)
Index(
    "ix_objects_lasting",
    *(objects.c.calendar_id, objects.c.starts_at, objects.c.object_id, objects.c.ends_at),
    sqlite_where=objects.c.lasting,
    postgresql_where=objects.c.lasting,
)
Index(
    "ix_objects_calendar_id_series_id",
    objects.c.calendar_id,
    objects.c.series_id,
    sqlite_where=objects.c.series_id.is_not(None),
    postgresql_where=objects.c.series_id.is_not(None),
)

absences = Table(
    "absences",
    metadata,
    Column("calendar_id", String, primary_key=True),
    Column("resource_key", Foreign, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("counted_at", BigInteger, nullable=False),
)

faults = Table(
    "faults",
    metadata,
    Column("calendar_id", String, primary_key=True),
    Column("resource_key", Foreign, primary_key=True),
    Column("message", Foreign, nullable=False),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
)

SNAPSHOT = (resources, objects, absences, faults)  # what goes with a calendar

managed = Table(
    "managed",
    metadata,
    Column("application", String, primary_key=True),  # "": the tokens of the command line
    Column("calendar_id", String, primary_key=True),
    Column("own_id", Foreign, primary_key=True),  # what the application calls the event
    Column("profile_id", Number, nullable=False, autoincrement=False),
    Column("name", String, nullable=False),  # fixes the id at the provider
    Column("object_id", String),  # null until the event is recorded
    Column("written_at", BigInteger, nullable=False),
    Index(None, "profile_id", "object_id"),
    Index(None, "application", "object_id"),
)

channels = Table(
    "channels",
    metadata,
    Column("channel_id", String, primary_key=True),
    Column("profile_id", ForeignKey("profiles.profile_id"), nullable=False, index=True),
    Column("calendar_id", String, nullable=False),
    Column("generation", Integer, nullable=False),  # of the profile's credentials
    Column("address", String, nullable=False),
    Column("digest", Bytes, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("remote", Foreign),
    Column("opened_at", BigInteger),
    Column("renew_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("heard_at", BigInteger),
    Column("hinted_at", BigInteger),
    Column("retry_at", BigInteger),
)

selections = Table(
    "selections",
    metadata,
    Column("selection_id", String, primary_key=True),
    Column("profile_id", ForeignKey("profiles.profile_id"), nullable=False),
    Column("calendars", Bytes, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Index(None, "profile_id", "selection_id"),
)

streams = Table(
    "streams",
    metadata,
    Column("profile_id", ForeignKey("profiles.profile_id"), primary_key=True),
    Column("epoch", String, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
    Column("after_auth", BigInteger),
    Column("head_order", BigInteger, nullable=False, server_default="0"),  # PostgreSQL: at head
    Column("floor_order", BigInteger, nullable=False, server_default="0"),  # at the floor
    Index(None, "floor_order", "profile_id"),
)

activities = Table(
    "activities",
    metadata,
    Column("commit_order", CommitOrder, nullable=False),
    Column("profile_id", Number, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("type", String, nullable=False),
    Column("object_id", String, nullable=False),
    Column("calendar_id", String),
    Column("recorded_at", BigInteger, nullable=False),
    Column("body", Bytes, nullable=False),
    UniqueConstraint("profile_id", "position"),
)
Index(
    "ix_activities_commit_order",
    *(activities.c.commit_order, activities.c.profile_id, activities.c.position),
).ddl_if(dialect="postgresql")  # on SQLite it is the row itself
