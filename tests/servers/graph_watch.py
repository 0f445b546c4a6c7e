"""Subscriptions of the Graph fake, which really call (MG16).

Graph looks first whether the address answers, sends many notices at once, withholds them from a
subscription that must be authorized anew, and removes one without asking. Calls go to this machine
only: a ``doors`` entry is the proxy that ends TLS before the daemon.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import ClientError, ClientSession, ClientTimeout
from jsonschema import ValidationError

from tests.servers.google_watch import system_time
from tests.servers.graph_mailbox import Call, RefusedError
from tests.servers.graph_schema import check
from tests.servers.graph_truth import CalendarTruth, Json

LONGEST = timedelta(minutes=4230)
HANDSHAKE = "Validation: Testing client application reachability for subscription <b>&+é"
Fate = Callable[[Sequence[Json]], Sequence[Json]]


@dataclass(kw_only=True)
class Subscription:
    """One subscription; ``told`` is how much of the calendar's log it has called for."""

    id: str
    asked: Json
    calendar: str
    until: datetime
    told: int
    authorized: bool = True

    def resource(self) -> Json:
        hidden = {**self.asked, "expirationDateTime": graph_time(self.until)}
        del hidden["clientState"]  # Graph tells it in notices alone
        return {"id": self.id, **hidden}

    def notice(self, **more: object) -> Json:
        return {
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": graph_time(self.until),
            "clientState": self.asked["clientState"],
            "tenantId": "72f988bf-0000-4000-8000-2d7cd011db47",
            **more,
        }


def graph_time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.9356913Z"


def _published(notice: Json) -> Json:
    """Return a notice without what Microsoft's pages show and the OpenAPI document leaves out."""
    told = dict(notice)
    if "resourceData" in told:
        kept = {name: one for name, one in told["resourceData"].items() if name != "id"}
        told["resourceData"] = kept
    return told


class Subscriptions:
    """``unwatchable`` calendars refuse; ``fate`` is what the network does to notices."""

    def __init__(self, calendars: dict[str, CalendarTruth], complaints: list[str]) -> None:
        self.calendars = calendars
        self.complaints = complaints
        self.living: dict[str, Subscription] = {}
        self.doors: dict[str, str] = {}
        self.unwatchable: set[str] = set()
        self.now: Callable[[], datetime] = system_time
        self.longest = LONGEST
        self.fate: Fate = lambda notices: notices
        self.answers: list[int] = []
        self.opened = asyncio.Event()

    async def perform(self, call: Call) -> tuple[int, Json | None]:
        """Make, change or delete; raises RefusedError."""
        if call.method == "POST":
            return 201, await self._make(call.body)
        found = self.living.get(call.path.rpartition("/")[2])
        if found is None or found.until <= self.now():
            raise RefusedError(404, "ResourceNotFound")
        if call.method == "DELETE":
            del self.living[found.id]
            return 204, None
        if call.body.keys() != {"expirationDateTime"}:
            raise RefusedError(400, "InvalidRequest")
        found.until, found.authorized = self._until(call.body), True
        return 200, found.resource()

    async def _make(self, body: Json) -> Json:
        parts = body["resource"].split("/")
        if parts[:3] != ["", "me", "calendars"] or parts[4:] != ["events"]:
            raise RefusedError(400, "InvalidRequest")
        truth = self.calendars.get(parts[3])
        if truth is None:
            raise RefusedError(404, "ErrorItemNotFound")
        if truth.key in self.unwatchable:
            raise RefusedError(403, "ErrorAccessDenied")
        if body["changeType"] != "created,updated,deleted" or len(body["clientState"]) > 128:
            raise RefusedError(400, "InvalidRequest")
        until = self._until(body)
        for name in ("notificationUrl", "lifecycleNotificationUrl"):
            if not body[name].startswith("https://") or not await self._answers(body[name]):
                raise RefusedError(400, "SubscriptionValidationFailed")
        made = Subscription(
            id=str(uuid.uuid4()),
            asked=body,
            calendar=truth.key,
            until=until,
            told=len(truth.log),
        )
        self.living[made.id] = made
        self.opened.set()
        return made.resource()

    def _until(self, body: Json) -> datetime:
        asked = datetime.fromisoformat(body["expirationDateTime"])
        if not self.now() < asked <= self.now() + LONGEST:
            raise RefusedError(400, "InvalidRequest")
        return min(asked, self.now() + self.longest).astimezone(UTC).replace(microsecond=0)

    async def _answers(self, address: str) -> bool:
        """Tell whether the address echoes what it is asked, as plain text, within 10 s."""
        url = self._door(address)
        if url is None:
            return False
        query, kind = {"validationToken": HANDSHAKE}, {"Content-Type": "text/plain; charset=utf-8"}
        async with (
            ClientSession(timeout=ClientTimeout(total=10)) as session,
            session.post(url, params=query, headers=kind) as answer,
        ):
            plain = answer.content_type == "text/plain"
            return answer.status == 200 and plain and await answer.text() == HANDSHAKE

    def due(self) -> list[Json]:
        """Return a notice for each change that a subscription has not called for."""
        found = list[Json]()
        for one in self.living.values():
            truth = self.calendars.get(one.calendar)
            if truth is None or not one.authorized or one.until <= self.now():
                continue
            for key in truth.log[one.told :]:
                name = f"Users/1/Events/{key}"
                told = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": name, "id": key}
                found.append(one.notice(changeType="updated", resource=name, resourceData=told))
            one.told = len(truth.log)
        return found

    async def call(self) -> None:
        """Send the notices that are due."""
        await self._send(self.due())

    async def say(self, word: str) -> None:
        """Tell every subscription something about itself."""
        notices = [one.notice(lifecycleEvent=word) for one in self.living.values()]
        if word == "reauthorizationRequired":
            for one in self.living.values():
                one.authorized = False
        if word == "subscriptionRemoved":
            self.living.clear()
        await self._send(notices)

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Call as changes happen."""

        async def run() -> None:
            while True:
                await self.call()
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            caller = group.create_task(run(), name="graph calls")
            yield
            caller.cancel()

    async def _send(self, notices: Sequence[Json]) -> None:
        """Send notices together, as Graph may, whatever subscription they are of."""
        told = list(self.fate(notices))
        if not told:
            return
        body = {"value": told}
        try:
            check("changeNotificationCollection", {"value": [_published(one) for one in told]})
        except ValidationError as error:
            self.complaints.append(f"a notice: {error.json_path}: {error.message}")
        for url in set(self.doors.values()):
            async with ClientSession() as session:
                with suppress(ClientError):
                    async with session.post(f"{url}/v1/push/graph", json=body) as answer:
                        self.answers.append(answer.status)

    def _door(self, address: str) -> str | None:
        origin = "/".join(address.split("/")[:3])
        url = address.replace(origin, self.doors.get(origin, ""), 1)
        return url if url.startswith("http://127.0.0.1:") else None
