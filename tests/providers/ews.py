"""An Exchange adapter signed in at the fake, and one calendar followed as an engine would."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from syncd.model.calendar import Calendar
from syncd.model.edit import EventEdit
from syncd.model.event import Event
from syncd.model.ids import CalendarKey, ProfileId, ResourceKey, UserId
from syncd.model.profile import Profile
from syncd.model.resource import RawResource, Resource
from syncd.model.when import When
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Secret
from syncd.providers.ews.adapter import EwsAdapter
from syncd.providers.kind import Rim
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.follow import Follower, Read
from tests.servers.ews import EwsServer
from tests.servers.ews_truth import Item
from tests.servers.ews_xml import Xml, t

BERLIN = ZoneInfo("Europe/Berlin")
GERMANY = "W. Europe Standard Time"
NAME = "n" * 22


def at(day: int, hour: int = 9, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BERLIN)


def event(
    name: str, start: datetime, hours: float = 1, *more: Xml, zone: str = GERMANY
) -> list[Xml]:
    """Return the members of an event as another device sends them."""
    end = start + timedelta(hours=hours)
    return [
        t("Subject", name),
        t("Start", start.isoformat()),
        t("End", end.isoformat()),
        *more,
        t("StartTimeZone", Id=zone),
        t("EndTimeZone", Id=zone),
    ]


def weekly(count: int = 8, day: str = "2026-11-24", weekday: str = "Tuesday") -> Xml:
    return t(
        "Recurrence",
        t(
            "WeeklyRecurrence",
            t("Interval", "1"),
            t("DaysOfWeek", weekday),
            t("FirstDayOfWeek", "Monday"),
        ),
        t(
            "NumberedRecurrence",
            t("StartDate", f"{day}+01:00"),
            t("NumberOfOccurrences", str(count)),
        ),
    )


@dataclass(kw_only=True)
class EwsDesk:
    """``follower`` reads the primary calendar; ``held`` are its resources by now."""

    server: EwsServer
    adapter: EwsAdapter
    clock: FakeClock
    signed: SignedIn
    profile: Profile
    keys: FakeKeys
    provider: Provider
    follower: Follower
    held: dict[ResourceKey, Resource]

    @property
    def key(self) -> CalendarKey:
        return self.follower.key

    async def read(self, *, full: bool = False) -> Read:
        read = await self.follower.read(full=full)
        for page in read.pages:
            self.take(page.upserts, page.deleted)
        if read.last.complete:
            named = frozenset().union(*(page.named for page in read.pages))
            self.held = {key: one for key, one in self.held.items() if key in named}
        return read

    def take(self, upserts: tuple[Resource, ...], deleted: frozenset[ResourceKey]) -> None:
        self.held |= {one.key: one for one in upserts}
        for key in deleted:
            self.held.pop(key, None)

    def events(self, key: str) -> tuple[Event, ...]:
        return self.held[ResourceKey(key)].events

    def raw(self, key: str) -> RawResource:
        one = self.held[ResourceKey(key)]
        return RawResource(key=one.key, etag=one.etag, raw=one.raw)

    async def calendar(self, name: str) -> Calendar:
        return next(one for one in await self.provider.calendars() if one.name == name)


@asynccontextmanager
async def ews_adapter(
    clock: FakeClock,
    trusted: ssl.SSLContext | None = None,
    **more: Any,  # noqa: ANN401
) -> AsyncIterator[EwsAdapter]:
    connector = TCPConnector(ssl=trusted or True)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session:
        admits = {"admits": lambda *_: True, **more}
        yield EwsAdapter(Rim(session=lambda: session, clock=clock, **admits))


def ews_login(server: EwsServer, **members: Any) -> Login:  # noqa: ANN401
    told = {"username": server.username, "password": Secret(server.password), "url": server.url}
    return Login(provider="ews", **{**told, **members})


def profile_of(signed: SignedIn, clock: FakeClock) -> Profile:
    return Profile(
        id=ProfileId(1),
        user_id=UserId("acc_1"),
        provider="ews",
        login=signed.login,
        identity=signed.identity,
        created=clock.now(),
        modified=clock.now(),
        state_since=clock.now(),
        settings=signed.settings,
    )


@asynccontextmanager
async def ews_desk(
    server: EwsServer, trusted: ssl.SSLContext | None = None
) -> AsyncIterator[EwsDesk]:
    clock = FakeClock()
    async with ews_adapter(clock, trusted) as adapter:
        signed = await adapter.sign_in(ews_login(server))
        profile = profile_of(signed, clock)
        keys = FakeKeys(**{name: one.reveal() for name, one in signed.secrets.items()})
        async with adapter.open(profile, keys) as provider:
            yield EwsDesk(
                server=server,
                adapter=adapter,
                clock=clock,
                signed=signed,
                profile=profile,
                keys=keys,
                provider=provider,
                follower=Follower(provider, CalendarKey(server.calendar.id)),
                held={},
            )


def instant(day: int, hour: int, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def new(name: str = "New", start: When | None = None, end: When | None = None) -> EventEdit:
    zone = "Europe/Berlin" if end is None else None
    return EventEdit(
        name=name,
        start=start or at(24),
        end=end or at(24, 10),
        start_zone=zone,
        end_zone=zone,
    )


def written(desk: EwsDesk) -> Item:
    (one,) = desk.server.calendar.items.values()
    return one
