"""The tables of pushing, in the words of ``store.tables``."""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    literal_column,
)

from syncd.model.subscription import Reason
from syncd.store.columns import Bytes, Foreign, Number, metadata

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscription_id", String, primary_key=True),
    Column("url", Foreign, nullable=False),
    Column("format", String, nullable=False),
    Column("description", Foreign),
    Column("wanted", Bytes, nullable=False),  # words, profiles, calendars, managed, as asked
    Column("profile_id", Number, index=True),  # no foreign key: it outlives the profile
    Column("user_id", ForeignKey("users.user_id"), index=True),
    Column("application_id", ForeignKey("applications.application_id"), index=True),
    Column("admin", Boolean, nullable=False),
    Column("reason", String),  # of being disabled
    Column("attempts", Integer, nullable=False),
    Column("retry_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("client_id", String, index=True),  # the application whose secrets sign
    Column("grant_id", String, index=True),  # that it was made through
)

REVOKED: Mapping[str, object] = {  # of those that nobody may be sent more
    "reason": Reason.REVOKED,
    "retry_at": None,
    "revision": subscriptions.c.revision + 1,  # or who has read it before writes over it
}

_OF_ONE = "subscriptions.subscription_id"

signing_secrets = Table(
    "signing_secrets",
    metadata,
    Column("secret_id", String, primary_key=True),
    Column("subscription_id", ForeignKey(_OF_ONE), nullable=False, index=True),
    Column("sealed", Bytes, nullable=False),
    Column("until_at", BigInteger),
)

positions = Table(
    "positions",
    metadata,
    Column("subscription_id", ForeignKey(_OF_ONE), primary_key=True),
    Column("profile_id", Number, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", String, primary_key=True),
    Column("subscription_id", ForeignKey(_OF_ONE), nullable=False),
    Column("profile_id", Number, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("record_id", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("outcome", String, nullable=False),
    Column("code", Integer),
    Column("duration_ms", BigInteger),
    Column("error", Foreign),
    Column("answer", Bytes),
    Column("next_at", BigInteger),
    Column("since_at", BigInteger),  # of a message that tells of many records
    Index(None, "subscription_id", "delivery_id"),
)

OF_A_SUBSCRIPTION = (deliveries, positions, signing_secrets, subscriptions)  # in order of removal

# spelled out, as the index is: SQLite uses it only for statements that say the same
NOT_DELIVERED = deliveries.c.outcome != literal_column("'delivered'")

Index(
    None,
    deliveries.c.subscription_id,
    deliveries.c.outcome,
    deliveries.c.delivery_id,
    sqlite_where=NOT_DELIVERED,
    postgresql_where=NOT_DELIVERED,
)
