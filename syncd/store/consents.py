"""People who are at a provider to give consent (api.md N3)."""

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.when import milliseconds
from syncd.ports.store.consents import AskedConsent
from syncd.store.grant_tables import consents
from syncd.store.topic import Topic


class SqlConsents(Topic):
    """``Consents`` in SQL."""

    async def add_consent(self, consent: AskedConsent) -> None:
        """Keep one."""
        values = {
            "consent_id": consent.id,
            "browser": consent.browser,
            "provider": consent.provider,
            "sealed": consent.sealed,
            "expires_at": milliseconds(consent.expires_at),
        }
        await self._database.put(insert(consents).values(values))

    async def take_consent(
        self, consent: str, *, browser: bytes, provider: str, now: datetime
    ) -> bytes | None:
        """Remove one and return what was sealed, in one statement: nobody is second."""
        column = consents.c
        taken = delete(consents).where(
            column.consent_id == consent,
            column.browser == browser,
            column.provider == provider,
            column.expires_at > milliseconds(now),
        )

        async def work(connection: AsyncConnection) -> bytes | None:
            sealed = (await connection.execute(taken.returning(column.sealed))).scalar_one_or_none()
            return None if sealed is None else bytes(sealed)

        return await self._database.write(work)

    async def forget_consents(self, *, before: datetime, limit: int = 500) -> int:
        """Remove at most ``limit`` that expired before a time."""
        column = consents.c
        old = column.expires_at < milliseconds(before)
        oldest = select(column.consent_id).where(old).order_by(column.expires_at).limit(limit)
        return await self._database.put(delete(consents).where(column.consent_id.in_(oldest)))
