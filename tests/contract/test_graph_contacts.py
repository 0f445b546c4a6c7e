"""Contacts of Outlook through the whole engine: the stream says what folders hold (MG18, I2)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.engine.poll import LISTED_EVERY
from syncd.model.profile import State
from tests.contract.cloud import graph_rig
from tests.contract.contact_desk import ContactDesk, Person
from tests.providers.graph import graph_login
from tests.servers.graph import Fault, GraphServer, at
from tests.servers.graph_contacts import ContactCalls

ADA = {"emailAddresses": [{"name": "Ada", "address": "ada@example.org"}], "givenName": "Ada"}
CONTACTS = "/me/contact"


class Desk(ContactDesk[GraphServer]):
    @property
    def mailbox(self) -> ContactCalls:
        return self.rig.server.contacts

    @property
    def asked(self) -> int:
        return len([one for one in self.rig.server.asked if CONTACTS in one.path])

    async def there(self) -> list[Person]:
        people = [one for folder in self.mailbox.folders.values() for one in folder.people.values()]
        return sorted(map(person, people))


def person(item: dict[str, Any]) -> Person:
    phones = [*item["businessPhones"], *item["homePhones"]]
    phones += [item["mobilePhone"]] if item["mobilePhone"] else []
    emails = sorted(one["address"] for one in item["emailAddresses"])
    return item["displayName"], tuple(emails), tuple(sorted(phones))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with graph_rig(tmp_path) as rig:
        rig.server.work.put("a", subject="Review", start=at(24), end=at(24, 10))
        yield Desk(rig=rig)


async def begun(desk: Desk) -> None:
    desk.mailbox.main.put("A", "Ada Lovelace", **ADA)
    desk.mailbox.main.put("B", "Bo", mobilePhone="+49 1", homePhones=["+49 2"])
    await desk.step("add Ada Lovelace", "add Bo")


async def test_contacts_are_added_changed_and_deleted(desk: Desk) -> None:
    await begun(desk)
    await desk.step()
    desk.mailbox.main.put("A", "Ada King")
    desk.mailbox.main.remove("B")
    desk.mailbox.main.put("C", "Cy")
    await desk.step("update Ada King", "delete Bo", "add Cy")
    await desk.step()
    desk.mailbox.page_size = 2
    for number in range(5):
        desk.mailbox.main.put(f"D{number}", f"No {number}")
    await desk.step(*(f"add No {number}" for number in range(5)))


async def test_each_folder_is_an_address_book(desk: Desk) -> None:
    """One that is gone takes its contacts along after three looks (F4)."""
    await begun(desk)
    team = desk.mailbox.add_folder("Team")
    team.put("T", "Tim")
    team.put("U", "Uma")
    await desk.step("add Tim", "add Uma")
    assert (await desk.books()).keys() == {"Contacts", "Team"}
    team.remove("T")
    team.put("U", "Una")
    desk.mailbox.main.put("A", "Ada King")
    await desk.step("delete Tim", "update Una", "update Ada King")
    del desk.mailbox.folders[team.key]
    for _ in range(2):
        assert (await desk.rig.poll()).error is None
        assert await desk.told() == []
    await desk.step("delete Una")


async def test_folders_inside_of_folders_are_address_books_too(desk: Desk) -> None:
    """MG18: however deep, over all pages; one that is gone takes its contacts along (F4)."""
    await begun(desk)
    desk.rig.server.page_size = 2
    team = desk.mailbox.add_folder("Team")
    empty = desk.mailbox.add_folder("Empty")
    rows = [desk.mailbox.add_folder(f"Row {number}", team) for number in range(5)]
    deep = desk.mailbox.add_folder("Deep", desk.mailbox.add_folder("Deeper", rows[4]))
    deep.put("D", "Di")
    rows[3].put("R", "Ron")
    await desk.step("add Di", "add Ron")
    names = {"Contacts", "Team", "Empty", "Deeper", "Deep", *(one.name for one in rows)}
    assert (await desk.books()).keys() == names
    deep.put("D", "Dina")
    rows[3].remove("R")
    await desk.step("update Dina", "delete Ron")
    for gone in (deep, empty):
        del desk.mailbox.folders[gone.key]
    for _ in range(2):
        assert (await desk.rig.poll()).error is None
        assert await desk.told() == []
    await desk.step("delete Dina")


async def test_what_lists_of_folders_suffer_takes_no_folder_away(desk: Desk) -> None:
    """I7: what cannot be listed is not gone, however long that lasts."""
    await begun(desk)
    inside = desk.mailbox.add_folder("Inside", desk.mailbox.add_folder("Team"))
    inside.put("I", "Ida")
    await desk.step("add Ida")
    for status in (503, 403, 400):
        fault = Fault(status, part="/childFolders", code="ErrorX", times=99)
        desk.rig.server.faults.append(fault)
        for _ in range(5):
            assert (await desk.rig.poll()).error is None
        assert await desk.told() == []
        fault.times = 0
    desk.rig.clock.advance(timedelta(days=1, hours=3))
    inside.put("I", "Ines")
    await desk.step("update Ines")


async def test_a_folder_that_goes_while_they_are_listed_is_no_error(desk: Desk) -> None:
    await begun(desk)
    team = desk.mailbox.add_folder("Team")
    team.put("T", "Tim")
    fault = Fault(404, part=f"{team.key}/childFolders", code="ErrorItemNotFound")
    desk.rig.server.faults.append(fault)
    await desk.step("add Tim")
    assert fault.times == 0


@pytest.mark.parametrize("habit", ["partial", "replays", "backwards"])
async def test_what_graph_does_on_some_days_is_told_once_mg4_mg9(desk: Desk, habit: str) -> None:
    setattr(desk.mailbox.habits, habit, True)
    await begun(desk)
    desk.mailbox.main.put("A", "Ada K.")
    desk.mailbox.main.put("A", "Ada King")
    desk.mailbox.main.put("C", "Cy")
    desk.mailbox.main.remove("C")
    desk.mailbox.main.remove("B")
    await desk.step("update Ada King", "delete Bo")
    await desk.step()
    await desk.step()


async def test_an_expired_link_costs_a_first_round_and_no_record_i8(desk: Desk) -> None:
    """MG9."""
    await begun(desk)
    before = desk.rig.meter.counts["full_reads_total"]
    desk.mailbox.expire()
    desk.mailbox.main.put("A", "Ada King")
    desk.mailbox.main.remove("B")
    await desk.step("update Ada King", "delete Bo")
    assert desk.rig.meter.counts["full_reads_total"] == before + 1
    await desk.step()


async def test_a_grant_without_the_scope_has_no_contacts_and_no_error(desk: Desk) -> None:
    """ADR 30: calendars go on, folders are asked for once a day, and nobody is told of an error."""
    desk.mailbox.granted = False
    assert await desk.asks(after=LISTED_EVERY, listing=True) == 1
    profile = await desk.rig.profile()
    assert (profile.state, profile.last_error, profile.failures) == (State.CONNECTED, None, 0)
    for _ in range(12):
        assert await desk.asks(after=timedelta(hours=1), listing=True) == 0
    assert (await desk.told(), await desk.books()) == ([], {})
    assert await desk.asks(after=timedelta(hours=12), listing=True) == 1
    desk.mailbox.granted = True
    desk.mailbox.main.put("A", "Ada")
    assert await desk.asks(after=timedelta(days=1), listing=True) > 1
    assert await desk.told() == ["add Ada"]


async def test_another_grant_is_tried_at_once(desk: Desk) -> None:
    """ADR 30, I12."""
    desk.mailbox.granted = False
    assert await desk.asks(after=LISTED_EVERY, listing=True) == 1
    desk.mailbox.granted = True
    desk.mailbox.main.put("A", "Ada")
    await desk.rig.linking.relink(await desk.rig.profile(), graph_login(desk.rig.server))
    await desk.step("add Ada")


async def test_contacts_that_were_read_stay_when_the_scope_is_lost_i7(desk: Desk) -> None:
    await begun(desk)
    desk.mailbox.granted = False
    for _ in range(20):
        assert (await desk.rig.poll()).error is None
    assert await desk.told() == []
    assert (await desk.book()).last_error
    desk.mailbox.granted = True
    desk.mailbox.main.put("A", "Ada King")
    desk.rig.clock.advance(timedelta(days=1, hours=3))
    await desk.step("update Ada King")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, part=CONTACTS, headers={"Retry-After": "1800"}, times=99),
        Fault(503, part=CONTACTS, times=99),
        Fault(404, part="/contacts/delta", code="ErrorItemNotFound", times=99),
        Fault(200, part=CONTACTS, text="<html>", kind="text/html", times=99),
        Fault(200, part=CONTACTS, text="{}", times=99),
        Fault(200, part="/contacts/delta", text='{"value": []}', times=99),
        Fault(200, part="/contacts/delta", text='{"value": [{}]}', times=99),
        Fault(200, part="contactFolders", text='{"value": [{}]}', times=99),
    ],
    ids=lambda one: f"{one.status} {one.part} {one.text}",
)
async def test_what_contacts_suffer_is_their_own_and_passes(desk: Desk, fault: Fault) -> None:
    """ADR 19, §3: no state, no error of the profile, no contact lost, and it comes back."""
    await begun(desk)
    desk.mailbox.main.put("C", "Cy")
    desk.rig.server.faults.append(fault)
    for number in range(10):
        desk.rig.server.work.put(f"e{number}", subject=f"{number}", start=at(25), end=at(25, 10))
        polled = await desk.rig.poll()
        assert (polled.error, polled.activities) == (None, 1)
    assert await desk.told() == []
    assert (await desk.rig.profile()).state is State.CONNECTED
    fault.times = 0
    desk.rig.clock.advance(timedelta(days=1, hours=3))
    await desk.step("add Cy")


async def test_a_contact_that_cannot_be_read_costs_that_contact_i10(desk: Desk) -> None:
    await begun(desk)
    desk.mailbox.main.put("A", birthday="soon")
    desk.mailbox.main.put("B", "Bob")
    assert (await desk.rig.poll()).error is None
    assert await desk.told() == ["update Bob"]
    ((_, fault),) = await desk.rig.store.faults(desk.rig.connected.id)
    assert fault.key == "A"
    desk.rig.server.complaints.clear()
    desk.mailbox.main.put("A", "Ada", birthday="1815-12-10T11:59:00Z")
    await desk.step("update Ada")
    assert not await desk.rig.store.faults(desk.rig.connected.id)


@pytest.mark.parametrize("status", [403, 500])
async def test_a_contact_that_graph_refuses_costs_that_contact_i10(desk: Desk, status: int) -> None:
    """MG4, MG10: the folder goes on, and the contact is asked for again, ever more seldom."""
    await begun(desk)
    desk.mailbox.habits.partial = True
    fault = Fault(status, part="/contacts/A", code="ErrorAccessDenied", times=99)
    desk.rig.server.faults.append(fault)
    desk.mailbox.main.put("A", "Ada King")
    desk.mailbox.main.put("B", "Bob")
    assert (await desk.rig.poll()).error is None
    assert await desk.told() == ["update Bob"]
    ((_, unread),) = await desk.rig.store.faults(desk.rig.connected.id)
    assert unread.key == "A"
    assert (await desk.book()).last_error is None
    desk.rig.server.parts.clear()
    await desk.asks(after=timedelta(seconds=30), listing=True)
    assert desk.rig.server.parts == []
    for _ in range(60):
        await desk.asks(after=timedelta(minutes=1), listing=True)
    tries = 1 if status == 403 else 3  # what may pass is asked for three times at once
    assert 4 <= len(desk.rig.server.parts) // tries <= 8
    assert await desk.told() == []
    fault.times = 0
    desk.rig.clock.advance(timedelta(hours=1))
    await desk.step("update Ada King")
    assert not await desk.rig.store.faults(desk.rig.connected.id)
    asked = len(desk.rig.server.parts)
    desk.rig.clock.advance(timedelta(hours=2))
    await desk.step()
    assert len(desk.rig.server.parts) == asked


async def test_a_contact_that_graph_refuses_and_that_goes_is_deleted_once_i10(desk: Desk) -> None:
    await begun(desk)
    desk.mailbox.habits.partial = True
    fault = Fault(403, part="/contacts/A", code="ErrorAccessDenied", times=99)
    desk.rig.server.faults.append(fault)
    desk.mailbox.main.put("A", "Ada King")
    assert (await desk.rig.poll()).error is None
    desk.mailbox.main.remove("A")
    desk.rig.clock.advance(timedelta(minutes=10))
    await desk.step("delete Ada Lovelace")
    desk.rig.clock.advance(timedelta(hours=2))
    await desk.step()
    assert not await desk.rig.store.faults(desk.rig.connected.id)


async def test_a_first_round_with_a_refused_contact_names_the_others_i10(desk: Desk) -> None:
    """The one is added when it can be told."""
    desk.mailbox.habits.partial = True
    fault = Fault(403, part="/contacts/A", code="ErrorAccessDenied", times=99)
    desk.rig.server.faults.append(fault)
    desk.mailbox.main.put("A", "Ada")
    desk.mailbox.main.put("B", "Bo")
    assert (await desk.rig.poll()).error is None
    assert await desk.told() == ["add Bo"]
    fault.times = 0
    desk.rig.clock.advance(timedelta(minutes=10))
    await desk.step("add Ada")
