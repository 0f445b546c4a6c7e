"""Channels of the Google fake, which really call (G12).

Numbers of messages are unordered, messages come twice or not at all, and a stopped channel may
still call, as a test wants. Calls go to this machine only: a ``doors`` entry is the proxy that ends
TLS before the daemon.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count

from aiohttp import ClientError, ClientSession

from tests.servers.discovery import Json
from tests.servers.google_truth import CalendarTruth

LONGEST = timedelta(days=7)
Fate = Callable[[Sequence["Message"]], Sequence["Message"]]


class NoChannelError(Exception):
    """What Google answers instead of a channel."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Message:
    """One call."""

    address: str
    headers: dict[str, str]


@dataclass(kw_only=True)
class Channel:
    """A channel; ``told`` is how much of the calendar's log it has called for."""

    id: str
    token: str
    address: str
    resource: str
    calendar: str
    until: datetime
    told: int
    stopped: bool = False
    numbers: "count[int]" = field(default_factory=count)

    def message(self, state: str) -> Message:
        number = 1 if state == "sync" else 1_000_000 - 7 * next(self.numbers)  # in no order
        return Message(
            address=self.address,
            headers={
                "X-Goog-Channel-ID": self.id,
                "X-Goog-Channel-Token": self.token,
                "X-Goog-Channel-Expiration": format_datetime(self.until, usegmt=True),
                "X-Goog-Resource-ID": self.resource,
                "X-Goog-Resource-URI": f"https://www.googleapis.com/{self.calendar}?alt=json",
                "X-Goog-Resource-State": state,
                "X-Goog-Message-Number": str(number),
            },
        )


def system_time() -> datetime:
    return datetime.now(UTC)


class Channels:
    """``unwatchable`` calendars refuse; ``fate`` is what the network does to calls."""

    def __init__(self, calendars: dict[str, CalendarTruth]) -> None:
        self.calendars = calendars
        self.channels: dict[str, Channel] = {}
        self.doors: dict[str, str] = {}
        self.unwatchable: set[str] = set()
        self.verified = True  # whether our address is one that Google calls
        self.now: Callable[[], datetime] = system_time
        self.longest = LONGEST
        self.fate: Fate = lambda messages: messages
        self.answers: list[int] = []
        self.heard = asyncio.Event()  # a call was taken

    async def watch(self, truth: CalendarTruth, body: Json) -> Json:
        """Open a channel; its first call comes before the answer."""
        name, address = body["id"], body["address"]
        if name in self.channels:
            raise NoChannelError(400, "channelIdNotUnique")
        if not 0 < len(name) <= 64 or body["type"] not in {"web_hook", "webhook"}:
            raise NoChannelError(400, "invalid")
        if not address.startswith("https://"):
            raise NoChannelError(400, "push.webhookUrlNotHttps")
        if not self.verified:
            raise NoChannelError(401, "push.webhookUrlUnauthorized")
        if truth.name in self.unwatchable:
            raise NoChannelError(400, "pushNotSupportedForRequestedResource")
        asked = datetime.fromtimestamp(int(body["expiration"]) / 1000, tz=UTC)
        made = Channel(
            id=name,
            token=body["token"],
            address=address,
            resource=f"resource-{truth.name}",
            calendar=truth.name,
            until=min(asked, self.now() + self.longest),
            told=truth.position,
        )
        self.channels[name] = made
        await self._send([made.message("sync")])
        return {
            "kind": "api#channel",
            "id": name,
            "resourceId": made.resource,
            "resourceUri": f"https://www.googleapis.com/{truth.name}?alt=json",
            "token": made.token,
            "expiration": str(int(made.until.timestamp() * 1000)),
        }

    async def stop(self, body: Json) -> None:
        found = self.channels.get(body["id"])
        if found is None or found.stopped or found.resource != body["resourceId"]:
            raise NoChannelError(404, "channelIdNotFound")
        found.stopped = True

    @property
    def living(self) -> list[Channel]:
        return [one for one in self.channels.values() if not one.stopped and one.until > self.now()]

    def due(self, *, stopped: bool = False) -> list[Message]:
        """Return a call for each change that a channel has not called for."""
        found = list[Message]()
        for one in list(self.channels.values()) if stopped else self.living:
            truth = self.calendars.get(one.calendar)
            if truth is not None:
                found += [one.message("exists") for _ in range(truth.position - one.told)]
                one.told = truth.position
        return found

    async def call(self, *, stopped: bool = False) -> None:
        """Make all calls that are due, also through channels that were stopped."""
        await self._send(self.due(stopped=stopped))

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Call as changes happen."""

        async def run() -> None:
            while True:
                await self.call()
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            caller = group.create_task(run(), name="google calls")
            yield
            caller.cancel()

    async def _send(self, messages: Sequence[Message]) -> None:
        async with ClientSession() as session:
            for one in self.fate(messages):
                origin = "/".join(one.address.split("/")[:3])
                url = one.address.replace(origin, self.doors.get(origin, ""), 1)
                if not url.startswith("http://127.0.0.1:"):
                    continue  # nobody there
                with suppress(ClientError):
                    async with session.post(url, headers=one.headers) as answer:
                        self.answers.append(answer.status)
                    if answer.status == 202:
                        self.heard.set()
