"""Reading Exchange through the port: folders, SyncFolderItems, GetItem (E4-E11)."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from syncd.model.calendar import Mode
from syncd.model.errors import MalformedReplyError, NotFoundError, SyncTokenExpiredError
from syncd.model.event import Answer, Status, Visibility
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from tests.providers.ews import BERLIN, EwsDesk, at, event, ews_desk, instant, weekly
from tests.providers.follow import Follower
from tests.servers.ews import EwsServer
from tests.servers.ews_xml import Xml, t


@pytest.fixture
async def desk() -> AsyncIterator[EwsDesk]:
    async with EwsServer().running() as server, ews_desk(server) as one:
        server.asked.clear()
        yield one
        assert server.complaints == []


async def test_calendars_are_folders_of_appointments_that_are_not_deleted(desk: EwsDesk) -> None:
    """E10."""
    box = desk.server.mailbox
    team = box.add_calendar("Team")
    box.add("Deeper", parent=team.id, kind="IPF.Appointment.Special")
    box.add("Mine not", parent=team.id, kind="IPF.Appointments")
    bin_ = box.add("Bin", parent=box.special("deleteditems").id, kind="IPF.Note")
    box.add("Thrown away", parent=bin_.id, kind="IPF.Appointment")
    box.add("Read", parent=box.special("msgfolderroot").id, kind="IPF.Appointment").read_only = True
    found = {one.name: one for one in await desk.provider.calendars()}
    assert list(found) == ["Calendar", "Team", "Deeper", "Read"]
    assert [one.name for one in found.values() if one.primary] == ["Calendar"]
    assert [one.name for one in found.values() if one.read_only] == ["Read"]
    desk.server.folders.page_size = 2
    assert {one.name for one in await desk.provider.calendars()} == set(found)
    assert await desk.provider.moved({desk.key: None}) == {desk.key}


async def test_a_listing_comes_in_pages_and_only_the_last_has_the_state(desk: EwsDesk) -> None:
    """E4, P1, I1: newest first."""
    for number in range(25):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    desk.server.items.page_size = 8
    read = await desk.read()
    assert len(desk.held) == 25
    assert [page.token is not None for page in read.pages] == [False] * (len(read.pages) - 1) + [
        True
    ]
    assert read.last.complete
    assert read.last.mode is Mode.TOKEN
    assert desk.server.asked.count("SyncFolderItems") == 4
    assert desk.server.asked.count("GetItem") == 4  # 8, 8, 8 and 1: in tens (E5)
    assert next(page.upserts[0].key for page in read.pages if page.upserts) == "e24"


async def test_items_are_got_in_tens(desk: EwsDesk) -> None:
    """E5."""
    for number in range(25):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    await desk.read()
    assert desk.server.asked == ["SyncFolderItems", "GetItem", "GetItem", "GetItem"]
    assert desk.server.context == "UTC"  # E11


async def test_changes_are_told_once_and_a_quiet_poll_is_one_request(desk: EwsDesk) -> None:
    """E5, P4, P5."""
    server = desk.server
    server.put("a", *event("A", at(24)))
    server.put("b", *event("B", at(24)))
    await desk.read()
    server.put("a", t("Location", "There"))
    server.put("c", *event("C", at(24)))
    server.calendar.drop("b")
    server.put("d", *event("D", at(24)))
    server.calendar.drop("d")
    read = await desk.read()
    assert (read.upserts, read.deleted) == ({"a", "c"}, {"b"})
    assert desk.events("a")[0].location == "There"
    assert not read.last.complete
    server.asked.clear()
    token = desk.follower.token
    read = await desk.read()
    assert (read.empty, len(read.pages), desk.follower.token) == (True, 1, token)  # ADR 13
    assert server.asked == ["SyncFolderItems"]


async def test_what_is_held_in_the_same_version_is_named_and_not_got(desk: EwsDesk) -> None:
    """I9: a reconcile costs the list, and what differs."""
    for number in range(5):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    await desk.read()
    desk.server.put("e3", t("Subject", "other"))
    desk.server.asked.clear()
    read = await desk.read(full=True)
    assert read.changed == {"e3"}
    assert len(desk.held) == 5
    assert desk.server.asked == ["SyncFolderItems", "GetItem"]


async def test_an_expired_state_is_said_before_the_first_page(desk: EwsDesk) -> None:
    """I8, P2."""
    desk.server.put("a", *event("A", at(24)))
    await desk.read()
    desk.server.items.expire()
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
    for text in ("", "{}", '{"v":9,"p":"items","s":"x"}', '{"v":1,"p":"other","s":"x"}', "[1"):
        desk.follower.token = SyncToken(text)
        with pytest.raises(SyncTokenExpiredError):
            await desk.read()
    assert not (await desk.read(full=True)).deleted


async def test_a_folder_that_is_gone_is_said_to_be(desk: EwsDesk) -> None:
    team = desk.server.mailbox.add_calendar("Team")
    follower = Follower(desk.provider, CalendarKey(team.id))
    await follower.read()
    desk.server.mailbox.remove(team)
    with pytest.raises(NotFoundError):
        await follower.read()
    with pytest.raises(NotFoundError):
        await follower.read(full=True)
    with pytest.raises(NotFoundError):
        await desk.provider.resources(follower.key, [ResourceKey("x")])


async def test_a_page_that_comes_again_is_no_answer(desk: EwsDesk) -> None:
    """P1: or the poll would never end."""
    for number in range(9):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    desk.server.items.page_size = 3
    desk.server.items.repeat_page = True
    with pytest.raises(MalformedReplyError, match="same page"):
        await desk.read()


async def test_a_series_with_its_exceptions_is_one_resource(desk: EwsDesk) -> None:
    """E6, P8: modified and deleted occurrences are told by the series alone."""
    server = desk.server
    series = server.put("w", *event("Weekly", at(24), 1, weekly()))
    await desk.read()
    (whole,) = desk.events("w")
    assert whole.recurrence == ("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=8",)
    moved = series.occurrence(instant(1, 8, month=12))
    assert moved is not None
    moved.props |= {"Subject": t("Subject", "Special"), "Start": t("Start", "2026-12-01T09:30:00Z")}
    moved.props["End"] = t("End", "2026-12-01T10:30:00Z")
    series.exceptions[instant(1, 8, month=12)] = moved
    series.deleted.add(instant(8, 8, month=12))
    server.calendar.touch(series)
    await desk.read()
    whole, special = desk.events("w")
    assert whole.recurrence[1:] == ("EXDATE;TZID=Europe/Berlin:20261208T090000",)
    assert special.original_start == at(1, month=12)
    assert special.original_start_zone == "Europe/Berlin"
    assert (special.name, special.start) == (
        "Special",
        datetime(2026, 12, 1, 10, 30, tzinfo=BERLIN),
    )
    assert (special.uid, special.recurrence) == (whole.uid, ())
    series.exceptions.clear()
    server.calendar.touch(series)
    await desk.read()
    assert len(desk.events("w")) == 1


def guest(address: str, answer: str) -> Xml:
    return t("Attendee", t("Mailbox", t("EmailAddress", address)), t("ResponseType", answer))


async def test_an_event_becomes_what_the_table_says(desk: EwsDesk) -> None:
    """providers.md §9."""
    own = guest("ADA@example.org", "Unknown")
    chief = t("Mailbox", t("Name", "Chief"), t("EmailAddress", "chief@example.org"))
    file = [
        t("AttachmentId", Id="att1"),
        t("Name", "plan.pdf"),
        t("ContentType", "application/pdf"),
    ]
    desk.server.put(
        "a",
        *event("Review", at(24)),
        t("Sensitivity", "Personal"),
        t("Body", "One\r\nTwo\r\n", BodyType="Text"),
        t("Attachments", t("FileAttachment", *file)),
        t("ReminderIsSet", "true"),
        t("ReminderMinutesBeforeStart", "30"),
        t("LegacyFreeBusyStatus", "WorkingElsewhere"),
        t("Location", "Hall"),
        t("IsCancelled", "true"),
        t("MyResponseType", "Accept"),
        t("Organizer", chief),
        t("RequiredAttendees", guest("bo@example.org", "Tentative"), own),
        t("OptionalAttendees", guest("cy@example.org", "NoResponseReceived")),
        t("Resources", guest("hall@example.org", "Decline")),
    )
    await desk.read()
    (one,) = desk.events("a")
    assert (one.name, one.description, one.location) == ("Review", "One\nTwo", "Hall")
    assert (one.start, one.end, one.start_zone) == (at(24), at(24, 10), "Europe/Berlin")
    assert (one.visibility, one.transparent) == (Visibility.PRIVATE, True)
    assert one.status is Status.CANCELLED
    assert (one.reminder, [two.minutes for two in one.reminders]) == (30, [30])
    assert one.organizer is not None
    assert (one.organizer.email, one.organizer.name) == ("chief@example.org", "Chief")
    assert [(two.email, two.required, two.resource, two.answer) for two in one.attendees] == [
        ("bo@example.org", True, False, Answer.TENTATIVE),
        ("ADA@example.org", True, False, Answer.ACCEPTED),  # one's own answer is the event's
        ("cy@example.org", False, False, Answer.PENDING),
        ("hall@example.org", True, True, Answer.DECLINED),
    ]
    (found,) = one.attachments
    assert (found.id, found.name, found.mime_type) == ("att1", "plan.pdf", "application/pdf")
    assert one.created == datetime(2026, 11, 1, tzinfo=UTC)
    assert one.use_default_reminder is None


@pytest.mark.parametrize(
    ("zone", "start", "hours"),
    [
        ("W. Europe Standard Time", "2026-11-24T00:00:00+01:00", 48),
        ("Tokyo Standard Time", "2026-11-24T00:00:00+09:00", 48),
        ("Hawaiian Standard Time", "2026-11-24T00:00:00-10:00", 48),
        ("Nowhere Standard Time", "2026-11-23T23:00:00Z", 48),  # P9: flagged by no zone at all
    ],
)
async def test_an_all_day_event_is_the_date_in_its_own_zone(
    desk: EwsDesk, zone: str, start: str, hours: int
) -> None:
    """E11, P9: a date meets no zone."""
    begin = datetime.fromisoformat(start)
    desk.server.put("d", *event("Day", begin, hours, t("IsAllDayEvent", "true"), zone=zone))
    await desk.read()
    (one,) = desk.events("d")
    assert (one.start, one.end) == (date(2026, 11, 24), date(2026, 11, 26))
    assert (one.start_zone, one.all_day) == (None, True)


async def test_a_series_of_days_excludes_dates(desk: EwsDesk) -> None:
    """P8, P9."""
    all_day = t("IsAllDayEvent", "true")
    series = desk.server.put("d", *event("Day", at(24, 0), 24, all_day, weekly()))
    series.deleted.add(at(1, 0, month=12).astimezone(UTC))
    changed = series.occurrence(at(8, 0, month=12).astimezone(UTC))
    assert changed is not None
    series.exceptions[at(8, 0, month=12).astimezone(UTC)] = changed
    await desk.read()
    whole, other = desk.events("d")
    assert whole.recurrence[1:] == ("EXDATE;VALUE=DATE:20261201",)
    assert other.original_start == date(2026, 12, 8)


@pytest.mark.parametrize(
    ("member", "wrong"), [("Start", "yesterday"), ("End", ""), ("ReminderMinutesBeforeStart", "x")]
)
async def test_one_event_that_cannot_be_read_costs_that_event(
    desk: EwsDesk, member: str, wrong: str
) -> None:
    """I10."""
    for number in range(5):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    desk.server.items.broken["e2"] = (member, wrong)
    read = await desk.read()
    assert read.unread == {"e2"}
    assert read.upserts == {"e0", "e1", "e3", "e4"}
    desk.server.items.broken.clear()
    desk.server.put("e2")
    assert (await desk.read()).upserts == {"e2"}


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (b"&#xB;", "Tea time"),
        (b"&#x0;", "Tea time"),
        (b"&#31;", "Tea time"),
        (b"\x1f", "Tea time"),
        (b"&#xD83D;", "Tea time"),
        (b"&#xFFFF;", "Tea time"),
        (b"&#x1F375;&#0;", "Tea \U0001f375time"),
    ],
)
async def test_a_text_that_no_xml_can_hold_costs_nothing(
    desk: EwsDesk, told: bytes, name: str
) -> None:
    """I10, F18: Exchange hands on what mails brought, one of ten items of an answer."""
    for number in range(3):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    desk.server.put("e1", t("Subject", "Tea ILLEGIBLEtime"))
    desk.server.illegible = told
    read = await desk.read()
    assert (read.upserts, read.unread) == ({"e0", "e1", "e2"}, set())
    assert [one.name for one in desk.events("e1")] == [name]


@pytest.mark.parametrize("code", ["ErrorCorruptData", "ErrorInternalServerError", "ErrorBrandNew"])
async def test_one_item_that_exchange_cannot_tell_costs_that_item(desk: EwsDesk, code: str) -> None:
    """I10: a code that no rule names, for one item of several."""
    for number in range(3):
        desk.server.put(f"e{number}", *event(f"{number}", at(24)))
    desk.server.items.sick["e1"] = code
    read = await desk.read()
    assert (read.unread, read.upserts) == ({"e1"}, {"e0", "e2"})
    assert read.last.complete


async def test_one_exception_that_cannot_be_read_leaves_the_series(desk: EwsDesk) -> None:
    """I10."""
    series = desk.server.put("w", *event("Weekly", at(24), 1, weekly()))
    for day in (1, 8):
        changed = series.occurrence(instant(day, 8, month=12))
        assert changed is not None
        series.exceptions[instant(day, 8, month=12)] = changed
    desk.server.items.broken["w.20261201T080000"] = ("Start", "soon")
    await desk.read()
    one = desk.held[ResourceKey("w")]
    assert [two.original_start for two in one.events] == [None, at(8, month=12)]
    assert len(one.faults) == 1


async def test_a_pattern_that_nobody_knows_is_unread_not_a_single_event(desk: EwsDesk) -> None:
    desk.server.put("w", *event("Weekly", at(24), 1, weekly()))
    odd = t("Recurrence", t("DailyRegeneration", t("Interval", "2")), t("NoEndRecurrence"))
    item = desk.server.calendar.items["w"]
    item.props["Recurrence"] = odd
    item.starts = list  # type: ignore[method-assign,assignment]  # the fake cannot expand it either
    assert (await desk.read()).unread == {"w"}


async def test_what_is_no_event_is_left_out(desk: EwsDesk) -> None:
    note = desk.server.put("n", *event("Note", at(24)))
    note.kind = "Contact"
    read = await desk.read()
    assert (read.upserts, read.unread) == (set(), set())


async def test_some_events_are_read_alone(desk: EwsDesk) -> None:
    desk.server.put("a", *event("A", at(24)))
    keys = [ResourceKey("a"), ResourceKey("gone")]
    page = await desk.provider.resources(desk.key, keys)
    assert [one.key for one in page.upserts] == ["a"]
    assert page.deleted == {"gone"}
