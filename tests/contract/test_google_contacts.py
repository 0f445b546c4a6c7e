"""Contacts of Google through the whole engine: the stream says what Google holds (G13, I2).

What Google holds is read by its own client.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from syncd.engine.poll import LISTED_EVERY
from syncd.model.ids import SyncToken
from syncd.model.profile import State
from syncd.model.resource import Change
from tests.contract.cloud import google_rig
from tests.contract.contact_desk import ContactDesk
from tests.providers.google import google_login
from tests.servers.google import Fault, GoogleServer, at
from tests.servers.google_client import Person, people_at
from tests.servers.google_people import PeopleServer
from tests.servers.google_people import field as entry


class Desk(ContactDesk[GoogleServer]):
    @property
    def people(self) -> PeopleServer:
        return self.rig.server.people

    @property
    def asked(self) -> int:
        return len(self.people.asked)

    async def there(self) -> list[Person]:
        return await asyncio.to_thread(people_at, self.people.url, self.people.tokens.access_token)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with google_rig(tmp_path) as rig:
        rig.server.work.put("a", summary="Review", start=at(24), end=at(24, 10))
        yield Desk(rig=rig)


async def begun(desk: Desk) -> None:
    desk.people.put("c1", "Ada Lovelace", emailAddresses=[entry({"value": "ada@example.org"})])
    desk.people.put("c2", "Bo", phoneNumbers=[entry({"value": "+49 1", "type": "mobile"})])
    await desk.step("add Ada Lovelace", "add Bo")


async def test_contacts_are_added_changed_and_deleted(desk: Desk) -> None:
    await begun(desk)
    await desk.step()
    desk.people.put("c1", "Ada King")
    desk.people.put("c3", "Cy")
    desk.people.delete("c2")
    await desk.step("update Ada King", "add Cy", "delete Bo")
    await desk.step()
    desk.people.page_size = 2
    for number in range(5):
        desk.people.put(f"d{number}", f"No {number}")
    await desk.step(*(f"add No {number}" for number in range(5)))


@pytest.mark.parametrize("tombstone", [True, False])
@pytest.mark.parametrize("source", [None, "77"])
async def test_a_contact_under_another_name_keeps_its_id_g13(
    desk: Desk, source: str | None, *, tombstone: bool
) -> None:
    """P7: whether or not Google tells of the old name as deleted, or of another source."""
    await begun(desk)
    known = set(desk.held)
    desk.people.rename("c1", "c9", source=source, tombstone=tombstone)
    await desk.step()
    assert set(desk.held) == known
    desk.people.put("c9", "Ada King")
    await desk.step("update Ada King")
    desk.people.put("c1", "Another")
    await desk.step("add Another")
    assert known < set(desk.held)


async def test_a_full_read_knows_renamed_contacts_by_their_source(desk: Desk) -> None:
    """G13: former names are told to sync requests only."""
    await begun(desk)
    known = set(desk.held)
    desk.people.rename("c1", "c9")
    desk.people.expire()
    await desk.step()
    assert set(desk.held) == known


async def test_a_contact_that_another_is_merged_into_keeps_its_own_id(desk: Desk) -> None:
    await begun(desk)
    (kept,) = (name for name, one in desk.held.items() if one["name"] == "Bo")
    del desk.people.people["c1"]
    desk.people.former["c2"] = ["c1"]
    desk.people.put("c2", "Bo")
    assert (await desk.rig.poll()).error is None
    assert await desk.told() == [], "a former name is no tombstone (I7)"
    await desk.step("delete Ada Lovelace")
    assert set(desk.held) == {kept}
    desk.people.put("c2", "Bob")
    await desk.step("update Bob")


async def test_an_expired_token_costs_a_full_read_and_no_record_i8(desk: Desk) -> None:
    """G13: after 7 days."""
    await begun(desk)
    desk.people.expire()
    desk.people.put("c1", "Ada King")
    desk.people.delete("c2")
    await desk.step("update Ada King", "delete Bo")
    assert desk.rig.meter.counts["full_reads_total"] == 1
    await desk.step()
    assert desk.rig.meter.counts["full_reads_total"] == 1


async def test_a_token_of_other_parameters_is_not_sent_p2(desk: Desk) -> None:
    await begun(desk)
    book = await desk.book()
    told = orjson.loads(str(book.token)) | {"p": "others"}
    forged = replace(book, token=SyncToken(orjson.dumps(told).decode()))
    generation = (await desk.rig.profile()).generation
    await desk.rig.store.record(forged, Change(), generation=generation)
    await desk.step()
    assert desk.rig.meter.counts["full_reads_total"] == 1


async def test_the_order_of_a_persons_entries_is_no_change_i6(desk: Desk) -> None:
    home = entry({"value": "a@example.org", "type": "home"})
    work = entry({"value": "b@example.org", "type": "work"}, primary=False)
    other = entry({"value": "c@example.org"}, primary=False)
    desk.people.put("c1", "Ada", emailAddresses=[home, work, other])
    await desk.step("add Ada")
    for order in ([other, home, work], [work, other, home]):
        desk.people.put("c1", emailAddresses=order)
        await desk.step()


async def test_what_google_tells_late_is_found_once_i9(desk: Desk) -> None:
    """G13: a sync request may be minutes behind; the reconcile is not, and nothing comes twice."""
    await begun(desk)
    desk.people.put("c3", "Late")
    desk.people.hidden = 1
    assert (await desk.rig.poll()).error is None
    assert await desk.told() == []
    desk.rig.clock.advance(timedelta(days=1, hours=3))
    await desk.rig.poll()
    assert await desk.told() == ["add Late"]
    desk.people.hidden = 0
    await desk.step()


async def test_a_grant_without_the_scope_has_no_contacts_and_no_error(desk: Desk) -> None:
    """ADR 30: calendars go on, People is asked once a day, and nobody is told of an error."""
    desk.people.granted = False
    assert await desk.asks(after=LISTED_EVERY, listing=True) == 1
    profile = await desk.rig.profile()
    assert (profile.state, profile.last_error, profile.failures) == (State.CONNECTED, None, 0)
    for _ in range(12):
        assert await desk.asks(after=timedelta(hours=1), listing=True) == 0
    assert await desk.told() == []
    assert await desk.rig.drain()
    assert await desk.asks(after=timedelta(hours=15), listing=True) == 1
    desk.people.granted = True
    desk.people.put("c1", "Ada")
    assert await desk.asks(after=timedelta(days=1), listing=True) == 1
    assert await desk.told() == ["add Ada"]


async def test_another_grant_is_tried_at_once(desk: Desk) -> None:
    """ADR 30, I12: who signs in again with the scope need not wait for a day."""
    desk.people.granted = False
    assert await desk.asks(after=LISTED_EVERY, listing=True) == 1
    desk.people.granted = True
    desk.people.put("c1", "Ada")
    await desk.rig.linking.relink(await desk.rig.profile(), google_login(desk.rig.server))
    await desk.step("add Ada")


async def test_contacts_that_were_read_stay_when_the_scope_is_lost_i7(desk: Desk) -> None:
    await begun(desk)
    desk.people.granted = False
    for _ in range(20):
        assert (await desk.rig.poll()).error is None
    assert await desk.told() == []
    assert len(desk.held) == 2
    assert (await desk.book()).last_error


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        (Fault(403, reason="accessNotConfigured", domain="usageLimits", times=99), 1),
        (Fault(429, reason="rateLimitExceeded", headers={"Retry-After": "1800"}, times=99), 1),
        (Fault(404, text="<html>", kind="text/html", times=99), 10),
        (Fault(200, text="<html>", kind="text/html", times=99), 10),
        (Fault(200, text="{}", times=99), 10),
        (Fault(200, text='{"connections": []}', times=99), 10),
        (Fault(200, text='{"nextSyncToken": "x", "connections": [{}]}', times=99), 10),
        (Fault(200, text='{"nextSyncToken": "x", "connections": {}}', times=99), 10),
        (Fault(200, text='{"connections": [{"resourceName": "people/x"}]}', times=99), 10),
        (Fault(503, times=99), 30),
    ],
    ids=lambda one: f"{one.status} {one.reason or one.text}" if isinstance(one, Fault) else "",
)
async def test_what_people_suffers_is_its_own_and_passes(
    desk: Desk, fault: Fault, asked: int
) -> None:
    """ADR 19, §3: no state, no error of the profile, no contact lost, and it comes back."""
    await begun(desk)
    desk.people.put("c3", "Cy")
    desk.people.faults.append(fault)
    before = len(desk.people.asked)
    for number in range(10):
        desk.rig.server.work.put(f"e{number}", summary=f"{number}", start=at(25), end=at(25, 10))
        polled = await desk.rig.poll()
        assert (polled.error, polled.activities) == (None, 1)
    assert len(desk.people.asked) - before <= asked
    assert await desk.told() == []
    assert (await desk.rig.profile()).state is State.CONNECTED
    fault.times = 0
    desk.rig.clock.advance(timedelta(days=1, hours=3))
    await desk.step("add Cy")


async def test_a_quiet_poll_asks_nothing_of_people(desk: Desk) -> None:
    """One request with the list of calendars, none between."""
    await begun(desk)
    assert await desk.asks(after=timedelta(seconds=60)) == 0
    assert await desk.asks(after=LISTED_EVERY) == 1
    assert await desk.asks(after=timedelta(seconds=60)) == 0


async def test_an_emptied_address_book_is_held_i7(desk: Desk) -> None:
    for number in range(30):
        desk.people.put(f"c{number}", f"No {number}")
    await desk.step(*(f"add No {number}" for number in range(30)))
    desk.people.people.clear()
    desk.people.log.clear()
    desk.people.expire()
    await desk.rig.poll()
    assert await desk.told() == []
    assert (await desk.rig.profile()).state is State.SUSPECT


async def test_a_person_that_cannot_be_read_costs_that_person_i10(desk: Desk) -> None:
    await begun(desk)
    desk.people.put("c1", names=["odd"])
    desk.people.put("c2", "Bob")
    desk.rig.server.complaints.clear()
    assert (await desk.rig.poll()).error is None
    assert await desk.told() == ["update Bob"]
    ((_, fault),) = await desk.rig.store.faults(desk.rig.connected.id)
    assert fault.key == "people/c1"
    desk.rig.server.complaints.clear()
    desk.people.put("c1", "Ada")
    await desk.step("update Ada")
    assert not await desk.rig.store.faults(desk.rig.connected.id)
