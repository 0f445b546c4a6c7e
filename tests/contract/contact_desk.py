"""Contacts of a profile in the cloud, as the stream tells them and as they are there."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic

import orjson

from syncd.model.activity import Filter, Kind
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.ids import Position
from tests.contract.cloud import CloudRig, S

Person = tuple[str, tuple[str, ...], tuple[str, ...]]  # name, e-mail addresses, phone numbers


@dataclass(kw_only=True)
class ContactDesk(Generic[S]):
    """``held`` is what the stream told of contacts so far."""

    rig: CloudRig[S]
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: int = 0

    @property
    def asked(self) -> int:
        """Return how often the provider was asked about contacts."""
        raise NotImplementedError

    async def there(self) -> list[Person]:
        """Return what the provider holds."""
        raise NotImplementedError

    async def told(self) -> list[str]:
        """Apply what is new of ``objects=contact``; return it as words."""
        words = list[str]()
        wanted = Filter(kinds=frozenset({Kind.CONTACT}))
        _, found, _ = await self.rig.store.read(
            self.rig.connected.id, after=Position(self.position), limit=1000, wanted=wanted
        )
        for one in found:
            record = orjson.loads(one.body)
            name = record["metadata"]["id"]
            assert (name in self.held) == (record["type"] != "add"), "applied twice, or never"
            if record["type"] == "delete":
                del self.held[name]
            else:
                self.held[name] = record["metadata"]
            self.position = one.position
            words.append(f"{record['type']} {record['metadata']['name']}")
        return sorted(words)

    def shown(self) -> list[Person]:
        return sorted(
            (
                one["name"],
                tuple(sorted(email["value"] for email in one["emails"])),
                tuple(sorted(phone["value"] for phone in one["phones"])),
            )
            for one in self.held.values()
        )

    async def step(self, *expected: str) -> None:
        """Poll; the stream told exactly this of contacts, and now holds what is there."""
        polled = await self.rig.poll()
        assert polled.error is None
        assert await self.told() == sorted(expected)
        assert self.shown() == await self.there()

    async def books(self) -> dict[str, KnownCalendar]:
        """Return the address books by name."""
        found = await self.rig.store.calendars(self.rig.connected.id, holds=Holds.CONTACTS)
        return {one.calendar.name: one for one in found}

    async def book(self) -> KnownCalendar:
        (found,) = (await self.books()).values()
        return found

    async def asks(self, *, after: timedelta, listing: bool = False) -> int:
        """Poll once; return how often the provider was asked about contacts."""
        before = self.asked
        self.rig.clock.advance(after)
        polled = await self.rig.poller.poll(await self.rig.profile(), listing=listing)
        assert polled.error is None
        return self.asked - before
