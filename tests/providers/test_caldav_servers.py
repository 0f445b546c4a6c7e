"""The provider over real servers, Radicale and Xandikos (D1-D16)."""

import asyncio
from pathlib import Path

import pytest

from syncd.model.calendar import Mode
from syncd.model.errors import (
    NotFoundError,
    RelinkRequiredError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.ids import SyncToken
from tests.fakes.clock import FakeClock
from tests.providers.follow import Desk, login_at, new_adapter, signed_in
from tests.servers.caldav import CalDavServer, Radicale
from tests.servers.dav_client import event

TWO_EVENTS = event(
    "series",
    "Weekly",
    extra=(
        "RRULE:FREQ=WEEKLY;COUNT=4\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:series\r\n"
        "DTSTAMP:20261101T000000Z\r\nRECURRENCE-ID:20261108T090000Z\r\n"
        "DTSTART:20261108T120000Z\r\nDTEND:20261108T130000Z\r\nSUMMARY:Moved\r\n"
    ),
)


async def test_a_person_signs_in_with_the_servers_address_alone(server: CalDavServer) -> None:
    """D1, P15: the identity is the principal's address and the user name."""
    async with new_adapter(FakeClock()) as adapter:
        signed = await adapter.sign_in(login_at(server))
    assert signed.identity == f"{server.url}alice/ alice"
    assert signed.settings["homes"] == server.url.rstrip("/") + server.home
    assert signed.settings["origins"] == server.url.rstrip("/")


async def test_calendars_have_names_colours_and_one_primary(desk: Desk) -> None:
    """D4, D7."""
    await desk.server.mkcalendar("zoo", name="Zoo")
    await desk.server.device.set_property("zoo", "A:calendar-color", "#ff8800ff")
    found = {one.name: one for one in await desk.provider.calendars()}
    assert {"Work", "Zoo"} <= found.keys()
    assert [one.primary for one in found.values()].count(True) == 1
    assert not found["Zoo"].read_only
    assert found["Zoo"].color == "#FF8800"
    assert found["Zoo"].key == f"{desk.server.home}zoo/"


async def test_a_renamed_and_a_deleted_calendar_show_in_the_list(desk: Desk) -> None:
    await desk.server.mkcalendar("zoo", name="Zoo")
    await desk.server.set_name("work", "Labour")
    follower = await desk.follow("Zoo")
    await follower.read()
    await desk.server.delete("zoo")
    assert "Labour" in {one.name for one in await desk.provider.calendars()}
    assert "Zoo" not in {one.name for one in await desk.provider.calendars()}
    with pytest.raises(NotFoundError):
        await follower.read()
    with pytest.raises(NotFoundError):
        await follower.read(full=True)


async def test_add_change_and_delete_arrive_and_then_nothing(desk: Desk) -> None:
    """D8, D9, D11."""
    for number in range(5):
        await desk.server.put("work", f"e{number}.ics", event(f"u{number}", f"Event {number}"))
    follower = await desk.follow()
    first = await follower.read()
    assert first.last.complete
    assert first.last.mode is Mode.TOKEN
    assert first.changed == {f"e{number}.ics" for number in range(5)}
    assert (await follower.read()).empty

    await desk.server.put("work", "e1.ics", event("u1", "Changed"))
    await desk.server.put("work", "new.ics", event("un", "New"))
    await desk.server.delete("work", "e2.ics")
    second = await follower.read()
    assert (second.changed, second.deleted) == ({"e1.ics", "new.ics"}, {"e2.ics"})
    assert not second.last.complete
    assert follower.held["e1.ics"] == ["Changed"]
    assert (await follower.read()).empty


async def test_one_resource_holds_a_series_and_its_exceptions(desk: Desk) -> None:
    """D19: a calendar object resource comes whole, its body kept (P10)."""
    await desk.server.put("work", "series.ics", TWO_EVENTS)
    read = await (await desk.follow()).read()
    (resource,) = read.last.upserts
    assert sorted(str(one.name) for one in resource.events) == ["Moved", "Weekly"]
    assert resource.raw.count(b"BEGIN:VEVENT\r\n") == 2
    assert b"\n" not in resource.raw.replace(b"\r\n", b"")


async def test_a_full_read_fetches_only_what_differs(desk: Desk) -> None:
    """D10: what has the known etag is present and not asked for again."""
    for number in range(5):
        await desk.server.put("work", f"e{number}.ics", event(f"u{number}"))
    follower = await desk.follow()
    await follower.read()
    await desk.server.put("work", "e1.ics", event("u1", "Changed"))
    await desk.server.delete("work", "e2.ics")
    read = await follower.read(full=True)
    assert read.last.complete
    assert (read.upserts, read.deleted) == ({"e1.ics"}, {"e2.ics"})
    assert len(read.last.present) == 3
    assert (await follower.read()).empty


async def test_a_foreign_token_is_expired(desk: Desk) -> None:
    """D12: whatever status the server has for it; P2: whatever is not ours."""
    await desk.server.put("work", "e.ics", event("u"))
    follower = await desk.follow()
    await follower.read()
    good = str(follower.token)
    theirs = good.split('"s":"')[1].split('"', maxsplit=1)[0]
    foreign = theirs[:-4] + ("0000" if not theirs.endswith("0000") else "1111")
    for token in (good.replace(theirs, foreign), good.replace('"v":1', '"v":0'), "token", "{}"):
        follower.token = SyncToken(token)
        with pytest.raises(SyncTokenExpiredError):
            await follower.read()


async def test_from_two_calendars_on_one_look_tells_which_moved(desk: Desk) -> None:
    """D6."""
    await desk.server.mkcalendar("zoo", name="Zoo")
    followers = [await desk.follow("Work"), await desk.follow("Zoo")]
    for one in followers:
        await one.read()
    desk.wait()
    for one in followers:
        await one.read()
    known = {one.key: one.token for one in followers}
    assert await desk.provider.moved(known) == frozenset()
    await desk.server.put("zoo", "e.ics", event("u"))
    assert await desk.provider.moved(known) == {followers[1].key}
    assert await desk.provider.moved({followers[0].key: followers[0].token}) == {followers[0].key}


async def test_a_server_that_restarts_is_a_passing_failure(desk: Desk) -> None:
    await desk.server.put("work", "e.ics", event("u"))
    follower = await desk.follow()
    await follower.read()
    await desk.server.stop()
    with pytest.raises(TransientError):
        await follower.read()
    await desk.server.start()
    await desk.server.put("work", "f.ics", event("v"))
    assert (await follower.read()).changed == {"f.ics"}


async def test_a_wrong_password_is_refused_and_the_right_one_goes_on(server: CalDavServer) -> None:
    await server.put("work", "e.ics", event("u"))
    async with signed_in(server) as desk:
        follower = await desk.follow()
        await follower.read()
        right = server.password
        server.set_password("another")
        with pytest.raises(RelinkRequiredError):
            await follower.read()
        with pytest.raises(RelinkRequiredError):
            await desk.provider.calendars()
        server.set_password(right)
        assert (await follower.read()).empty


async def test_radicale_lets_old_tokens_expire(tmp_path: Path) -> None:
    """D12, as it happens: the server cleans up what it no longer needs."""
    async with Radicale(tmp_path, token_age=1) as server:
        await server.mkcalendar("work", name="Work")
        await server.put("work", "e.ics", event("u"))
        async with signed_in(server) as desk:
            follower = await desk.follow()
            await follower.read()
            await asyncio.sleep(2.5)  # the server's own clock
            await server.put("work", "f.ics", event("v"))
            other = await desk.follow()
            await other.read()
            with pytest.raises(SyncTokenExpiredError):
                await follower.read()
            read = await follower.read(full=True)
            assert (read.upserts, read.deleted) == ({"f.ics"}, set())
