"""Answers, refusals, limits and calendars written to Exchange; exchangelib judges what is sent."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from exchangelib import CalendarItem, Version
from exchangelib.version import EXCHANGE_2016
from lxml import etree

from syncd.model.edit import CalendarEdit, EventEdit, Reply
from syncd.model.errors import (
    ConflictError,
    InvalidError,
    TransientError,
    UnsupportedError,
)
from syncd.model.event import Answer, Person, Reminder, Visibility
from syncd.model.ids import WHOLE
from syncd.ports.passing import Passed, sending
from syncd.providers.answers import UnansweredError
from syncd.providers.ews.bodies import new_item
from tests.providers.ews import NAME, EwsDesk, at, event, ews_desk, new
from tests.servers.ews import OWNER, EwsServer, Fault
from tests.servers.ews_xml import name_of, t

ORGANIZER = t("Organizer", t("Mailbox", t("EmailAddress", "chief@example.org")))


@pytest.fixture
async def desk() -> AsyncIterator[EwsDesk]:
    async with EwsServer().running() as server, ews_desk(server) as one:
        server.asked.clear()
        yield one
        assert server.complaints == []


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Answer.ACCEPTED, "Accept"),
        (Answer.TENTATIVE, "Tentative"),
        (Answer.DECLINED, "Decline"),
    ],
)
async def test_an_invitation_is_answered_by_an_action(
    desk: EwsDesk, answer: Answer, word: str
) -> None:
    """E9, K26: the organizer is told, the other guests stay."""
    guests = [
        t("Attendee", t("Mailbox", t("EmailAddress", one)), t("ResponseType", "Unknown"))
        for one in (OWNER, "bo@example.org")
    ]
    invited = t("MyResponseType", "NoResponseReceived")
    for moves in (False, True):
        desk.server.items.reply_moves = moves
        members = [etree.fromstring(etree.tostring(one)) for one in (invited, ORGANIZER, *guests)]
        more = [*members[:2], t("RequiredAttendees", *members[2:])]
        desk.server.put("i", *event("Invited", at(24)), *more)
        await desk.read()
        edit = EventEdit(reply=Reply(email=OWNER, answer=answer), reminders=(Reminder(minutes=5),))
        wrote = await desk.provider.update_event(desk.key, desk.raw("i"), WHOLE, edit)
        (one,) = wrote.upserts[0].events
        assert [(two.email, two.answer) for two in one.attendees] == [
            (OWNER, answer),
            ("bo@example.org", Answer.PENDING),
        ]
        assert one.reminder == 5
        assert (wrote.deleted == {"i"}) == moves
        held = desk.server.calendar.items[wrote.key]
        assert held.text("MyResponseType") == word
    with pytest.raises(InvalidError):
        await desk.provider.update_event(
            desk.key,
            desk.raw("i"),
            WHOLE,
            EventEdit(reply=Reply(email=OWNER, answer=Answer.PENDING)),
        )


async def test_what_is_declined_may_be_gone(desk: EwsDesk) -> None:
    """E9: Exchange removes it, and the write says so."""
    guest = t("Attendee", t("Mailbox", t("EmailAddress", OWNER)))
    invited = (t("MyResponseType", "Unknown"), t("RequiredAttendees", guest))
    desk.server.put("i", *event("Invited", at(24)), *invited)
    desk.server.items.decline_removes = True
    await desk.read()
    edit = EventEdit(reply=Reply(email=OWNER, answer=Answer.DECLINED), name="Never")
    wrote = await desk.provider.update_event(desk.key, desk.raw("i"), WHOLE, edit)
    assert wrote.upserts == ()
    assert wrote.deleted == {"i"}


async def test_a_refused_write_says_why_in_exchanges_words(desk: EwsDesk) -> None:
    edit = replace(new(), start=at(24, 12), end=at(24, 10))
    with pytest.raises(InvalidError, match="ErrorCalendarEndDateIsEarlierThanStartDate"):
        await desk.provider.create_event(desk.key, edit, name=NAME)
    desk.server.faults = [Fault(code="ErrorServerBusy", operation="CreateItem", back_off=5000)]
    with pytest.raises(TransientError) as busy:
        await desk.provider.create_event(desk.key, new(), name=NAME)
    assert busy.value.retry_after == timedelta(seconds=5)
    assert not isinstance(busy.value, UnansweredError)
    assert desk.server.calendar.items == {}


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL"),
        ("FREQ=WEEKLY;INTERVAL=100", "INTERVAL"),
        ("FREQ=YEARLY;INTERVAL=9", "INTERVAL"),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=3;BYMONTHDAY=1", "BYMONTH"),
        ("FREQ=DAILY;COUNT=1000", "COUNT"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "BYDAY"),
        ("FREQ=HOURLY", "FREQ"),
    ],
)
async def test_a_rule_that_exchange_has_no_place_for_names_the_part(
    desk: EwsDesk, rule: str, part: str
) -> None:
    """K25: nothing is sent."""
    edit = replace(new(), recurrence=(f"RRULE:{rule}",))
    with pytest.raises(InvalidError) as found:
        await desk.provider.create_event(desk.key, edit, name=NAME)
    assert (found.value.code, found.value.members) == ("unsupported_recurrence", {"part": part})
    assert desk.server.asked == []


async def test_calendars_are_made_and_deleted(desk: EwsDesk) -> None:
    """K13, K15, K16 and the seed: names are unique, nothing else can be changed."""
    wrote = await desk.provider.create_calendar(CalendarEdit(name="Team"), name=NAME)
    assert (wrote.calendar.name, wrote.calendar.primary) == ("Team", False)
    assert (await desk.calendar("Team")).key == wrote.calendar.key
    with pytest.raises(ConflictError):
        await desk.provider.create_calendar(CalendarEdit(name="team"), name=NAME)
    with pytest.raises(UnsupportedError):
        await desk.provider.update_calendar(wrote.calendar.key, CalendarEdit(name="X"))
    await desk.provider.delete_calendar(wrote.calendar.key)
    await desk.provider.delete_calendar(wrote.calendar.key)  # P5
    assert [one.name for one in await desk.provider.calendars()] == ["Calendar"]
    with pytest.raises(InvalidError, match="Distinguished"):
        await desk.provider.delete_calendar(desk.key)
    with pytest.raises(UnsupportedError):  # K29: not for Exchange
        await desk.provider.passed(Passed(method="GET", uri="/"))


async def test_what_no_xml_can_hold_is_refused_before_it_is_sent(desk: EwsDesk) -> None:
    for text in ("\ufffe", "\x0b"):
        with pytest.raises(InvalidError, match="cannot keep"):
            await desk.provider.create_event(desk.key, new(f"a{text}"), name=NAME)
    assert desk.server.asked == []


async def test_headers_of_the_caller_go_along_with_writes_only(desk: EwsDesk) -> None:
    """R20."""
    with sending({"X-Mine": "yes", "Content-Type": "text/plain"}):
        await desk.provider.create_event(desk.key, new(), name=NAME)
    assert [name for name, headers in desk.server.headers if headers.get("X-Mine")] == [
        "CreateItem"
    ]


def test_what_is_sent_is_what_exchangelib_would_send() -> None:
    """An independent judge of names and order: it reads our item, and writes it the same."""
    edit = replace(
        new(),
        description="Why",
        location="Hall",
        attendees=(Person(email="bo@example.org", name="Bo"),),
        reminders=(Reminder(minutes=20),),
        visibility=Visibility.PRIVATE,
        transparent=True,
        recurrence=("RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270601T000000Z",),
    )
    ours = new_item(edit, NAME, "")
    wanted = [name_of(one) for one in ours if name_of(one) != "ExtendedProperty"]
    read = CalendarItem.from_xml(etree.fromstring(etree.tostring(ours)), account=None)
    assert (read.subject, read.start) == ("New", at(24))
    assert str(read.recurrence.pattern).startswith("Occurs on weekday Friday in the Last week")
    theirs = read.to_xml(version=Version(build=EXCHANGE_2016))
    names = [name_of(one) for one in theirs]
    assert [one for one in names if one in wanted] == wanted
