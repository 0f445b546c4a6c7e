"""People who edit, a server that fails, and what must hold of the stream whatever happens."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from syncd.model.contact import Contact
from syncd.model.errors import MalformedReplyError, TransientError
from syncd.model.event import Event
from syncd.model.ids import CalendarKey, ResourceKey
from syncd.ports.store.snapshots import Window
from syncd.store.open import SqlStore
from tests.engine.ground import INTERVAL, Ground, event, exception, on_store, series
from tests.engine.replay import Replay, truth
from tests.fakes.clock import FakeClock
from tests.fakes.provider import FakeCalendar, Faults

T = TypeVar("T")
KEYS = [f"{name}.ics" for name in "abcdefgh"]
CALENDARS = ["/work/", "/home/", "/team/"]
RECONCILED = timedelta(hours=27)
keys = st.sampled_from(KEYS)
names = st.sampled_from(["Review", "Lunch", "Plan", "Call"])
days = st.integers(1, 20)


class Field:
    """A store that all examples share, and the loop it lives on."""

    loop: asyncio.Runner
    store: SqlStore
    clock: FakeClock


class World(RuleBasedStateMachine):
    """People edit, servers fail, syncd polls."""

    field: ClassVar[Field]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.field.loop.run(work)

    @initialize(page_size=st.sampled_from([1, 2, 100]))
    def begin(self, page_size: int) -> None:
        made = on_store(self.field.store, self.field.clock, page_size=page_size)
        self.here: Ground = self.run(made)
        self.replay = Replay()
        self.saved = list[Replay]()
        self.renamed = set[str]()
        self.number = 0
        self.empties = self.flaps = 0
        self.blind = False  # something happened that only a reconcile can find
        self.here.server.add("/work/", "/work/ 0")
        self.people = self.here.server.add_book("/people/")

    # what people do

    def pick(self, key: str) -> FakeCalendar | None:
        """Return some calendar, by the letter of the key."""
        there = sorted(self.here.server.calendars)
        if not there:
            return None
        return self.here.server.calendars[there[ord(key[0]) % len(there)]]

    def events_of(self, key: str) -> tuple[FakeCalendar, tuple[Event, ...]] | None:
        here = self.pick(key)
        found = here and here.resources.get(ResourceKey(key))
        return (here, found.events) if here and found else None

    @rule(key=keys, name=names, day=days)
    def write_single(self, key: str, name: str, day: int) -> None:
        if here := self.pick(key):
            found = self.events_of(key)
            uid = found[1][0].uid if found else self.new_uid()
            here.put(key, event(name, day, uid=uid))

    @rule(key=keys, name=names, day=days, altered=st.sets(days, max_size=3))
    def write_series(self, key: str, name: str, day: int, altered: set[int]) -> None:
        if here := self.pick(key):
            found = self.events_of(key)
            uid = found[1][0].uid if found else self.new_uid()
            others = [exception(f"{name} {one}", one, uid=uid) for one in sorted(altered)]
            here.put(key, series(name, day, uid=uid), *others)

    @rule(key=keys, count=st.integers(5, 30))
    def write_many(self, key: str, count: int) -> None:
        if (here := self.pick(key)) and len(here.resources) < 60:
            for number in range(count):
                here.put(f"{key}-{number}", event(f"Many {number}", uid=self.new_uid()))

    @rule(key=keys)
    def remove(self, key: str) -> None:
        if found := self.events_of(key):
            found[0].remove(key)

    @rule(key=keys, new=keys)
    def rename(self, key: str, new: str) -> None:
        found = self.events_of(key)
        if found and ResourceKey(f"new-{new}") not in found[0].resources:
            self.renamed.add(found[1][0].uid)
            found[0].rename(key, f"new-{new}")

    @rule(key=keys, name=names)
    def write_contact(self, key: str, name: str) -> None:
        found = self.people.resources.get(ResourceKey(key))
        uid = found.uid if found else self.new_uid()
        self.people.put_contact(key, Contact(uid=uid, name=name, initials=uid))

    @rule(key=keys)
    def remove_contact(self, key: str) -> None:
        if ResourceKey(key) in self.people.resources:
            self.people.remove(key)

    @rule(key=st.sampled_from(CALENDARS))
    def add_calendar(self, key: str) -> None:
        if CalendarKey(key) not in self.here.server.calendars:
            self.number += 1
            self.here.server.add(key, f"{key} {self.number}")

    @rule(key=st.sampled_from(CALENDARS))
    def remove_calendar(self, key: str) -> None:
        self.here.server.calendars.pop(CalendarKey(key), None)

    def new_uid(self) -> str:
        self.number += 1
        return f"uid-{self.number}"

    # what goes wrong during the next poll

    @property
    def faults(self) -> Faults:
        return self.here.server.faults

    @rule(after=st.integers(0, 3), malformed=st.booleans())
    def break_off(self, after: int, malformed: bool) -> None:  # noqa: FBT001 - drawn
        self.faults.broken_after = after
        self.faults.breaking = (
            MalformedReplyError("cut short") if malformed else TransientError("reset")
        )

    @rule(where=st.sampled_from(["opening", "listing", "reading", "books"]))
    def fail(self, where: str) -> None:
        setattr(self.faults, where, TransientError("503"))

    @rule(after=st.sampled_from([None, None, 0, 1]))
    def expire(self, after: int | None) -> None:
        self.faults.expired = after is None
        self.faults.expires_after = after

    @precondition(lambda self: self.empties < 2)
    @rule()
    def answer_empty(self) -> None:
        """Lie: nothing is there, and that is complete; two times, as the third is believed."""
        self.faults.expired = self.faults.empty = True

    @rule()
    def flip_etags(self) -> None:
        self.faults.restless = True

    @rule()
    def lose_changes(self) -> None:
        self.faults.lossy = True

    @rule(key=keys)
    def break_body(self, key: str) -> None:
        self.faults.unread.add(ResourceKey(key))

    @precondition(lambda self: self.flaps < 2)
    @rule(key=st.sampled_from([*CALENDARS, "/people/"]))
    def flap(self, key: str) -> None:
        self.faults.hidden.add(CalendarKey(key))

    # what syncd does

    @rule(listing=st.booleans(), pause=st.sampled_from([INTERVAL, INTERVAL * 20, RECONCILED]))
    def poll(self, listing: bool, pause: timedelta) -> None:  # noqa: FBT001 - drawn
        held = (self.people, *self.here.server.calendars.values())
        there = {key for one in held for key in one.resources}
        unread = bool(self.faults.unread & there)
        self.blind = self.blind or unread or self.faults.lossy or self.faults.empty
        self.empties += self.faults.empty
        self.flaps += bool(self.faults.hidden)
        self.run(self.here.poll(listing=listing, after=pause))
        self.here.server.faults = Faults(unread=self.faults.unread)
        self.read()

    @rule()
    def poll_soon(self) -> None:
        self.poll(listing=False, pause=INTERVAL)

    @rule()
    def poll_after_a_while(self) -> None:
        self.poll(listing=False, pause=INTERVAL * 20)

    @rule()
    def keep_a_cursor(self) -> None:
        self.saved.append(self.replay.copy())

    @rule()
    def recover(self) -> None:
        """End the faults; then stream and provider agree, and nothing more is told."""
        self.here.server.faults = Faults()
        pauses = [INTERVAL * 16] * 4  # longer than any back-off, and than the brake's delay
        if self.blind:
            pauses = [RECONCILED, *pauses]
        for pause in pauses:
            self.run(self.here.poll(listing=True, after=pause))
            self.read()
        self.empties = self.flaps = 0
        self.blind = False
        assert self.replay.shape() == truth(self.here.server), "the stream is not the truth"
        assert self.run(self.here.poll()).activities == 0
        assert not self.run(self.here.profile()).suspect
        assert self.stored() == self.replay.events.keys() | self.replay.contacts.keys()

    def teardown(self) -> None:
        if hasattr(self, "here"):
            self.recover()
            for kept in self.saved:
                kept.apply(self.run(self.here.activities(kept.position)))
                assert kept == self.replay

    # what is checked after every poll

    def read(self) -> None:
        """Apply what is new (I2, I3, legality), and look for deletes that nobody made (I7)."""
        deleted = self.replay.apply(self.run(self.here.activities(self.replay.position)))
        there = {
            (one.uid, one.original_start)
            for calendar in self.here.server.calendars.values()
            for resource in calendar.resources.values()
            for one in resource.events
            if one.uid not in self.renamed
        }
        alive = {uid for uid, _ in there}
        alive |= {one.uid for one in self.people.resources.values()}
        for one in deleted:
            if one["type"] == "contact":
                assert one["initials"] not in alive, "a false delete"
            elif "original_start" not in one:
                assert one["ical_uid"] not in alive, "a false delete"

    def stored(self) -> set[str]:
        calendars = self.run(self.here.store.calendars(self.here.profile_id, holds=None))
        window = Window(calendars=tuple(one.id for one in calendars))
        return {one.id for one in self.run(self.here.store.events(window))}
