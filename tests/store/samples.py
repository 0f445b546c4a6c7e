"""Values to put into a store."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from syncd.model.access import Application, User
from syncd.model.activity import Kind, Record, Type
from syncd.model.calendar import Calendar, KnownCalendar
from syncd.model.ids import (
    WHOLE,
    ApplicationId,
    CalendarKey,
    ProfileId,
    ResourceKey,
    Slot,
    UserId,
    calendar_id,
    event_id,
)
from syncd.model.profile import Profile
from syncd.model.resource import Change, KeptEvent, KeptResource
from syncd.ports.store import Store
from tests.store.opening import NOON

USER = UserId("acc_one")


def a_profile(profile: int = 1, **fields: object) -> Profile:
    plain = Profile(
        id=ProfileId(profile),
        user_id=USER,
        provider="caldav",
        login="ada",
        identity=f"https://dav.example/{profile}",
        created=NOON,
        modified=NOON,
        state_since=NOON,
        next_poll_at=NOON,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # names are checked at run time


def a_calendar(profile: ProfileId, key: str = "/cal/", **fields: object) -> KnownCalendar:
    plain = KnownCalendar(
        id=calendar_id(profile, CalendarKey(key)),
        profile_id=profile,
        calendar=Calendar(key=CalendarKey(key), name=key.strip("/")),
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # names are checked at run time


def a_record(object_id: str = "one", **fields: object) -> Record:
    plain = Record(
        kind=Kind.EVENT,
        type=Type.ADD,
        object_id=object_id,
        body=b'{"type":"add","metadata":{"id":"%s"}}' % object_id.encode(),
        recorded_at=NOON,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # names are checked at run time


def an_event(calendar: KnownCalendar, key: str, slot: str = WHOLE, **fields: object) -> KeptEvent:
    identity = event_id(calendar.id, ResourceKey(key), Slot(slot))
    plain = KeptEvent(
        id=identity,
        key=ResourceKey(key),
        slot=Slot(slot),
        content=b"content of " + key.encode(),
        document=b'{"id":"%s"}' % identity.encode(),
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=1),
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # names are checked at run time


def a_resource(key: str, etag: str = '"1"') -> KeptResource:
    return KeptResource(key=ResourceKey(key), uid=f"uid of {key}", etag=etag, raw=b"BEGIN:" * 100)


def a_page(calendar: KnownCalendar, keys: Iterable[str]) -> Change:
    """Return a page of new single events, each with its activity."""
    events = [an_event(calendar, key) for key in keys]
    return Change(
        kept=tuple(a_resource(event.key) for event in events),
        events=tuple(events),
        records=tuple(a_record(event.id, calendar_id=calendar.id) for event in events),
    )


async def with_profile(store: Store, profile: int = 1) -> Profile:
    """Add a profile, and the user where it is the first."""
    if await store.user_named("ada") is None:
        await store.add_user(User(id=USER, name="ada", created=NOON))
    added = a_profile(profile)
    await store.add_profile(added, sealed={}, records=())
    return added


async def with_calendar(store: Store, profile: int = 1, key: str = "/cal/") -> KnownCalendar:
    """Add a profile with one calendar, and return it as a first poll finds it."""
    added = await with_profile(store, profile)
    await store.save_calendars(added.id, [a_calendar(added.id, key)], generation=1)
    return (await store.calendars(added.id))[0]


def an_application(name: str = "one") -> Application:
    return Application(
        id=ApplicationId(f"app_{name}"),
        name=name,
        created=NOON,
        origins=(f"https://{name}.example",),
    )
