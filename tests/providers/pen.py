"""Writes one calendar behind the quirk proxy."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from syncd.model.edit import EventEdit
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey
from syncd.model.resource import RawResource, Resource
from syncd.ports.writing import Wrote
from tests.providers.follow import Desk
from tests.servers.quirk_proxy import QuirkProxy

NAME = "Zm9vYmFyYmF6cXV4cXV1eA"
START = datetime(2026, 11, 24, 9, tzinfo=UTC)


def new(name: str = "New", start: datetime = START) -> EventEdit:
    end = start + timedelta(hours=1)
    return EventEdit(name=name, start=start, end=end, start_zone="UTC", end_zone="UTC")


@dataclass
class Pen:
    """Writes the calendar Work."""

    proxy: QuirkProxy
    desk: Desk
    key: CalendarKey

    async def create(self, name: str = "New", *, key: str = NAME) -> Wrote:
        return await self.desk.provider.create_event(self.key, new(name), name=key)

    async def update(self, before: Resource, name: str = "Changed") -> Wrote:
        return await self.desk.provider.update_event(
            self.key, raw(before), WHOLE, EventEdit(name=name)
        )

    async def delete(self, before: Resource) -> Wrote:
        return await self.desk.provider.delete_event(self.key, raw(before), WHOLE)

    async def read(self, name: str = "e0.ics") -> Resource:
        key = ResourceKey(f"{self.key}{name}")
        found = await self.desk.provider.resources(self.key, [key])
        return found.upserts[0]

    def asked(self, *methods: str) -> list[str]:
        return [one.method for one in self.proxy.asked if one.method in methods]


def raw(resource: Resource) -> RawResource:
    return RawResource(key=resource.key, etag=resource.etag, raw=resource.raw)


def names(wrote: Wrote) -> list[str | None]:
    return [event.name for one in wrote.upserts for event in one.events]


def refusing(status: int, body: str = "", **headers: str) -> web.Response:
    kind = "text/xml" if body.startswith("<") else "text/plain"
    return web.Response(status=status, text=body, content_type=kind, headers=headers)
