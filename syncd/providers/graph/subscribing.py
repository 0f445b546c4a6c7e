"""Subscriptions through which Microsoft Graph calls when a calendar has changed (MG16)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from syncd.formats.outlook import Json
from syncd.model.errors import (
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RejectedError,
    UnsupportedError,
)
from syncd.model.ids import CalendarKey
from syncd.ports.pushing import Granted, Wish
from syncd.providers.graph import wire
from syncd.providers.graph.client import Ask, GraphClient

ASKED_FOR = timedelta(minutes=4200)  # 4,230 at most, by a clock that is not ours
RENEWED_AFTER = 0.5  # of what was granted
_PATH = ("subscriptions",)
_UNREACHED = "validation"  # in the words of Graph that did not get our handshake


class Subscribing:
    """Subscribes to calendars of one mailbox."""

    def __init__(self, client: GraphClient, now: Callable[[], datetime]) -> None:
        """Ask through ``client``."""
        self._client = client
        self._now = now

    async def open(self, calendar: CalendarKey, wish: Wish) -> Granted:
        """Subscribe to a calendar's events; Graph looks first whether our address answers.

        Raises MisconfiguredError if it does not, UnsupportedError for a mailbox without such.
        """
        body: Json = {
            "changeType": "created,updated,deleted",
            "notificationUrl": wish.address,
            "lifecycleNotificationUrl": wish.address,  # cannot be added later
            "resource": f"/{'/'.join(wire.CALENDARS)}/{calendar}/events",
            "expirationDateTime": self._until(),
            "clientState": f"{wish.id}.{wish.secret.reveal()}",
        }
        try:
            return self._granted(await self._client.send(Ask(method="POST", path=_PATH, body=body)))
        except RejectedError as error:
            if _UNREACHED in str(error).lower():
                raise MisconfiguredError(f"{wish.address} is not reached: {error}") from error
            raise
        except NotFoundError as error:  # the mailbox is not in the cloud, or the calendar is gone
            raise UnsupportedError(str(error)) from error

    async def extend(self, remote: str) -> Granted:
        """Renew a subscription, which also answers that Graph wants it authorized anew."""
        body: Json = {"expirationDateTime": self._until()}
        return self._granted(
            await self._client.send(Ask(method="PATCH", path=(*_PATH, remote), body=body))
        )

    async def close(self, remote: str) -> None:
        """Delete a subscription; one that is gone is a success."""
        try:
            await self._client.send(Ask(method="DELETE", path=(*_PATH, remote)))
        except NotFoundError:
            return

    def _until(self) -> str:
        return f"{(self._now() + ASKED_FOR).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def _granted(self, told: Json) -> Granted:
        try:
            remote, expires_at = told["id"], datetime.fromisoformat(told["expirationDateTime"])
        except (LookupError, TypeError, ValueError) as error:
            raise MalformedReplyError(f"the subscription cannot be read: {error!r}") from None
        if not isinstance(remote, str) or not remote or expires_at.tzinfo is None:
            raise MalformedReplyError("the subscription has no id, or an end without a zone")
        now = self._now()
        renew_at = now + (expires_at - now) * RENEWED_AFTER
        return Granted(remote=remote, renew_at=renew_at, expires_at=expires_at, reached=True)
