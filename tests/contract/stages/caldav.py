"""CalDAV on stage: real servers, iCloud's stand-in before one, and the ``caldav`` package as truth.

Events are iCalendar files here, written by the stage's own hand (RFC 5545).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from syncd.ports.link import Login
from syncd.ports.vault import Secret
from tests.contract.stage import Lack, Named, Planned
from tests.formats.written import vcalendar, vevent
from tests.servers.caldav import CalDavServer, Radicale, Xandikos
from tests.servers.card_client import CardClient, card
from tests.servers.icloud import Icloud
from tests.servers.seeding import seed_files
from tests.witness import Neutral, shared_witness

BOOK = "people"
BROKEN = ("X-ODD;X-P=a b:;;\\,", "PRIORITY:much")


@dataclass
class _Series:
    """A file as the stage wrote it last."""

    event: Planned
    exceptions: dict[datetime | date, Planned] = field(default_factory=dict)
    excluded: list[datetime | date] = field(default_factory=list)


class DavStage:
    """Obeys ``Stage``; ``server`` is the real one, where calendars go by their path."""

    name: str
    provider = "caldav"
    lacks = frozenset({Lack.ROOMS, Lack.PROTECTED_CALENDARS, Lack.ROOM_CALENDARS})
    server: CalDavServer

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = dict[str, dict[str, _Series]]()
        self._paths = dict[str, str]()
        self._begun = False

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        return self.server.settings

    @property
    def books(self) -> list[str]:
        """The paths of all address books; the first one is the stage's own."""
        return [BOOK]

    def login(self) -> Login:
        return Login(
            provider=self.provider,
            url=self.server.url,
            username=self.server.username,
            password=Secret(self.server.password),
        )

    async def start(self) -> None:
        await self.server.start()
        if not self._begun:
            self._begun = True
            await self.add_calendar("Work")

    async def stop(self) -> None:
        await self.server.stop()

    async def add_calendar(self, calendar: str) -> None:
        self._paths[calendar] = calendar.lower().replace(" ", "-")
        self._files[calendar] = {}
        await self.server.mkcalendar(self._paths[calendar], name=calendar)

    async def rename_calendar(self, calendar: str, name: str) -> None:
        self._paths[name] = self._paths.pop(calendar)
        self._files[name] = self._files.pop(calendar)
        await self.server.set_name(self._paths[name], name)

    async def remove_calendar(self, calendar: str) -> None:
        del self._files[calendar]
        await self.server.delete(self._paths.pop(calendar))

    async def put(self, calendar: str, key: str, event: Planned) -> None:
        files = self._files[calendar]
        files[key] = replace(files[key], event=event) if key in files else _Series(event)
        await self._write(calendar, key)

    async def put_exception(
        self, calendar: str, key: str, original: datetime | date, event: Planned
    ) -> None:
        self._files[calendar][key].exceptions[original] = event
        await self._write(calendar, key)

    async def drop_occurrence(self, calendar: str, key: str, original: datetime | date) -> None:
        series = self._files[calendar][key]
        series.exceptions.pop(original, None)
        series.excluded.append(original)
        await self._write(calendar, key)

    async def remove(self, calendar: str, key: str) -> None:
        del self._files[calendar][key]
        await self.server.delete(self._paths[calendar], f"{key}.ics")

    async def put_broken(self, calendar: str, key: str, event: Planned) -> None:
        self._files[calendar][key] = _Series(event)
        body = vcalendar(vevent(*_lines(event), *BROKEN, uid=key))
        await self.server.put(self._paths[calendar], f"{key}.ics", body)

    async def fill(self, calendar: str, events: Mapping[str, Planned]) -> None:
        """As the files that servers keep: no client would wait for it."""
        self._files[calendar] |= {key: _Series(event) for key, event in events.items()}
        bodies = {f"{key}.ics": self._body(calendar, key) for key in events}
        await self.server.stop()
        await asyncio.to_thread(seed_files, self.server.held, self._paths[calendar], bodies)
        await self.server.start()

    async def truth(self) -> Neutral:
        at = self.server.held
        return await shared_witness().read(url=at.url, username=at.username, password=at.password)

    async def put_contact(self, key: str, contact: Named) -> None:
        device = await self.cards()
        lines = [f"EMAIL:{contact.email}"] if contact.email else []
        lines += [f"TEL:{contact.phone}"] if contact.phone else []
        await device.put(self.books[0], f"{key}.vcf", card(key, contact.name, *lines))

    async def remove_contact(self, key: str) -> None:
        await (await self.cards()).delete(self.books[0], f"{key}.vcf")

    async def contacts(self) -> list[Named]:
        people = await (await self.cards()).people(*self.books)
        return [
            Named(name=name, email="".join(emails), phone="".join(phones))
            for name, emails, phones in people
        ]

    def expire_tokens(self) -> None:
        self.server.held.forget_tokens()

    def refuse(self) -> None:
        self._right = self.server.password
        self.server.set_password("another")

    def accept(self) -> None:
        self.server.set_password(self._right)

    def complaints(self) -> list[str]:
        return []

    async def cards(self) -> CardClient:
        """Return the other device for contacts; there is an address book from then on."""
        device = CardClient.at(self.server.held)
        if BOOK not in self._paths:
            self._paths[BOOK] = BOOK
            await device.mkbook(BOOK, "People")
        return device

    async def _write(self, calendar: str, key: str) -> None:
        await self.server.put(self._paths[calendar], f"{key}.ics", self._body(calendar, key))

    def _body(self, calendar: str, key: str) -> bytes:
        series = self._files[calendar][key]
        excluded = [f"EXDATE{_told(one)}" for one in series.excluded]
        return vcalendar(
            vevent(*_lines(series.event), *excluded, uid=key),
            *(
                vevent(f"RECURRENCE-ID{_told(original)}", *_lines(one), uid=key)
                for original, one in series.exceptions.items()
            ),
        )


class RadicaleStage(DavStage):
    name = "radicale"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server: CalDavServer = Radicale(folder)


class XandikosStage(DavStage):
    name = "xandikos"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server: CalDavServer = Xandikos(folder)

    @property
    def books(self) -> list[str]:
        return [BOOK, "addressbook"]


class IcloudStage(DavStage):
    name = "icloud"
    provider = "icloud"
    lacks = frozenset(
        {Lack.ROOMS, Lack.PROTECTED_CALENDARS, Lack.REFUSED_TOKENS, Lack.ROOM_CALENDARS}
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server: CalDavServer = Icloud(folder)


DAV_STAGES: tuple[type[DavStage], ...] = (RadicaleStage, XandikosStage, IcloudStage)


def _told(time: datetime | date) -> str:
    """Return a date or a time with what stands before its colon."""
    if not isinstance(time, datetime):
        return f";VALUE=DATE:{time:%Y%m%d}"
    if time.utcoffset() == timedelta() and str(time.tzinfo) == "UTC":
        return f":{time.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f";TZID={time.tzinfo}:{time:%Y%m%dT%H%M%S}"


def _lines(event: Planned) -> list[str]:
    texts = {"DESCRIPTION": event.description, "LOCATION": event.location}
    lines = ["DTSTAMP:20261101T000000Z", f"SUMMARY:{_escaped(event.name)}"]
    lines += [f"{name}:{_escaped(text)}" for name, text in texts.items() if text is not None]
    lines += [f"DTSTART{_told(event.start)}", f"DTEND{_told(event.end)}"]
    lines += [f"RRULE:{event.rule}"] if event.rule else []
    lines += [f"ATTENDEE:mailto:{one}" for one in event.attendees]
    return [*lines, "TRANSP:TRANSPARENT"] if event.transparent else lines


def _escaped(text: str) -> str:
    for plain, told in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(plain, told)
    return text
