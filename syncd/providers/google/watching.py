"""Channels through which Google calls when a calendar has changed (G12)."""

from datetime import timedelta

from syncd.model.errors import MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.pushing import Granted, Wish
from syncd.providers.google import wire
from syncd.providers.google.client import Ask, GoogleClient, Json

ASKED_FOR = timedelta(days=7)  # Google may grant less
RENEWED_AFTER = 0.8  # of what was granted: nothing renews a channel but another one
_STOP = ("channels", "stop")


class Watching:
    """Watches calendars of one profile."""

    def __init__(self, client: GoogleClient) -> None:
        """Ask through ``client``."""
        self._client = client

    async def open(self, calendar: CalendarKey, wish: Wish) -> Granted:
        """Watch a calendar's events; Google calls once before it answers, or soon after."""
        now = self._client.now()
        body: Json = {
            "id": wish.id,
            "type": "web_hook",
            "address": wish.address,
            "token": wish.secret.reveal(),
            "expiration": str(milliseconds(now + ASKED_FOR)),
        }
        path = wire.events_of(calendar, "watch")
        told = await self._client.send(Ask(method="POST", path=path, body=body))
        try:
            remote = str(told["resourceId"])
            expires_at = from_milliseconds(int(told["expiration"]))
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise MalformedReplyError(f"Google's channel cannot be read: {error!r}") from None
        renew_at = now + (expires_at - now) * RENEWED_AFTER
        return Granted(remote=remote, renew_at=renew_at, expires_at=expires_at)

    async def close(self, channel: str, remote: str) -> None:
        """Stop a channel; it may call for a while yet."""
        body: Json = {"id": channel, "resourceId": remote}
        try:
            await self._client.send(Ask(method="POST", path=_STOP, body=body))
        except NotFoundError:
            return
