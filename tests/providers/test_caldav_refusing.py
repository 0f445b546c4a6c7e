"""What a server refuses or cannot write down costs little; Radicale behind the proxy."""

import pytest
from aiohttp import web

from syncd.model.errors import ForbiddenError
from tests.providers.follow import Desk
from tests.providers.test_caldav_quirks import ALL, change_some
from tests.servers.dav_client import event
from tests.servers.quirk_proxy import QuirkProxy


@pytest.mark.parametrize("status", [400, 403, 405, 415])
async def test_a_report_that_is_refused_some_day_is_done_without(
    proxy: QuirkProxy, behind: Desk, status: int
) -> None:
    """D14: where all else is answered; Open-Xchange and Horde say no more than 403."""
    follower = await behind.follow()
    await follower.read()
    proxy.switches.sync_status = status
    await change_some(proxy)
    await follower.read()
    assert follower.held.keys() == (ALL - {"e2.ics"}) | {"new.ics"}
    proxy.forget()
    assert (await follower.read()).empty
    assert {one.report for one in proxy.asked} == {"propfind"}


async def test_a_calendar_where_all_is_refused_is_forbidden_and_nothing_is_learned(
    proxy: QuirkProxy, behind: Desk
) -> None:
    """D14, D15: then the report says nothing of itself."""
    follower = await behind.follow()
    await follower.read()
    proxy.fault = lambda request, _: web.Response(status=403) if request.method != "GET" else None
    with pytest.raises(ForbiddenError):
        await follower.read()
    proxy.fault = None
    proxy.forget()
    assert (await follower.read()).empty
    assert [one.report for one in proxy.asked] == ["sync-collection"]


@pytest.mark.parametrize("text", [b"\x0b", b"&#11;", b"\xe9"], ids=["raw", "reference", "latin-1"])
@pytest.mark.parametrize("no_data", [False, True])
async def test_one_event_that_no_xml_can_hold_costs_nothing(
    proxy: QuirkProxy, behind: Desk, text: bytes, *, no_data: bool
) -> None:
    """I10, F18: servers hand on what clients pasted; a GET tells it byte for byte."""
    proxy.switches.illegible, proxy.switches.no_data_in_sync = text, no_data
    await proxy.put("work", "e4.ics", event("u4", "ILLEGIBLE"))
    follower = await behind.follow()
    assert (await follower.read()).changed == ALL
    assert follower.held["e4.ics"] == ["ILLEGIBLE"]
    await proxy.put("work", "e5.ics", event("u5", "ILLEGIBLE"))
    await change_some(proxy)
    read = await follower.read()
    assert (read.changed, read.deleted) == ({"e1.ics", "e5.ics", "new.ics"}, {"e2.ics"})
    assert read.last.token is not None
