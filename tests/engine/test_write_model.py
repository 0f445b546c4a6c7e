"""A random application that writes, among people who edit and servers that fail.

The checker of ``world`` holds for its writes too: what the stream tells is legal, and in the end
it tells the provider's truth, whoever changed that.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from syncd.engine import recorder
from syncd.engine.browse import Browser
from syncd.engine.draft import EventDraft
from syncd.engine.write import Writer
from syncd.model.calendar import KnownCalendar
from syncd.model.edit import CalendarEdit
from syncd.model.errors import RequestError, StaleStateError, UpstreamError
from syncd.model.ids import EventId, slot_id
from syncd.ports.delta import Delta
from tests.api.serving import inline
from tests.engine import test_model as model
from tests.engine.desk import draft
from tests.engine.ground import INTERVAL
from tests.engine.test_model import EXAMPLES, NIGHTLY, PARTS, field, finds, machine_settings
from tests.engine.world import CALENDARS, Field, World, days, names
from tests.fakes.calendars import FakeCalendar, Faults

__all__ = ["field"]  # a fixture

Write = Callable[[Writer, KnownCalendar], Awaitable[object]]
picks = st.integers(0, 99)
meanwhile = st.sampled_from(["", "", "edit", "poll", "edit, poll", "remove", "remove, poll"])


class WritingWorld(World):
    """People edit, an application writes, servers fail, syncd polls."""

    def write(self, write: Write, pick: int, events: str = "", *, before: str, after: str) -> None:
        """Let the application write, while others do ``before`` and ``after`` the server did."""
        unread = self.faults.unread
        self.blind = self.blind or bool(unread)
        self.here.server.faults = Faults(unread=unread)
        self.faults.before = self._others(before, events)
        self.faults.after = self._others(after, events)
        self.run(self._write(write, pick))
        self.here.server.faults = Faults(unread=unread)
        self.read()

    async def _write(self, write: Write, pick: int) -> None:
        here = self.here
        known = await here.store.calendars(here.profile_id)
        if not known:
            return
        browser = Browser(here.store, inline, here.clock)
        async with Writer(
            here.store, here.server, browser, here.hub, here.clock, written=here.written
        ) as writer:
            with suppress(RequestError, UpstreamError, StaleStateError):
                await write(writer, known[pick % len(known)])

    def _others(self, what: str, uid: str) -> Callable[[], Awaitable[None]] | None:
        if not what:
            return None

        async def act() -> None:
            self.faults.before = self.faults.after = None
            for calendar, key in self._holding(uid):
                if "edit" in what:
                    first, *rest = calendar.resources[key].events
                    self.number += 1
                    calendar.put(key, replace(first, location=f"Room {self.number}"), *rest)
                if "remove" in what:
                    calendar.remove(key)
            if "poll" in what:
                await self.here.poll(after=INTERVAL)

        return act

    def _holding(self, uid: str) -> Iterator[tuple[FakeCalendar, Any]]:
        for calendar in self.here.server.calendars.values():
            for key, one in list(calendar.resources.items()):
                if one.uid == uid:
                    yield calendar, key

    def some_event(self, pick: int) -> dict[str, Any] | None:
        """Return an event that the application knows of."""
        known = sorted(self.replay.events)
        return self.replay.events[known[pick % len(known)]] if known else None

    def on_event(
        self,
        pick: int,
        write: Callable[[Writer, Any, KnownCalendar, EventId], Awaitable[object]],
        where: int | None,
        before: str,
        after: str,
    ) -> None:
        """Write to an event, or on one of its days if it is a series."""
        told = self.some_event(pick)
        if told is None:
            return
        name = EventId(told["id"])
        if where is not None and told["recurrence_type"] == "recurring_master":
            name = slot_id(name, f"202611{where:02}T090000Z")  # type: ignore[arg-type]

        async def run(writer: Writer, _: KnownCalendar) -> None:
            known = await self.here.store.calendar(told["calendar_id"])
            await write(writer, await self.here.profile(), known, name)

        self.write(run, 0, told["ical_uid"], before=before, after=after)

    # what the application does

    @rule(pick=picks, name=names, day=days, series=st.booleans(), after=meanwhile)
    def app_creates(self, pick: int, name: str, day: int, series: bool, after: str) -> None:  # noqa: FBT001 - drawn
        self.number += 1
        uid = f"app-{self.number:018}"
        rules = ("RRULE:FREQ=DAILY;COUNT=9",) if series else ()

        async def create(writer: Writer, known: KnownCalendar) -> None:
            profile, asked = await self.here.profile(), draft(name, day, recurrence=rules)
            await writer.create_event(profile, known, asked, name=uid)

        self.write(create, pick, uid, before="", after=after)

    @rule(pick=picks, name=names, where=st.none() | days, before=meanwhile, after=meanwhile)
    def app_renames(self, pick: int, name: str, where: int | None, before: str, after: str) -> None:
        async def rename(writer: Writer, profile: Any, known: Any, event: EventId) -> None:  # noqa: ANN401
            await writer.update_event(profile, known, event, EventDraft(name=name))

        self.on_event(pick, rename, where, before, after)

    @rule(pick=picks, where=st.none() | days, before=meanwhile, after=meanwhile)
    def app_deletes(self, pick: int, where: int | None, before: str, after: str) -> None:
        async def delete(writer: Writer, profile: Any, known: Any, event: EventId) -> None:  # noqa: ANN401
            await writer.delete_event(profile, known, event)

        self.on_event(pick, delete, where, before, after)

    @rule(pick=picks, name=names, after=meanwhile)
    def app_renames_a_calendar(self, pick: int, name: str, after: str) -> None:
        self.number += 1
        edit = CalendarEdit(name=f"{name} {self.number}")

        async def rename(writer: Writer, known: KnownCalendar) -> None:
            await writer.update_calendar(await self.here.profile(), known, edit)

        self.write(rename, pick, before="", after=after)

    @rule(key=st.sampled_from(CALENDARS), after=meanwhile)
    def app_makes_a_calendar(self, key: str, after: str) -> None:
        self.number += 1
        edit = CalendarEdit(name=f"Mine {self.number}")

        async def make(writer: Writer, _: KnownCalendar) -> None:
            await writer.create_calendar(await self.here.profile(), edit, name=key.strip("/"))

        self.write(make, 0, before="", after=after)

    @rule(pick=picks, after=meanwhile)
    def app_deletes_a_calendar(self, pick: int, after: str) -> None:
        async def delete(writer: Writer, known: KnownCalendar) -> None:
            await writer.delete_calendar(await self.here.profile(), known)

        self.write(delete, pick, before="", after=after)


@pytest.mark.timeout(6 * 3600 if NIGHTLY else 240)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_stream_tells_the_truth_of_writes_too(field: Field, part: int) -> None:
    """I1-I10 and R13, whoever wrote, and whatever came in between."""
    assert World.field is field
    assert part < PARTS
    chosen = machine_settings(EXAMPLES // PARTS // 2)
    run_state_machine_as_test(WritingWorld, settings=chosen)


@pytest.mark.timeout(120)
def test_an_older_state_over_a_newer_is_found(
    field: Field,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Negative control: a write that lost its turn records what it was told before."""
    assert World.field is field
    honest = recorder.Recorder.record

    async def stubborn(self: Any, profile: Any, before: Any, page: Delta, again: Any) -> None:  # noqa: ANN401
        del again

        async def same() -> Delta:
            return page

        await honest(self, profile, before, page, same)

    monkeypatch.setattr(recorder.Recorder, "record", stubborn)
    other = ("app_renames_a_calendar", "app_makes_a_calendar", "app_deletes_a_calendar")
    faults = ("break_off", "fail", "expire", "answer_empty", "flip_etags", "lose_changes")
    hidden = ("break_body", "flap", "write_many")
    finds(
        "is not the truth",
        WritingWorld,
        without=(*model.PEOPLE, *model.CALENDARS, *other, *faults, *hidden),
    )
