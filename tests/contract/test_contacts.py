"""Contacts over real CardDAV servers: the stream says what the server holds (I2, D26, K32).

What a server holds is read by a client of the tests' own and ``vobject``.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.model.activity import Filter, Kind
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.ids import Position, SyncToken
from syncd.model.resource import Change
from tests.bench.counting import Traffic, counted
from tests.contract.rig import Rig, rigged
from tests.contract.scenarios import single
from tests.contract.stages.caldav import BOOK, DAV_STAGES, DavStage
from tests.contract.test_dav_provider import FORGED_TOKENS
from tests.servers.card_client import CardClient, Person, card
from tests.servers.icloud import Icloud

pytestmark = pytest.mark.timeout(120)
_LISTING = {"radicale": 2, "xandikos": 4, "icloud": 3}  # requests of a quiet poll that lists
EMAIL = ("EMAIL;TYPE=HOME:ada@example.org", "EMAIL;TYPE=WORK:work@example.org")


@dataclass(kw_only=True)
class Desk:
    """A profile with a calendar and an address book; ``held`` is what the stream told so far."""

    rig: Rig[DavStage]
    device: CardClient
    traffic: Traffic
    books: list[str]
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: int = 0

    async def told(self) -> list[str]:
        """Apply what is new of ``objects=contact``; return it as words."""
        words = list[str]()
        wanted = Filter(kinds=frozenset({Kind.CONTACT}))
        _, found, _ = await self.rig.store.read(
            self.rig.profile_id, after=Position(self.position), limit=1000, wanted=wanted
        )
        for one in found:
            record = orjson.loads(one.body)
            name = record["metadata"]["id"]
            assert record["metadata"]["type"] == "contact"
            assert (name in self.held) == (record["type"] != "add"), "applied twice, or never"
            if record["type"] == "delete":
                del self.held[name]
            else:
                self.held[name] = record["metadata"]
            self.position = one.position
            words.append(f"{record['type']} {record['metadata']['name']}")
        return words

    def people(self) -> list[Person]:
        return sorted(
            (
                one["name"],
                tuple(email["value"] for email in one["emails"]),
                tuple(phone["value"] for phone in one["phones"]),
            )
            for one in self.held.values()
        )

    async def step(self, *expected: str) -> None:
        """Poll; the stream told exactly this of contacts, and now holds what the server does."""
        polled = await self.rig.poll()
        assert polled.error is None
        assert sorted(await self.told()) == sorted(expected)
        assert self.people() == await self.device.people(*self.books)
        await self.rig.agree()

    async def book(self) -> KnownCalendar:
        listed = await self.rig.store.calendars(self.rig.profile_id, holds=Holds.CONTACTS)
        return next(one for one in listed if one.key.endswith(f"/{BOOK}/"))

    async def requests(self, *, listing: bool) -> int:
        """Poll once; return how many requests the server saw."""
        server = self.rig.stage.server
        self.traffic.reset()
        if isinstance(server, Icloud):
            server.forget()
        self.rig.clock.advance(self.rig.poller._plan.default_interval)
        polled = await self.rig.poller.poll(await self.rig.profile(), listing=listing)
        assert polled.error is None
        return len(server.asked) if isinstance(server, Icloud) else self.traffic.requests


@pytest.fixture(params=DAV_STAGES, ids=lambda kind: kind.name)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    stage: DavStage = request.param(tmp_path / "server")
    await stage.start()
    await stage.put("Work", "e", single("Review"))
    (tmp_path / "store").mkdir()
    device = await stage.cards()
    port = stage.server.port
    try:
        with counted(port) as traffic:

            def seen(address: str) -> str:
                if isinstance(stage.server, Icloud):  # it counts by itself
                    return address
                return address.replace(f":{port}/", f":{traffic.port}/")

            async with rigged(stage, tmp_path / "store", seen=seen) as rig:
                await rig.connect()
                yield Desk(rig=rig, device=device, traffic=traffic, books=stage.books)
    finally:
        await stage.stop()


async def test_contacts_are_added_changed_and_deleted(desk: Desk) -> None:
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada", *EMAIL))
    await desk.device.put(BOOK, "b.vcf", card("b", "Bo", "TEL;TYPE=CELL:+49 1"))
    await desk.step("add Ada", "add Bo")
    await desk.step()
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada L.", *EMAIL))
    await desk.device.delete(BOOK, "b.vcf")
    await desk.device.put(BOOK, "c.vcf", card("c", "Cy"))
    await desk.step("update Ada L.", "add Cy", "delete Bo")
    await desk.step()


async def test_address_books_are_no_calendars_and_told_of_nowhere(desk: Desk) -> None:
    """K12, K38: neither a calendar nor a record; contacts only where they are named."""
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.step("add Ada")
    listed = await desk.rig.store.calendars(desk.rig.profile_id)
    assert "Work" in {one.calendar.name for one in listed}
    assert "People" not in {one.calendar.name for one in listed}
    assert not await desk.rig.store.faults(desk.rig.profile_id)
    _, shown, _ = await desk.rig.store.read(
        desk.rig.profile_id, after=Position(0), limit=1000, wanted=Filter()
    )
    names = {orjson.loads(one.body)["metadata"].get("name") for one in shown}
    assert not names & {"People", "Ada"}


async def test_a_card_under_another_name_keeps_its_id_p7(desk: Desk) -> None:
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.device.put(BOOK, "b.vcf", card("b", "Bo"))
    await desk.step("add Ada", "add Bo")
    known = set(desk.held)
    await desk.device.delete(BOOK, "a.vcf")
    await desk.device.put(BOOK, "z.vcf", card("a", "Ada"))
    await desk.step()
    assert set(desk.held) == known


async def test_an_expired_token_costs_a_full_read_and_no_record_i8(desk: Desk) -> None:
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.step("add Ada")
    rig, book = desk.rig, await desk.book()
    told = orjson.loads(str(book.token))
    forged = SyncToken(orjson.dumps({**told, "s": FORGED_TOKENS[rig.stage.name]}).decode())
    profile = await rig.profile()
    await rig.store.record(replace(book, token=forged), Change(), generation=profile.generation)
    before = rig.meter.counts["full_reads_total"]
    dropped = 0 if rig.stage.name == "icloud" else 1  # lists everything again by itself (IC5)
    await desk.device.put(BOOK, "b.vcf", card("b", "Bo"))
    await desk.step("add Bo")
    assert rig.meter.counts["full_reads_total"] == before + dropped
    await desk.step()


async def test_a_group_is_no_contact_d26(desk: Desk) -> None:
    """A card that becomes a group goes, and comes back under its id."""
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.step("add Ada")
    (known,) = desk.held
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada", "X-ADDRESSBOOKSERVER-KIND:group"))
    await desk.step("delete Ada")
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.step("add Ada")
    assert set(desk.held) == {known}


async def test_a_deleted_address_book_takes_its_contacts_after_three_looks_f4(desk: Desk) -> None:
    for number in range(3):
        await desk.device.put(BOOK, f"{number}.vcf", card(str(number), f"No {number}"))
    await desk.step("add No 0", "add No 1", "add No 2")
    await desk.device.delete(BOOK)
    for _ in range(2):
        assert (await desk.rig.poll()).error is None
        assert not await desk.told()
    assert (await desk.rig.poll()).error is None
    assert sorted(await desk.told()) == ["delete No 0", "delete No 1", "delete No 2"]
    await desk.rig.agree()


async def test_a_quiet_poll_asks_nothing_of_address_books(desk: Desk) -> None:
    """One request, as before there were contacts; a listing poll asks for one more at most.

    Radicale keeps address books beside the calendars: none. Xandikos and iCloud have a home of
    their own: one, besides the home's list, its tokens, and the inbox for the primary calendar,
    which iCloud does not tell.
    """
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    for _ in range(3):
        await desk.requests(listing=True)
    assert await desk.requests(listing=False) == 1
    assert await desk.requests(listing=True) == _LISTING[desk.rig.stage.name]
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada L."))
    assert await desk.requests(listing=False) == 1
    assert await desk.told() == ["add Ada"]


async def test_a_profile_from_before_contacts_learns_of_them(desk: Desk) -> None:
    """Without relinking: its settings name no home of address books."""
    rig = desk.rig
    profile = await rig.profile()
    settings = {name: value for name, value in profile.settings.items() if name != "books"}
    assert settings != profile.settings
    await rig.store.save_profile(replace(profile, settings=settings))
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.step("add Ada")
    first = await desk.requests(listing=True)
    assert await desk.requests(listing=True) <= first
    await desk.step()


async def test_all_contacts_survive_relinking_i12(desk: Desk) -> None:
    await desk.device.put(BOOK, "a.vcf", card("a", "Ada"))
    await desk.step("add Ada")
    profile = await desk.rig.profile()
    await desk.rig.linking.relink(profile, desk.rig.login())
    await desk.step()
    await desk.device.put(BOOK, "b.vcf", card("b", "Bo"))
    await desk.step("add Bo")
