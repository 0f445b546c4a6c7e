"""Let people allow applications something: invitations, grants, and users of applications."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns and tables; a syncd that does not know them does no harm."""
    op.add_column("users", sa.Column("application_id", sa.String()))
    op.add_column("tokens", sa.Column("grant_id", sa.String()))
    op.create_index("ix_tokens_grant_id", "tokens", ["grant_id"])
    op.create_index("ix_profiles_provider_identity", "profiles", ["provider", "identity"])
    op.create_table(
        "invitations",
        sa.Column("invitation_id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("application_id", sa.String()),
        sa.Column("user_id", sa.String()),
        sa.Column("companion_id", sa.String()),
        sa.Column("wish", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.LargeBinary()),
        sa.Column("browser", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.application_id"],
            name="fk_invitations_application_id",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_invitations_user_id"),
        sa.ForeignKeyConstraint(
            ["companion_id"], ["users.user_id"], name="fk_invitations_companion_id"
        ),
        sa.PrimaryKeyConstraint("invitation_id", name="pk_invitations"),
        sa.UniqueConstraint("digest", name="uq_invitations_digest"),
    )
    op.create_index("ix_invitations_expires_at", "invitations", ["expires_at"])
    op.create_table(
        "grants",
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("profile_id", _NUMBER, nullable=False),
        sa.Column("reach", sa.String(), nullable=False),
        sa.Column("scopes", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary()),
        sa.Column("code_expires_at", sa.BigInteger()),
        sa.Column("redirect_uri", sa.String()),
        sa.Column("challenge", sa.String()),
        sa.Column("redeemed_at", sa.BigInteger()),
        sa.Column("refresh_digest", sa.LargeBinary()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.application_id"], name="fk_grants_application_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name="fk_grants_user_id"),
        sa.PrimaryKeyConstraint("grant_id", name="pk_grants"),
    )
    op.create_index("ix_grants_user_id", "grants", ["user_id"])
    op.create_index("ix_grants_code_expires_at", "grants", ["code_expires_at"])
