"""exchangelib, outside of our adapter, reads and writes the fake (providers.md 10.4, item 4)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from exchangelib import (
    BASIC,
    DELEGATE,
    UTC,
    Account,
    CalendarItem,
    Configuration,
    Contact,
    Credentials,
    EWSDate,
    EWSDateTime,
    EWSTimeZone,
    FailFast,
    Version,
)
from exchangelib.errors import (
    ErrorFolderExists,
    ErrorInvalidSyncStateData,
    ErrorIrresolvableConflict,
    ErrorItemNotFound,
    ErrorServerBusy,
    UnauthorizedError,
)
from exchangelib.folders import Calendar
from exchangelib.protocol import close_connections
from exchangelib.recurrence import Recurrence, WeeklyPattern
from exchangelib.version import EXCHANGE_2016

from tests.providers.ews import at, event, ews_desk, weekly
from tests.servers.ews import OWNER, PASSWORD, USERNAME, EwsServer, Fault
from tests.servers.ews_directory import Entry
from tests.servers.ews_xml import t

BERLIN = EWSTimeZone("Europe/Berlin")


@contextmanager
def account(url: str, password: str = PASSWORD) -> Iterator[Any]:
    """Yield somebody's mailbox as exchangelib sees it; its connections end."""
    config = Configuration(
        service_endpoint=url,
        credentials=Credentials(USERNAME, password),
        auth_type=BASIC,
        version=Version(build=EXCHANGE_2016),
        retry_policy=FailFast(),
    )
    try:
        yield Account(
            OWNER, config=config, autodiscover=False, access_type=DELEGATE, default_timezone=UTC
        )
    finally:
        close_connections()


def berlin(day: int, hour: int = 10) -> Any:  # noqa: ANN401
    return EWSDateTime(2026, 11, day, hour, tzinfo=BERLIN)


def events(url: str) -> dict[str, Any]:
    with account(url) as one:
        calendar = one.calendar
        made = CalendarItem(
            account=one, folder=calendar, subject="Hers", start=berlin(24), end=berlin(24, 11)
        )
        made.save()
        first = [(kind, item.subject) for kind, item in calendar.sync_items()]
        stale = made.changekey
        made.location = "Here"
        made.save(update_fields=["location"])
        then = [(kind, item.location) for kind, item in calendar.sync_items()]
        made.changekey = stale
        with pytest.raises(ErrorIrresolvableConflict):
            made.save(update_fields=["location"], conflict_resolution="NeverOverwrite")
        seen = list(calendar.view(berlin(24, 0), berlin(25, 0)))
        (got,) = list(one.fetch(ids=[(made.id, None)]))
        got.move_to_trash()
        (lost,) = list(one.fetch(ids=[(made.id, None)]))
        assert isinstance(lost, ErrorItemNotFound)
        gone = [kind for kind, _ in calendar.sync_items()]
        calendar.item_sync_state = "H4sInobodys"
        with pytest.raises(ErrorInvalidSyncStateData):
            list(calendar.sync_items())
        return {
            "first": first,
            "then": then,
            "seen": [(item.subject, item.start) for item in seen],
            "got": (got.start, got._start_timezone, got.organizer.email_address),
            "gone": gone,
        }


async def test_it_finds_syncs_views_makes_changes_and_deletes_events() -> None:
    """E4, E5, E7."""
    async with EwsServer().running() as server:
        told = await asyncio.to_thread(events, server.url)
        assert told["first"] == [("create", "Hers")]
        assert told["then"] == [("update", "Here")]
        assert told["seen"] == [("Hers", berlin(24))]
        assert told["got"] == (berlin(24), BERLIN, OWNER)
        assert told["gone"] == ["delete"]
        assert server.complaints == []


def series(url: str) -> dict[str, Any]:
    with account(url) as one:
        made = CalendarItem(
            account=one,
            folder=one.calendar,
            subject="Weekly",
            start=berlin(24),
            end=berlin(24, 11),
            recurrence=Recurrence(
                pattern=WeeklyPattern(interval=1, weekdays=["Tuesday"]),
                start=EWSDate(2026, 11, 24),
                number=4,
            ),
        )
        made.save()
        end = berlin(24, 0) + timedelta(days=60)
        second, third = list(one.calendar.view(berlin(24, 0), end))[1:3]
        second.subject = "Second"
        second.save(update_fields=["subject"])
        third.move_to_trash()
        (got,) = list(one.fetch(ids=[(made.id, None)]))
        return {
            "kind": got.type,
            "pattern": str(got.recurrence),
            "modified": [item.original_start for item in got.modified_occurrences],
            "deleted": [item.start for item in got.deleted_occurrences],
            "left": [item.subject for item in one.calendar.view(berlin(24, 0), end)],
        }


async def test_it_sees_exceptions_and_deleted_occurrences_on_their_series() -> None:
    """E6."""
    async with EwsServer().running() as server:
        told = await asyncio.to_thread(series, server.url)
        assert told["kind"] == "RecurringMaster"
        assert "Tuesday" in told["pattern"]
        assert told["modified"] == [berlin(24) + timedelta(days=7)]
        assert told["deleted"] == [berlin(24) + timedelta(days=14)]
        assert told["left"] == ["Weekly", "Second", "Weekly"]
        assert server.complaints == []


def folders(url: str) -> dict[str, Any]:
    with account(url) as one:
        names = [folder.name for _, folder in one.msg_folder_root.sync_hierarchy()]
        Calendar(parent=one.calendar, name="Team").save()
        with pytest.raises(ErrorFolderExists):
            Calendar(parent=one.calendar, name="team").save()
        then = [(kind, folder.name) for kind, folder in one.msg_folder_root.sync_hierarchy()]
        below = [(folder.name, folder.folder_class) for folder in one.calendar.children]
        (team,) = one.calendar.children
        team.delete()
        Contact(account=one, folder=one.contacts, display_name="Cy", given_name="Cy").save()
        cards = [(card.display_name, card.given_name) for card in one.contacts.all()]
        return {"names": names, "then": then, "below": below, "cards": cards}


async def test_it_syncs_the_hierarchy_and_makes_and_deletes_folders() -> None:
    """E10."""
    async with EwsServer().running() as server:
        told = await asyncio.to_thread(folders, server.url)
        assert "Calendar" in told["names"]
        assert told["then"] == [("update", "Team")]
        assert told["below"] == [("Team", "IPF.Appointment")]
        assert told["cards"] == [("Cy", "Cy")]
        assert [one.name for one in server.mailbox.calendars] == ["Calendar"]
        assert server.complaints == []


def directory(url: str) -> dict[str, Any]:
    with account(url) as one:
        protocol = one.protocol
        asked = [(OWNER, "Required", False), ("bo@example.org", "Required", False)]
        own, bos = protocol.get_free_busy_info(
            asked, berlin(24, 0), berlin(25, 0), requested_view="FreeBusy"
        )
        (rooms,) = protocol.get_roomlists()
        return {
            "ada": [box.email_address for box in protocol.resolve_names(["ada"])],
            "several": len(protocol.resolve_names(["a"])),
            "busy": [busy.start for busy in own.calendar_events],
            "free": list(bos.calendar_events or ()),
            "zone": one.root.get_user_configuration(name="OWA.UserOptions").dictionary["timezone"],
            "lists": rooms.email_address,
            "rooms": [room.email_address for room in protocol.get_rooms(rooms.email_address)],
        }


async def test_it_resolves_names_finds_rooms_and_sees_who_is_free() -> None:
    """E12."""
    async with EwsServer().running() as server:
        server.put("a", *event("Busy", at(24)))
        house = Entry("House", "house@example.org", "house")
        server.directory.people.append(Entry("Alf", "alf@example.org", "alf"))
        server.directory.lists[house] = [Entry("Hall", "hall@example.org", "hall")]
        told = await asyncio.to_thread(directory, server.url)
        assert told["ada"] == [OWNER]
        assert told["several"] == 2
        assert told["busy"] == [berlin(24, 9)]
        assert told["free"] == []
        assert told["zone"] == "W. Europe Standard Time"
        assert (told["lists"], told["rooms"]) == ("house@example.org", ["hall@example.org"])
        assert server.complaints == []


def refused(url: str) -> dict[str, Any]:
    with account(url, "wrong") as one, pytest.raises(UnauthorizedError):
        _ = one.calendar
    with account(url) as one:
        with pytest.raises(ErrorServerBusy) as fault:
            list(one.calendar.sync_items())
        with pytest.raises(ErrorServerBusy) as message:
            list(one.calendar.view(berlin(24), berlin(25)))
        return {"fault": fault.value.back_off, "message": message.value.back_off}


async def test_it_reads_back_off_from_a_fault_and_not_from_a_message() -> None:
    """E3: so that what syncd does about it rests on what the library really tells."""
    async with EwsServer().running() as server:
        busy = "ErrorServerBusy"
        server.faults = [
            Fault(code=busy, operation="SyncFolderItems", back_off=7000),
            Fault(code=busy, operation="FindItem", message=True),
        ]
        told = await asyncio.to_thread(refused, server.url)
        assert told == {"fault": 7.0, "message": 10}


def both(url: str) -> list[tuple[str, Any, Any]]:
    with account(url) as one:
        ids = [(item.id, None) for _, item in one.calendar.sync_items()]
        return [(item.subject, item.start, item.end) for item in one.fetch(ids=ids)]


async def test_exchangelib_and_ours_see_the_same() -> None:
    """E11: an all-day event is the date in its own zone, for both."""
    async with EwsServer().running() as server, ews_desk(server) as desk:
        all_day = t("IsAllDayEvent", "true")
        server.put("a", *event("Single", at(24)))
        server.put("d", *event("Day", at(26, 0), 48, all_day))
        server.put("w", *event("Weekly", at(24), 1, weekly()))
        await desk.read()
        theirs = await asyncio.to_thread(both, server.url)
        inclusive = timedelta(days=1)  # exchangelib's end of an all-day event is its last day
        ours = [
            (one.name, one.start, one.end - inclusive if one.all_day else one.end)
            for resource in desk.held.values()
            for one in resource.events
        ]
        assert sorted(ours, key=str) == sorted(theirs, key=str)
        assert len(ours) == 3
