"""The tables of what we publish, in the words of ``store.tables``."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from syncd.store.columns import Bytes, Foreign, Number, metadata

rotations = Table(
    "rotations",
    metadata,
    Column("token_id", ForeignKey("tokens.token_id"), primary_key=True),
    Column("digest", Bytes, primary_key=True),
    Column("nonce", Bytes, nullable=False),
    Column("spent_at", BigInteger, nullable=False),
)

token_calendars = Table(
    "token_calendars",
    metadata,
    Column("token_calendar_id", String, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("name", Foreign, nullable=False),
    Column("description", Foreign),
    Column("labels", Bytes, nullable=False),
    Column("path_digest", Bytes, nullable=False, unique=True),
    Column("path_sealed", Bytes, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("version", String),
    Column("noticed_at", BigInteger),
    UniqueConstraint("user_id", "name"),
)

watches = Table(
    "watches",
    metadata,
    Column("token_calendar_id", ForeignKey("token_calendars.token_calendar_id"), primary_key=True),
    Column("token_id", ForeignKey("tokens.token_id"), primary_key=True),
    Column("since_at", BigInteger, nullable=False),
    Column("removal_digest", Bytes, nullable=False, unique=True),
    Column("recreation_digest", Bytes, nullable=False, unique=True),
    Column("comment", Foreign),
    Index(None, "token_id"),
)

labels = Table(
    "labels",
    metadata,
    Column("label_id", String, primary_key=True),
    Column("user_id", ForeignKey("users.user_id"), nullable=False),
    Column("name", Foreign, nullable=False),
    Column("color", String, nullable=False),
    UniqueConstraint("user_id", "name"),
)

feeds = Table(
    "feeds",
    metadata,
    Column("feed_id", String, primary_key=True),
    Column("name", Foreign, nullable=False),
    Column("calendar_ids", Bytes, nullable=False),
    Column("detail", String, nullable=False),
    Column("path_digest", Bytes, nullable=False, unique=True),
    Column("path_sealed", Bytes, nullable=False),
    Column("user_id", ForeignKey("users.user_id")),
    Column("profile_id", Number),  # no foreign key: a feed outlives the profile that it shows
    Column("application_id", ForeignKey("applications.application_id")),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("expires_at", BigInteger),
    Column("version", String),
    Column("noticed_at", BigInteger),
    Index(None, "user_id", "feed_id"),
)

SEALED_PATHS = (token_calendars.c.path_sealed, feeds.c.path_sealed)
