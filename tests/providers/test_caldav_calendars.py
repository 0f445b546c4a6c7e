"""Calendars written at Radicale behind the quirk proxy (D23)."""

import pytest
from aiohttp import web

from syncd.model.edit import CalendarEdit
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    SyncdError,
    TransientError,
    UnsupportedError,
)
from tests.providers.pen import NAME, Pen, refusing

WANTED = CalendarEdit(
    name="Home", description="All of it", timezone="Europe/Berlin", color="#a1b2c3"
)


async def test_a_property_too_much_costs_only_itself_d23(pen: Pen) -> None:
    """MKCALENDAR with everything is refused; the plain one is taken, one property is not."""

    def picky(request: web.Request, body: bytes) -> web.Response | None:
        if request.method == "MKCALENDAR" and b"calendar-color" in body:
            return refusing(403)
        if request.method == "PROPPATCH" and b"calendar-color" in body:
            return web.Response(status=207, body=FAILED, content_type="text/xml")
        return None

    pen.proxy.fault = picky
    made = await pen.desk.provider.create_calendar(WANTED, name=NAME)
    assert made.ignored == {"color"}
    held = made.calendar
    assert (held.name, held.description, held.timezone) == ("Home", "All of it", "Europe/Berlin")
    assert held in await pen.desk.provider.calendars()
    changed = await pen.desk.provider.update_calendar(
        held.key, CalendarEdit(name="Other", color="#000000")
    )
    assert changed.calendar.name == "Other"
    assert changed.ignored == {"color"}


FAILED = (
    b'<D:multistatus xmlns:D="DAV:" xmlns:A="http://apple.com/ns/ical/"><D:response><D:href>/x/'
    b"</D:href><D:propstat><D:prop><A:calendar-color/></D:prop><D:status>HTTP/1.1 403 Forbidden"
    b"</D:status></D:propstat></D:response></D:multistatus>"
)


@pytest.mark.parametrize("lose", ["before", "after"])
async def test_a_calendar_is_made_once_whatever_is_lost(pen: Pen, lose: str) -> None:
    pen.proxy.switches.lose = lose
    made = await pen.desk.provider.create_calendar(WANTED, name=NAME)
    again = await pen.desk.provider.create_calendar(WANTED, name=NAME)
    assert made == again
    assert made.ignored == frozenset()
    assert len(await pen.desk.provider.calendars()) == 2
    pen.proxy.switches.lose = lose
    await pen.desk.provider.delete_calendar(made.calendar.key)
    await pen.desk.provider.delete_calendar(made.calendar.key)
    assert [one.name for one in await pen.desk.provider.calendars()] == ["Work"]


async def test_properties_are_cleared_and_named_by_their_namespace_k11(pen: Pen) -> None:
    made = await pen.desk.provider.create_calendar(WANTED, name=NAME)
    edit = CalendarEdit(
        description=None,
        timezone=None,
        color=None,
        raw={"{http://apple.com/ns/ical/}calendar-order": "7"},
    )
    cleared = await pen.desk.provider.update_calendar(made.calendar.key, edit)
    held = cleared.calendar
    assert (held.description, held.timezone, held.color, held.order) == (None, None, None, 7)
    assert cleared.ignored == frozenset()
    with pytest.raises(InvalidError):
        await pen.desk.provider.update_calendar(held.key, CalendarEdit(raw={"color": "red"}))
    with pytest.raises(InvalidError):
        await pen.desk.provider.update_calendar(held.key, CalendarEdit(timezone="No/Where"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, ForbiddenError),
        (404, NotFoundError),
        (405, UnsupportedError),
        (409, ConflictError),
        (500, TransientError),
    ],
)
async def test_a_server_that_makes_no_calendars_says_so(
    pen: Pen, status: int, error: type[SyncdError]
) -> None:
    pen.proxy.fault = lambda request, _: (
        refusing(status) if request.method == "MKCALENDAR" else None
    )
    with pytest.raises(error):
        await pen.desk.provider.create_calendar(WANTED, name=NAME)
    pen.proxy.fault = lambda request, _: (
        refusing(status) if request.method in ("PROPPATCH", "DELETE") else None
    )
    with pytest.raises(error):
        await pen.desk.provider.update_calendar(pen.key, CalendarEdit(name="Other"))


async def test_a_protected_calendar_is_refused_in_words_k16(pen: Pen) -> None:
    for status, error in ((403, ForbiddenError), (405, InvalidError)):
        pen.proxy.fault = lambda *_, status=status: refusing(status, "the last calendar stays")
        with pytest.raises(error, match="the last calendar stays"):
            await pen.desk.provider.delete_calendar(pen.key)
