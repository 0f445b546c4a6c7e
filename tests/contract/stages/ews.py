"""Exchange's stage: the fake mailbox, edited as Outlook would, and read without syncd."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp.test_utils import TestServer
from exchangelib import EWSTimeZone

from syncd.ports.link import Login
from syncd.ports.vault import Secret
from tests.contract.stage import Lack, Named, Planned
from tests.contract.stages.ews_rules import rule_of, told_rule
from tests.servers.ews import PASSWORD, EwsServer
from tests.servers.ews_directory import Entry
from tests.servers.ews_series import zone_of
from tests.servers.ews_truth import Folder, Item
from tests.servers.ews_xml import Xml, every, name_of, t, words
from tests.witness import Neutral

_GUESTS = ("RequiredAttendees", "OptionalAttendees", "Resources")
_FREE = {"Free", "WorkingElsewhere"}


class EwsStage:
    """Obeys ``Stage``."""

    name = "ews"
    provider = "ews"
    lacks = frozenset({Lack.BROKEN_BODIES, Lack.ROOM_CALENDARS})

    def __init__(self, folder: Path) -> None:
        self._folder = folder  # the mailbox outlives a restart in memory
        self.server = EwsServer()
        self._running: TestServer | None = None
        self.server.mailbox.add_calendar("Work")
        hall = Entry("Hall", "hall@example.org", "hall")
        self.server.directory.lists[Entry("House", "house@example.org", "house")] = [hall]

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        return {}

    def login(self) -> Login:
        return Login(
            provider="ews",
            username=self.server.username,
            password=Secret(PASSWORD),
            url=self.server.url,
        )

    async def start(self) -> None:
        self._running = await self.server.start()

    async def stop(self) -> None:
        if self._running is not None:
            await self._running.close()
            self._running = None

    async def add_calendar(self, calendar: str) -> None:
        self.server.mailbox.add_calendar(calendar)

    async def rename_calendar(self, calendar: str, name: str) -> None:
        folder = self._named(calendar)
        folder.name = name
        self.server.mailbox.log.append(folder.id)

    async def remove_calendar(self, calendar: str) -> None:
        self.server.mailbox.remove(self._named(calendar))

    async def put(self, calendar: str, key: str, event: Planned) -> None:
        folder = self._named(calendar)
        members = _members(event)
        item = folder.items.get(key)
        if item is not None:
            for name in {"Recurrence", "Body", "Location", *_GUESTS}:
                item.props.pop(name, None)
        self.server.put(key, *members, folder=folder)

    async def put_exception(
        self, calendar: str, key: str, original: datetime | date, event: Planned
    ) -> None:
        folder, series, start = self._at(calendar, key, original)
        one = series.exceptions.get(start) or series.occurrence(start)
        assert one is not None, f"{key} does not happen at {start}"
        for name in {"Body", "Location", *_GUESTS}:
            one.props.pop(name, None)
        one.props |= {name_of(member): member for member in _members(event)}
        series.exceptions[start] = one
        folder.touch(series)

    async def drop_occurrence(self, calendar: str, key: str, original: datetime | date) -> None:
        folder, series, start = self._at(calendar, key, original)
        series.exceptions.pop(start, None)
        series.deleted.add(start)
        folder.touch(series)

    async def remove(self, calendar: str, key: str) -> None:
        self._named(calendar).drop(key)

    async def truth(self) -> Neutral:
        found: Neutral = {}
        for folder in self.server.mailbox.calendars:
            told = [one for item in folder.items.values() for one in _told_all(item)]
            found[folder.name] = sorted(told, key=lambda one: json.dumps(one, sort_keys=True))
        return found

    async def put_contact(self, key: str, contact: Named) -> None:
        """Write a whole contact: what it does not say goes."""
        box, members = self.server.mailbox, _card(contact)
        folder = box.special("contacts")
        held = folder.items.get(key) or box.new_item(t("Contact", *members))
        held.id = key
        for name in ("EmailAddresses", "PhoneNumbers"):
            held.props.pop(name, None)
        held.props |= {name_of(one): one for one in members}
        folder.put(held)

    async def remove_contact(self, key: str) -> None:
        self.server.mailbox.special("contacts").drop(key)

    async def contacts(self) -> list[Named]:
        held = self.server.mailbox.special("contacts").items.values()
        return [
            Named(
                name=one.text("DisplayName"),
                email=_entry(one, "EmailAddresses"),
                phone=_entry(one, "PhoneNumbers"),
            )
            for one in held
        ]

    def expire_tokens(self) -> None:
        self.server.items.expire()

    def refuse(self) -> None:
        self.server.password = f"not {PASSWORD}"

    def accept(self) -> None:
        self.server.password = PASSWORD

    def complaints(self) -> list[str]:
        return list(self.server.complaints)

    def _named(self, calendar: str) -> Folder:
        return self.server.mailbox.named(calendar)

    def _at(
        self, calendar: str, key: str, original: datetime | date
    ) -> tuple[Folder, Item, datetime]:
        folder = self._named(calendar)
        series = folder.items[key]
        return folder, series, _instant(original, zone_of(series.zone))


def _card(contact: Named) -> list[Xml]:
    members = [t("DisplayName", contact.name), t("GivenName", contact.name)]
    if contact.email:
        members.append(t("EmailAddresses", t("Entry", contact.email, Key="EmailAddress1")))
    if contact.phone:
        members.append(t("PhoneNumbers", t("Entry", contact.phone, Key="MobilePhone")))
    return members


def _entry(item: Item, name: str) -> str:
    return words(item.props[name], "t:Entry") if name in item.props else ""


def _instant(when: datetime | date, zone: ZoneInfo) -> datetime:
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    return datetime.combine(when, time(), zone).astimezone(UTC)


def _members(event: Planned) -> list[Xml]:
    """Return an event as Outlook writes it: days are midnights of a zone."""
    all_day = not isinstance(event.start, datetime)
    zone = ZoneInfo("Europe/Berlin")
    if isinstance(event.start, datetime):
        assert isinstance(event.start.tzinfo, ZoneInfo)
        zone = event.start.tzinfo
    windows = EWSTimeZone(zone.key).ms_id
    begin, end = (_instant(when, zone).astimezone(zone) for when in (event.start, event.end))
    more = list[Xml]()
    if event.description is not None:
        more.append(t("Body", event.description, BodyType="Text"))
    if event.location is not None:
        more.append(t("Location", event.location))
    if event.attendees:
        guests = [t("Attendee", t("Mailbox", t("EmailAddress", one))) for one in event.attendees]
        more.append(t("RequiredAttendees", *guests))
    if event.rule:
        more.append(rule_of(event.rule, begin))
    return [
        t("Subject", event.name),
        t("Start", begin.isoformat()),
        t("End", end.isoformat()),
        t("IsAllDayEvent", "true" if all_day else "false"),
        t("LegacyFreeBusyStatus", "Free" if event.transparent else "Busy"),
        t("StartTimeZone", Id=windows),
        t("EndTimeZone", Id=windows),
        *more,
    ]


def _told_all(item: Item) -> list[dict[str, Any]]:
    exceptions = [
        _told(one, item.text("UID"), original, item) for original, one in item.exceptions.items()
    ]
    return [_told(item, item.text("UID"), None, item), *exceptions]


def _told(item: Item, uid: str, original: datetime | None, series: Item) -> dict[str, Any]:
    """Return the neutral form of an item, or of an exception of a series."""
    all_day, zone = series.text("IsAllDayEvent") == "true", zone_of(item.zone)
    own_day = item.text("IsAllDayEvent") == "true"
    rule = item.props.get("Recurrence")
    people = [
        words(one, "t:Mailbox/t:EmailAddress").lower()
        for kind in _GUESTS
        if kind in item.props
        for one in every(item.props[kind], "t:Attendee")
    ]
    end = item.start + item.length
    return {
        "uid": uid,
        "original": None if original is None else _when(original, zone, all_day=all_day),
        "name": item.text("Subject"),
        "description": item.text("Body") or None,
        "location": item.text("Location") or None,
        "start": _when(item.start, zone, all_day=own_day),
        "end": _when(end, zone, all_day=own_day),
        "rule": [] if rule is None else sorted(told_rule(rule, zone, all_day=all_day)),
        "excluded": sorted(_when(one, zone, all_day=all_day) for one in item.deleted),
        "attendees": sorted(people),
        "transparent": item.text("LegacyFreeBusyStatus") in _FREE,
        "cancelled": item.text("IsCancelled") == "true",
    }


def _when(at: datetime, zone: ZoneInfo, *, all_day: bool) -> str:
    if all_day:
        return at.astimezone(zone).date().isoformat()
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
