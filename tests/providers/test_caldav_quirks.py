"""Radicale behind each switch of the quirk proxy; every test names the D rule it holds."""

import pytest
from aiohttp import web

from syncd.model.calendar import Mode
from syncd.model.errors import (
    MalformedReplyError,
    NotFoundError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.providers.caldav import client
from tests.providers.follow import Desk, Follower
from tests.servers.dav_client import event
from tests.servers.quirk_proxy import QuirkProxy, Switches

ALL = {f"e{number}.ics" for number in range(10)}


async def change_some(proxy: QuirkProxy) -> None:
    await proxy.put("work", "e1.ics", event("u1", "Changed"))
    await proxy.put("work", "new.ics", event("un", "New"))
    await proxy.delete("work", "e2.ics")


async def expect_some(follower: Follower) -> None:
    read = await follower.read()
    assert (read.changed, read.deleted) == ({"e1.ics", "new.ics"}, {"e2.ics"})
    assert (await follower.read()).empty
    assert follower.held.keys() == (ALL - {"e2.ics"}) | {"new.ics"}


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param(Switches(), id="none"),
        pytest.param(Switches(collection_as_member=True), id="D3 collection_as_member"),
        pytest.param(Switches(absolute_hrefs=True), id="D3 absolute_hrefs"),
        pytest.param(Switches(empty_404_propstat=True), id="D5 empty_404_propstat"),
        pytest.param(Switches(page_507=3), id="D8 page_507"),
        pytest.param(Switches(page_507=1), id="D8 page_507 of one"),
        pytest.param(Switches(no_data_in_sync=True), id="D9 no_data_in_sync"),
        pytest.param(Switches(no_data_in_sync=True, no_multiget=True), id="D9 no_multiget"),
        pytest.param(Switches(no_sync_token=True), id="D10 no_sync_token"),
        pytest.param(Switches(no_sync_collection="told"), id="D14 no_sync_collection"),
        pytest.param(Switches(no_sync_collection="hidden"), id="D14 refused report"),
        pytest.param(Switches(sync_status=400), id="D14 sync 400"),
        pytest.param(Switches(sync_status=403), id="D14 sync 403"),
        pytest.param(Switches(sync_status=415), id="D14 sync 415"),
        pytest.param(Switches(sync_status=501), id="D14 sync 501"),
        pytest.param(
            Switches(no_data_in_sync=True, multiget_forgets=frozenset({"e1.ics", "e7.ics"})),
            id="D9 multiget_forgets",
        ),
        pytest.param(Switches(etags="none"), id="P6 no etags"),
        pytest.param(Switches(etags="random"), id="F13 random etags"),
        pytest.param(
            Switches(etags="none", no_sync_collection="told"), id="P6 D14 no etags, no sync"
        ),
        pytest.param(Switches(drop_keepalive=True), id="drop_keepalive"),
    ],
)
async def test_changes_arrive_whatever_the_server_does(
    proxy: QuirkProxy, behind: Desk, switches: Switches
) -> None:
    proxy.switches = switches
    follower = await behind.follow()
    first = await follower.read()
    assert first.changed == ALL
    assert first.last.complete
    assert (await follower.read()).empty
    await change_some(proxy)
    await expect_some(follower)
    assert (await follower.read(full=True)).empty


async def test_a_dropped_connection_is_asked_again_at_once(proxy: QuirkProxy, behind: Desk) -> None:
    """No pause, no try spent: the server may close a kept connection at any time."""
    proxy.switches.drop_keepalive = True
    before = behind.clock.now()
    for _ in range(3):
        assert len(await behind.provider.calendars()) == 1
    assert behind.clock.now() == before


async def test_inboxes_files_and_task_lists_are_no_calendars(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """D4."""
    proxy.switches.extra_children = True
    assert [one.name for one in await behind.provider.calendars()] == ["Work"]


async def test_without_sync_collection_a_standing_ctag_is_one_small_request(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """D14, D13: the ctag alone is asked for, once a later look has settled it."""
    proxy.switches.no_sync_collection = "told"
    follower = await behind.follow()
    assert (await follower.read()).last.mode is Mode.LISTING
    behind.wait()
    await follower.read()
    proxy.forget()
    assert (await follower.read()).empty
    assert [(one.method, one.depth) for one in proxy.asked] == [("PROPFIND", "0")]


async def test_a_refused_report_is_remembered(proxy: QuirkProxy, behind: Desk) -> None:
    """D14: the report set lies; the report is tried once a day."""
    proxy.switches.no_sync_collection = "hidden"
    follower = await behind.follow()
    await follower.read()
    await behind.provider.calendars()
    proxy.forget()
    await follower.read(full=True)
    assert [one.report for one in proxy.asked] == ["propfind"]


@pytest.mark.parametrize("status", [400, 403, 409, 410, 412])
async def test_an_invalid_token_costs_a_full_read_whatever_the_status(
    proxy: QuirkProxy, behind: Desk, status: int
) -> None:
    """D12."""
    follower = await behind.follow()
    await follower.read()
    await change_some(proxy)
    proxy.switches.token_status = status
    with pytest.raises(SyncTokenExpiredError):
        await follower.read()
    read = await follower.read(full=True)
    assert (read.changed, read.deleted) == ({"e1.ics", "new.ics"}, {"e2.ics"})


async def test_a_token_answered_with_everything_deletes_nothing_and_asks_for_a_listing(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """D12: what the answer leaves out may be there or not; only a listing can tell."""
    follower = await behind.follow()
    await follower.read()
    proxy.switches.bogus_token_is_full = True
    await change_some(proxy)
    assert follower.token is not None
    theirs = follower.token.split('"s":"')[1].split('"', maxsplit=1)[0]
    follower.token = type(follower.token)(follower.token.replace(theirs, theirs[:-4] + "beef"))
    read = await follower.read()
    assert (read.changed, read.deleted) == ({"e1.ics", "new.ics"}, set())
    assert read.last.reconcile
    assert not read.last.complete
    assert (await follower.read(full=True)).deleted == {"e2.ics"}


async def test_an_ordinary_change_asks_for_no_listing(proxy: QuirkProxy, behind: Desk) -> None:
    """D12: half of what is known must be named before the feed is doubted."""
    follower = await behind.follow()
    await follower.read()
    for number in range(20):
        await proxy.put("work", f"n{number}.ics", event(f"n{number}"))
    await proxy.put("work", "e1.ics", event("u1", "Changed"))
    assert not (await follower.read()).last.reconcile


async def test_two_writes_in_one_second_are_both_found(proxy: QuirkProxy, behind: Desk) -> None:
    """D13: the token stands still, yet the calendar is looked at once more, 2 s later."""
    await proxy.mkcalendar("zoo", name="Zoo")
    proxy.switches.second_tokens = lambda: int(behind.clock.now().timestamp())
    work, zoo = await behind.follow("Work"), await behind.follow("Zoo")
    for _ in range(3):
        await work.read()
        await zoo.read()
        behind.wait()
    known = {work.key: work.token, zoo.key: zoo.token}
    assert await behind.provider.moved(known) == frozenset()

    await proxy.put("work", "e1.ics", event("u1", "First"))
    assert (await work.read()).changed == {"e1.ics"}
    await proxy.put("work", "e2.ics", event("u2", "Second"))
    known = {work.key: work.token, zoo.key: zoo.token}
    assert await behind.provider.moved(known) == frozenset()
    behind.wait(2)
    assert await behind.provider.moved(known) == {work.key}
    assert (await work.read()).changed == {"e2.ics"}
    behind.wait(2)
    assert (await work.read()).empty
    behind.wait(2)
    assert await behind.provider.moved({work.key: work.token, zoo.key: zoo.token}) == frozenset()


@pytest.mark.parametrize("quirk", ["none", "multiget_omits_missing", "multiget_404"])
async def test_what_vanishes_between_listing_and_fetching_is_only_gone(
    proxy: QuirkProxy, behind: Desk, quirk: str
) -> None:
    """D9: a missing href may be told, left out, or take the whole report along."""
    proxy.switches.no_data_in_sync = True
    if quirk != "none":
        setattr(proxy.switches, quirk, True)
    follower = await behind.follow()
    await follower.read()
    for number in range(4):
        await proxy.put("work", f"n{number}.ics", event(f"n{number}"))
    proxy.before_multiget = lambda: proxy.delete("work", "n2.ics")
    assert (await follower.read()).changed == {"n0.ics", "n1.ics", "n3.ics"}
    assert (await follower.read()).empty


async def test_a_calendar_that_vanishes_while_it_is_read_is_gone_not_empty(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """P1, F1: every body is missing, so the calendar itself is asked about."""
    follower = await behind.follow()
    proxy.before_multiget = lambda: proxy.delete("work")
    with pytest.raises(NotFoundError):
        await follower.read()


@pytest.mark.parametrize("status", [413, 500, 504])
async def test_a_multiget_that_is_too_large_is_halved(
    proxy: QuirkProxy, behind: Desk, status: int
) -> None:
    """D9: down to 25 hrefs; a batch that was too large is remembered."""
    for number in range(90):
        await proxy.put("work", f"n{number}.ics", event(f"n{number}"))
    proxy.switches.multiget_most = 30
    proxy.switches.multiget_status = status
    follower = await behind.follow()
    proxy.forget()
    assert len((await follower.read()).changed) == 100
    assert [one.report for one in proxy.asked].count("calendar-multiget") == 2 + 4
    proxy.forget()
    again = await behind.follow()
    await again.read()
    assert [one.report for one in proxy.asked].count("calendar-multiget") == (
        4 if status == 413 else 6
    )


async def test_an_answer_that_was_cut_is_no_answer(proxy: QuirkProxy, behind: Desk) -> None:
    """P1: neither page nor token comes of it."""
    follower = await behind.follow()
    cut, whole = Switches(cut_xml=True), Switches()
    proxy.switches = cut
    with pytest.raises(MalformedReplyError):
        await follower.read()
    with pytest.raises(MalformedReplyError):
        await behind.provider.calendars()
    proxy.switches = whole
    await follower.read()
    await change_some(proxy)
    proxy.switches = cut
    for full in (False, True):
        with pytest.raises(MalformedReplyError):
            await follower.read(full=full)
    proxy.switches = whole
    await expect_some(follower)


async def test_forgotten_changes_are_found_by_the_next_listing(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """I9."""
    follower = await behind.follow()
    await follower.read()
    proxy.switches.drop_changes = 1.0
    await change_some(proxy)
    assert (await follower.read()).empty
    read = await follower.read(full=True)
    assert (read.changed, read.deleted) == ({"e1.ics", "new.ics"}, {"e2.ics"})


async def test_a_home_that_is_much_slower_than_its_calendars_is_not_asked_again(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """D6."""
    await proxy.mkcalendar("zoo", name="Zoo")
    followers = [await behind.follow("Work"), await behind.follow("Zoo")]
    for one in followers:
        await one.read()
    behind.wait()
    for one in followers:
        await one.read()
    known = {one.key: one.token for one in followers}
    proxy.before_home = lambda: behind.wait(20)
    assert await behind.provider.moved(known) == frozenset()
    proxy.forget()
    assert await behind.provider.moved(known) == known.keys()
    assert proxy.asked == []


@pytest.mark.parametrize("no_data", [False, True])
async def test_an_unreadable_body_is_present_and_stays_as_it_was(
    proxy: QuirkProxy, behind: Desk, *, no_data: bool
) -> None:
    """D16, I10: absence is judged on hrefs; the others go on."""
    proxy.switches.no_data_in_sync = no_data
    follower = await behind.follow()
    await follower.read()
    proxy.switches.broken_bodies = frozenset({"e1.ics", "e3.ics"})
    await change_some(proxy)
    read = await follower.read()
    assert (read.changed, read.unread) == ({"new.ics"}, {"e1.ics"})
    full = await follower.read(full=True)
    assert (full.deleted, full.unread) == (set(), {"e1.ics"})
    assert follower.held["e1.ics"] == ["Event 1"]
    proxy.switches.broken_bodies = frozenset()
    assert (await follower.read(full=True)).changed == {"e1.ics"}


async def test_one_event_that_the_server_cannot_give_costs_only_itself(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """I10: the batch shrinks to single GETs; what fails among what comes is unread."""
    proxy.switches.poisoned = "e4.ics"
    follower = await behind.follow()
    read = await follower.read()
    assert (read.changed, read.unread) == (ALL - {"e4.ics"}, {"e4.ics"})
    assert (await follower.read()).empty


async def test_a_server_that_gives_no_event_at_all_fails_as_a_whole(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """P1: no token moves past bodies that nobody has read."""
    follower = await behind.follow()
    proxy.switches.poisoned = ".ics"
    proxy.fault = lambda request, _: web.Response(status=502) if request.method == "GET" else None
    with pytest.raises(TransientError):
        await follower.read()
    assert follower.held == {}


async def test_one_event_beyond_all_limits_is_unread(
    proxy: QuirkProxy, behind: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits: the former state stays, even if it is all that changed."""
    follower = await behind.follow()
    await follower.read()
    monkeypatch.setattr(client, "LARGEST_BODY", 300)
    proxy.switches.no_data_in_sync = True
    await proxy.put("work", "e1.ics", event("u1", "x" * 300))
    read = await follower.read()
    assert (read.changed, read.unread) == (set(), {"e1.ics"})
    assert follower.held["e1.ics"] == ["Event 1"]


async def test_changes_of_a_ctag_home_cost_no_second_look(proxy: QuirkProxy, behind: Desk) -> None:
    """D14: what the home said of the ctag is not asked for again."""
    proxy.switches.no_sync_collection = "told"
    await proxy.mkcalendar("zoo", name="Zoo")
    followers = [await behind.follow("Work"), await behind.follow("Zoo")]
    for one in followers:
        await one.read()
        behind.wait()
        await one.read()
    known = {one.key: one.token for one in followers}
    assert await behind.provider.moved(known) == frozenset()
    await change_some(proxy)
    proxy.forget()
    assert await behind.provider.moved(known) == {followers[0].key}
    read = await followers[0].read()
    assert (read.changed, read.deleted) == ({"e1.ics", "new.ics"}, {"e2.ics"})
    assert [one.report for one in proxy.asked] == ["propfind", "propfind", "calendar-multiget"]


async def test_costs_are_what_they_were_promised_to_be(proxy: QuirkProxy, behind: Desk) -> None:
    """Design decision 4: a quiet poll is one small request, ten changes two at most."""
    for number in range(40):
        await proxy.put("work", f"m{number}.ics", event(f"m{number}"))
    follower = await behind.follow()
    proxy.forget()
    await follower.read()
    assert len(proxy.asked) == 2  # N/500 + 1
    proxy.forget()
    assert (await follower.read()).empty
    assert len(proxy.asked) == 1
    assert proxy.asked[0].received + proxy.asked[0].sent < 600
    for number in range(10):
        await proxy.put("work", f"m{number}.ics", event(f"m{number}", "Changed"))
    for no_data, requests in ((False, 1), (True, 2)):
        proxy.switches.no_data_in_sync = no_data
        token = follower.token
        proxy.forget()
        await follower.read()
        follower.token = token
        assert len(proxy.asked) == requests
