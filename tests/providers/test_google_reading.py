"""Reading Google Calendar, over the fake that the discovery document judges."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from syncd.model.errors import (
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RelinkRequiredError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.event import Answer, Status, Visibility
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import slot
from syncd.ports.link import Login
from tests.fakes.clock import FakeClock
from tests.providers.google import (
    WORK,
    GoogleDesk,
    google_adapter,
    google_desk,
    google_login,
)
from tests.servers.google import Fault, GoogleServer, at
from tests.servers.tokens import CLIENT_ID

WEEKLY = {
    "summary": "Weekly",
    "start": at(24, 10),
    "end": at(24, 11),
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"],
}
SECOND, THIRD = "w_20261201T090000Z", "w_20261208T090000Z"


@pytest.fixture
async def server() -> AsyncIterator[GoogleServer]:
    async with GoogleServer().running() as running:
        yield running
        assert running.complaints == []


@pytest.fixture
async def desk(server: GoogleServer) -> AsyncIterator[GoogleDesk]:
    async with google_desk(server) as one:
        yield one


def single(server: GoogleServer, name: str, summary: str = "", **members: Any) -> None:  # noqa: ANN401
    times = {"start": at(24), "end": at(24, 10)}
    server.work.put(name, **{"summary": summary or name, **times, **members})


async def test_the_first_read_brings_all_and_the_next_nothing(desk: GoogleDesk) -> None:
    """G1: pages may be short or empty, the token comes with the last."""
    for number in range(7):
        single(desk.server, f"single{number}")
    desk.server.work.put("w", **WEEKLY)
    desk.server.page_size = 3
    read = await desk.read()
    assert len(desk.held) == 8
    assert read.last.complete
    assert [bool(page.token) for page in read.pages] == [False, False, False, True]
    again = await desk.read()
    assert again.empty
    assert len(again.pages) == 1
    assert not again.last.complete


async def test_single_events_come_change_move_and_go(desk: GoogleDesk) -> None:
    await desk.read()
    single(desk.server, "a", "First")
    assert (await desk.read()).changed == {"a"}
    single(desk.server, "a", "Second", location="Room 1")
    assert (await desk.read()).changed == {"a"}
    single(desk.server, "a", "Second", start=at(26), end=at(26, 10))
    await desk.read()
    assert desk.events("a")[0].start == datetime(2026, 11, 26, 8, tzinfo=UTC)
    assert desk.events("a")[0].start_zone == "Europe/Berlin"
    desk.server.work.cancel("a")
    assert (await desk.read()).deleted == {"a"}


async def test_a_tombstone_of_what_was_never_seen_is_nothing_p5(desk: GoogleDesk) -> None:
    await desk.read()
    single(desk.server, "a")
    desk.server.work.cancel("a")
    assert (await desk.read()).empty


async def test_a_series_and_its_exceptions_are_one_resource(desk: GoogleDesk) -> None:
    """P8, G3."""
    desk.server.work.put("w", **WEEKLY)
    await desk.read()
    desk.server.work.put(SECOND, start=at(31, 14), end=at(31, 15), summary="Later")
    assert (await desk.read()).upserts == {"w"}
    series, exception = desk.events("w")
    assert series.recurrence == ("RRULE:FREQ=WEEKLY;COUNT=8",)
    assert (slot(exception), exception.name) == ("20261201T090000Z", "Later")
    assert exception.uid == series.uid
    desk.server.work.put(THIRD, start=at(38, 12), end=at(38, 13))
    await desk.read()
    assert [slot(one) for one in desk.events("w")] == ["", "20261201T090000Z", "20261208T090000Z"]
    whole = desk.held[ResourceKey("w")]
    await desk.read(full=True)
    assert desk.held[ResourceKey("w")] == whole
    desk.server.work.cancel("w")
    assert (await desk.read()).deleted == {"w"}


@pytest.mark.parametrize("full", [True, False], ids=["listing", "feed"])
async def test_a_cancelled_instance_is_an_excluded_start_of_its_series(
    desk: GoogleDesk, *, full: bool
) -> None:
    """P8, G4: the feed brings only the stub."""
    desk.server.work.put("w", **WEEKLY)
    desk.server.work.put(THIRD, summary="Other")
    await desk.read()
    desk.server.work.cancel(SECOND)
    await desk.read(full=full)
    series, exception = desk.events("w")
    line = "EXDATE;TZID=Europe/Berlin:20261201T100000"
    assert series.recurrence == ("RRULE:FREQ=WEEKLY;COUNT=8", line)
    assert exception.name == "Other"
    desk.server.work.cancel(THIRD)
    await desk.read(full=full)
    assert len(desk.events("w")) == 1
    assert len(desk.events("w")[0].recurrence) == 3
    desk.server.work.put("w", summary="Renamed")
    await desk.read(full=full)
    assert len(desk.events("w")[0].recurrence) == 3


async def test_excluded_days_and_lines_that_say_it_already(desk: GoogleDesk) -> None:
    rule = ["RRULE:FREQ=DAILY;COUNT=5", "EXDATE;VALUE=DATE:20261125"]
    days = {"start": {"date": "2026-11-24"}, "end": {"date": "2026-11-25"}}
    desk.server.work.put("d", **days, recurrence=rule)
    desk.server.work.cancel("d_20261125")
    desk.server.work.cancel("d_20261126")
    await desk.read()
    assert desk.events("d")[0].recurrence == (*rule, "EXDATE;VALUE=DATE:20261126")
    assert desk.events("d")[0].start == date(2026, 11, 24)


async def test_parts_of_a_series_come_in_any_order_over_pages(desk: GoogleDesk) -> None:
    """P4: the exception stands on a page before its series."""
    await desk.read()
    work = desk.server.work
    work.put("w", **WEEKLY)
    work.put(SECOND, summary="Other")
    single(desk.server, "a")
    work.put("w", summary="Touched last")
    desk.server.page_size = 1
    read = await desk.read()
    assert len(read.pages) == 1
    assert [one.name for one in desk.events("w")] == ["Touched last", "Other"]


async def test_a_guest_at_one_instance_sees_it_without_its_series(desk: GoogleDesk) -> None:
    original = {"recurringEventId": "theirs", "originalStartTime": at(24)}
    single(desk.server, "theirs_20261124T080000Z", "Guest", **original)
    await desk.read()
    assert [one.name for one in desk.events("theirs")] == ["Guest"]
    single(desk.server, "others_20261124T080000Z", "Other", **original | {"recurringEventId": "o"})
    await desk.read()
    assert [one.name for one in desk.events("o")] == ["Other"]
    desk.server.work.cancel("others_20261124T080000Z")
    assert (await desk.read()).deleted == {"o"}


async def test_an_exception_whose_series_was_never_read_brings_it(desk: GoogleDesk) -> None:
    work = desk.server.work
    work.put("w", **WEEKLY)
    work.cancel(THIRD)
    await desk.read()
    desk.held.clear()
    desk.follower._raw.clear()
    work.put(SECOND, summary="Other")
    await desk.read()
    assert [one.name for one in desk.events("w")] == ["Weekly", "Other"]
    assert len(desk.events("w")[0].recurrence) == 2


async def test_a_series_that_repeats_no_more_loses_its_exceptions(desk: GoogleDesk) -> None:
    work = desk.server.work
    work.put("w", **WEEKLY)
    work.put(SECOND, summary="Other")
    await desk.read()
    plain = {name: one for name, one in work.events["w"].items() if name != "recurrence"}
    work.put("w", **plain)
    work.put(SECOND, summary="Changed in the same round")
    await desk.read()
    assert [one.recurrence for one in desk.events("w")] == [()]
    await desk.read(full=True)
    assert [(slot(one), one.recurrence) for one in desk.events("w")] == [("", ())]


async def test_an_expired_token_asks_for_a_full_read(desk: GoogleDesk) -> None:
    """I8, G4: 410 is never an empty page."""
    single(desk.server, "a")
    await desk.read()
    desk.server.expire()
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
    assert (await desk.read(full=True)).empty
    desk.follower.token = SyncToken('{"v":0,"p":"x","s":"y"}')
    with pytest.raises(SyncTokenExpiredError):  # P2
        await desk.read()


async def test_every_member_is_translated(desk: GoogleDesk) -> None:
    """Section 9."""
    single(
        desk.server,
        "a",
        "All",
        description="Text",
        location="Room",
        status="tentative",
        transparency="transparent",
        visibility="private",
        colorId="11",
        organizer={"email": "bo@example.org", "displayName": "Bo"},
        attendees=[
            {"email": "ada@example.org", "self": True, "responseStatus": "needsAction"},
            {"email": "c@example.org", "optional": True, "responseStatus": "declined"},
            {"email": "room@example.org", "resource": True, "responseStatus": "accepted"},
        ],
        attachments=[{"fileId": "f", "title": "T", "fileUrl": "https://x", "mimeType": "a/b"}],
        reminders={"useDefault": False, "overrides": [{"method": "email", "minutes": 30}]},
        extendedProperties={"private": {"k": "1"}, "shared": {"s": "2"}},
        conferenceData={"conferenceId": "abc"},
    )
    await desk.read()
    (event,) = desk.events("a")
    assert (event.description, event.location) == ("Text", "Room")
    assert (event.status, event.transparent) == (Status.TENTATIVE, True)
    assert (event.visibility, event.color) == (Visibility.PRIVATE, "#DC2127")
    assert event.organizer is not None
    assert (event.organizer.email, event.organizer.name) == ("bo@example.org", "Bo")
    told = [(one.answer, one.required, one.resource) for one in event.attendees]
    assert told == [
        (Answer.PENDING, True, False),
        (Answer.DECLINED, False, False),
        (Answer.ACCEPTED, True, True),
    ]
    assert [(one.id, one.name) for one in event.attachments] == [("f", "T")]
    assert [(one.minutes, one.method) for one in event.reminders] == [(30, "email")]
    assert event.use_default_reminder is False
    pairs = [(one.key, one.value, one.private) for one in event.custom_properties]
    assert pairs == [("k", "1", True), ("s", "2", False)]
    assert json.loads(desk.held[ResourceKey("a")].raw)["conferenceData"]["conferenceId"] == "abc"


async def test_a_time_without_a_zone_counts_in_the_calendars(desk: GoogleDesk) -> None:
    """P9."""
    single(desk.server, "a", start={"dateTime": "2026-11-24T09:00:00Z"})
    await desk.read()
    assert desk.events("a")[0].start_zone == "Europe/Berlin"
    assert desk.events("a")[0].start.isoformat() == "2026-11-24T10:00:00+01:00"


async def test_a_broken_event_costs_nothing_else_i10(desk: GoogleDesk) -> None:
    single(desk.server, "ok")
    single(desk.server, "odd", start={"dateTime": "soon"})
    desk.server.work.put("w", **WEEKLY)
    desk.server.work.put(SECOND, start={"dateTime": "later"})
    read = await desk.read()
    assert read.unread == {"odd"}
    assert desk.held.keys() == {"ok", "w"}
    assert len(desk.held[ResourceKey("w")].faults) == 1


async def test_calendars_are_listed_as_the_person_sees_them(desk: GoogleDesk) -> None:
    theirs = desk.server.add_calendar("team@x", role="reader", summary="Team", location="Bonn")
    theirs.listed["summaryOverride"] = "My team"
    primary, team = await desk.provider.calendars()
    assert (primary.key, primary.primary, primary.read_only) == (WORK, True, False)
    assert (primary.timezone, primary.color) == ("Europe/Berlin", "#9FE1E7")
    assert (team.name, team.location, team.read_only) == ("My team", "Bonn", True)
    assert await desk.provider.moved({WORK: None}) == {WORK}
    with pytest.raises(NotFoundError):
        async for _ in desk.provider.changes(CalendarKey("gone"), None, desk.follower):
            pass


async def test_who_signs_in_is_named_by_the_id_token_p15(server: GoogleServer) -> None:
    claims = {"aud": CLIENT_ID, "sub": "1234567890"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    server.tokens.told["id_token"] = f"e30.{body}.x"
    async with google_adapter(server, FakeClock()) as adapter:
        signed = await adapter.sign_in(google_login(server))
        assert (signed.identity, signed.login) == ("1234567890", "ada@example.org")
        assert signed.secrets["refresh_token"].reveal() == server.tokens.refresh_token
        server.tokens.told.clear()
        again = await adapter.sign_in(google_login(server))
        assert again.identity == "calendar:ada@example.org"
        claims["aud"] = "another client"
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        server.tokens.told["id_token"] = f"e30.{body}.x"
        assert (await adapter.sign_in(google_login(server))).identity == again.identity
        with pytest.raises(InvalidError):
            await adapter.sign_in(Login(provider="google"))
        server.tokens.revoked = True
        with pytest.raises(RelinkRequiredError) as caught:
            await adapter.sign_in(google_login(server))
        assert caught.value.reason == "invalid_grant"


async def test_without_a_client_the_operator_is_told() -> None:
    async with google_adapter(_nameless(), FakeClock()) as adapter:
        with pytest.raises(MisconfiguredError):
            await adapter.sign_in(Login(provider="google"))


def _nameless() -> GoogleServer:
    server = GoogleServer()
    server.url = ""
    return server


async def test_a_refused_access_token_is_replaced_once(desk: GoogleDesk) -> None:
    """I13: then only the proof of I11 counts."""
    await desk.read()
    desk.server.faults.append(Fault(401, reason="authError"))
    refreshes = desk.server.tokens.refreshes
    await desk.read()
    assert desk.server.tokens.refreshes == refreshes + 1
    desk.server.faults.append(Fault(401, reason="authError", times=2))
    with pytest.raises(RelinkRequiredError):
        await desk.read()
    await desk.read()


async def test_a_passing_failure_is_tried_again_in_the_poll(desk: GoogleDesk) -> None:
    single(desk.server, "a")
    desk.server.faults.append(Fault(500, reason="backendError", times=2))
    assert (await desk.read()).changed == {"a"}
    desk.server.faults.append(Fault(500, reason="backendError", times=3))
    with pytest.raises(TransientError):
        await desk.read()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<html>", "text/html"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ('{"nextSyncToken":"x"}', "application/json"),
        ('{"items":[]}', "application/json"),
        ('{"items":[{}],"nextSyncToken":"x"}', "application/json"),
    ],
)
async def test_a_page_that_is_none_is_never_an_empty_one(
    desk: GoogleDesk, text: str, kind: str
) -> None:
    """P1."""
    single(desk.server, "a")
    await desk.read()
    desk.server.faults.append(Fault(200, text=text, kind=kind))
    with pytest.raises(MalformedReplyError):
        await desk.read()


async def test_a_throttle_names_its_end(desk: GoogleDesk) -> None:
    headers = {"Retry-After": "42"}
    desk.server.faults.append(Fault(403, reason="rateLimitExceeded", headers=headers))
    with pytest.raises(TransientError) as caught:
        await desk.read()
    assert caught.value.retry_after == timedelta(seconds=42)


async def test_of_two_versions_in_one_round_the_newer_counts(desk: GoogleDesk) -> None:
    """P4."""
    single(desk.server, "a", "Old")
    await desk.read()
    old = dict(desk.server.work.events["a"])
    new = {**old, "summary": "New", "updated": "2027-01-01T00:00:00.000Z"}
    text = json.dumps({"items": [new, old], "nextSyncToken": "x"})
    desk.server.faults.append(Fault(200, text=text))
    await desk.read()
    assert desk.events("a")[0].name == "New"


async def test_a_page_that_leads_to_itself_ends_the_read(desk: GoogleDesk) -> None:
    text = json.dumps({"items": [], "nextPageToken": "x"})
    desk.server.faults.append(Fault(200, text=text, times=2))
    with pytest.raises(MalformedReplyError, match="twice"):
        await desk.read()
