"""The tables of who is asked, and of what applications are allowed, as in ``store.tables``."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table

from syncd.store.columns import Bytes, Foreign, Number, metadata

invitations = Table(
    "invitations",
    metadata,
    Column("invitation_id", String, primary_key=True),
    Column("digest", Bytes, nullable=False, unique=True),
    Column("application_id", ForeignKey("applications.application_id")),
    Column("user_id", ForeignKey("users.user_id")),
    Column("companion_id", ForeignKey("users.user_id")),
    Column("wish", Bytes, nullable=False),  # what is asked and how it ends
    Column("state", Bytes),  # the application's, sealed
    Column("browser", Bytes),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)

grants = Table(
    "grants",
    metadata,
    Column("grant_id", String, primary_key=True),
    Column("application_id", ForeignKey("applications.application_id"), nullable=False),
    Column("user_id", ForeignKey("users.user_id"), nullable=False, index=True),
    Column("profile_id", Number, nullable=False),  # no foreign key: it outlives its profile
    Column("reach", String, nullable=False),
    Column("scopes", Bytes, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("code_digest", Bytes),
    Column("code_expires_at", BigInteger, index=True),
    Column("redirect_uri", Foreign),
    Column("challenge", Foreign),
    Column("redeemed_at", BigInteger),
    Column("refresh_digest", Bytes),
    Column("revoked_at", BigInteger),
)

consents = Table(
    "consents",
    metadata,
    Column("consent_id", String, primary_key=True),
    Column("browser", Bytes, nullable=False),
    Column("provider", String, nullable=False),
    Column("sealed", Bytes, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
