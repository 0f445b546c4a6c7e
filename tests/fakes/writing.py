"""Writing at the fake provider: etags, names and slots as ``ports.writing`` promises them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from syncd.model.abilities import Abilities
from syncd.model.calendar import Calendar
from syncd.model.edit import UNSET, CalendarEdit, EventEdit, Unset
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.event import Event
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.model.resource import RawResource, Resource, slot
from syncd.model.when import is_date, slot_of
from syncd.ports.delta import Delta
from syncd.ports.writing import Writing, Wrote, WroteCalendar
from tests.fakes.calendars import FakeCalendar, Faults

DAY = timedelta(days=1)


class Side(Protocol):
    """What writing touches of the server; ``writes`` counts those that were asked for."""

    calendars: dict[CalendarKey, FakeCalendar]
    faults: Faults
    writes: int
    rereads: int
    can: Abilities

    def add(self, key: str, name: str = "Work", **fields: object) -> FakeCalendar: ...


class FakeWriting(Writing):
    """Keeps every promise of ``Writing`` unless a fault says else."""

    def __init__(self, side: Side) -> None:
        self._side = side

    async def create_event(self, calendar: CalendarKey, edit: EventEdit, *, name: str) -> Wrote:
        here = await self._begin(calendar)
        key = ResourceKey(f"{name}.ics")
        if key not in here.resources:
            assert not isinstance(edit.start, Unset)
            assert not isinstance(edit.end, Unset)
            bare = Event(uid=name, start=edit.start, end=edit.end)
            here.put(key, applied(bare, edit))
        return await self._wrote(here, key, WHOLE)

    async def update_event(
        self, calendar: CalendarKey, before: RawResource, slot: Slot, edit: EventEdit
    ) -> Wrote:
        here = await self._begin(calendar)
        events = self._held(here, before)
        if slot not in events:
            events[slot] = _exception(events[WHOLE], slot)
        events[slot] = applied(events[slot], edit)
        here.put(before.key, *events.values())
        return await self._wrote(here, before.key, slot)

    async def delete_event(self, calendar: CalendarKey, before: RawResource, slot: Slot) -> Wrote:
        here = await self._begin(calendar)
        if before.key not in here.resources:
            return await self._wrote(here, before.key, slot)
        events = self._held(here, before)
        if slot == WHOLE:
            here.remove(before.key)
        else:
            events.pop(slot, None)
            master = events[WHOLE]
            excluded = f"EXDATE{';VALUE=DATE' if is_date(master.start) else ''}:{slot}"
            events[WHOLE] = replace(master, recurrence=(*master.recurrence, excluded))
            here.put(before.key, *events.values())
        return await self._wrote(here, before.key, slot)

    async def resources(self, calendar: CalendarKey, keys: Collection[ResourceKey]) -> Delta:
        self._side.rereads += 1
        here = self._calendar(calendar)
        there = [here.resources[key] for key in sorted(keys) if key in here.resources]
        unread = self._side.faults.unread
        return Delta(
            upserts=tuple(one for one in there if one.key not in unread),
            deleted=frozenset(key for key in keys if key not in here.resources),
            unread={one.key: "not a calendar" for one in there if one.key in unread},
        )

    async def create_calendar(self, edit: CalendarEdit, *, name: str) -> WroteCalendar:
        await self._say()
        key = CalendarKey(f"/{name}/")
        if key not in self._side.calendars:
            self._side.add(key, timezone=None)
            self._apply(key, edit)
        return await self._told(key)

    async def update_calendar(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        await self._begin(calendar)
        self._apply(calendar, edit)
        return await self._told(calendar)

    async def delete_calendar(self, calendar: CalendarKey) -> None:
        await self._say()
        self._side.calendars.pop(calendar, None)
        await self._answer()

    async def _begin(self, calendar: CalendarKey) -> FakeCalendar:
        await self._say()
        return self._calendar(calendar)

    async def _say(self) -> None:
        faults = self._side.faults
        self._side.writes += 1
        if faults.before:
            await faults.before()
        if faults.writing:
            raise faults.writing

    async def _answer(self) -> None:
        faults = self._side.faults
        if faults.after:
            await faults.after()
        if faults.answering:
            raise faults.answering

    def _calendar(self, calendar: CalendarKey) -> FakeCalendar:
        if calendar not in self._side.calendars or calendar in self._side.faults.hidden:
            raise NotFoundError("no such calendar")
        return self._side.calendars[calendar]

    def _held(self, here: FakeCalendar, before: RawResource) -> dict[Slot, Event]:
        if before.key not in here.resources:
            raise NotFoundError("no such event")
        found = here.resources[before.key]
        if found.etag != before.etag:
            raise ConflictError("another version is there")
        return {slot(one): one for one in found.events}

    async def _wrote(self, here: FakeCalendar, key: ResourceKey, where: Slot) -> Wrote:
        """Answer with what is there now, though the answer may take its time."""
        found = here.resources.get(key)
        await self._answer()
        if found is None:
            return Wrote(key=key, slot=where, deleted=frozenset({key}))
        if self._side.faults.blurred:
            found = Resource(key=key, events=(), etag=found.etag, faults=("line 7 is broken",))
        return Wrote(key=key, slot=where, upserts=(found,))

    async def _told(self, key: CalendarKey) -> WroteCalendar:
        found = self._side.calendars[key].calendar
        await self._answer()
        return WroteCalendar(calendar=found)

    def _apply(self, key: CalendarKey, edit: CalendarEdit) -> None:
        here = self._side.calendars[key]
        taken = [one.calendar.name for name, one in self._side.calendars.items() if name != key]
        if edit.name in taken and self._side.can.unique_calendar_names:
            raise ConflictError("a calendar has this name")
        here.calendar = edited(here.calendar, edit)


def edited(calendar: Calendar, edit: CalendarEdit) -> Calendar:
    """Return a calendar with an edit's values."""
    names = ("name", "description", "location", "timezone", "color")
    given = {name: getattr(edit, name) for name in names}
    return replace(calendar, **{name: one for name, one in given.items() if one is not UNSET})


def applied(event: Event, edit: EventEdit) -> Event:
    """Return an event with an edit's values."""
    if edit.name == "refused":
        raise InvalidError("this server does not like the name")
    names = (
        *("name", "description", "location", "start", "end", "start_zone", "end_zone"),
        *("organizer", "attendees", "reminders", "use_default_reminder", "recurrence"),
        *("custom_properties", "visibility", "transparent", "color", "geo"),
    )
    given = {name: getattr(edit, name) for name in names}
    event = replace(event, **{name: one for name, one in given.items() if one is not UNSET})
    if edit.reply is UNSET:
        return event
    mine, answer = edit.reply.email, edit.reply.answer
    people = [replace(one, answer=answer) if one.email == mine else one for one in event.attendees]
    return replace(event, attendees=tuple(people))


def _exception(master: Event, where: Slot) -> Event:
    """Return the occurrence that a slot names, as an exception that changes nothing yet."""
    day = master.start
    for _ in range(400):
        if slot_of(day) == where:
            break
        day += DAY
    else:
        raise NotFoundError("the series does not come by then")
    return replace(
        master,
        start=day,
        end=master.end + (day.toordinal() - master.start.toordinal()) * DAY,
        recurrence=(),
        original_start=day,
        original_start_zone=master.start_zone,
    )
