"""Calendars made, changed and deleted (RFC 4791 §5.3.1, RFC 4918 §9.2; D23)."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import quote

from yarl import URL

from syncd.formats.scripts import one_line
from syncd.formats.vtimezone import vtimezone
from syncd.formats.zones import iana
from syncd.model.calendar import Calendar
from syncd.model.edit import UNSET, CalendarEdit
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    UnsupportedError,
)
from syncd.model.ids import CalendarKey
from syncd.ports.clock import Clock
from syncd.ports.writing import WroteCalendar
from syncd.providers.answers import UnansweredError
from syncd.providers.caldav import wire
from syncd.providers.caldav.client import Ask, CalDavClient, below
from syncd.providers.caldav.multistatus import Multistatus
from syncd.providers.caldav.translate import calendar_key, color_of, is_calendar

_MEMBERS = ("name", "description", "timezone", "color")
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_PROPERTY = re.compile(r"\{[^{}\s]+\}[A-Za-z_][A-Za-z0-9._-]*")

Listing = Callable[[], Awaitable[Sequence[Calendar]]]


class CalendarWriting:
    """Writes calendars below ``home``; ``listing`` tells them as every poll does."""

    def __init__(self, client: CalDavClient, clock: Clock, home: URL, listing: Listing) -> None:
        """Write through ``client``."""
        self._client = client
        self._clock = clock
        self._home = home
        self._listing = listing

    async def create(self, edit: CalendarEdit, name: str) -> WroteCalendar:
        """Make a calendar at a path that is called ``name``, once; its name goes beside (D23)."""
        path = f"{self._home.raw_path.rstrip('/')}/{quote(name, safe='')}/"
        key = calendar_key(path, str(self._home))
        url = below(self._home, key)
        wanted = {one: value for one, value in self._properties(edit).items() if value is not None}
        refused = frozenset[str]()
        if not await self._made(url, wanted):
            if not await self._exists(url):
                named = {wire.DISPLAY_NAME: wanted.get(wire.DISPLAY_NAME, name)}
                await self._client.send(_mkcalendar(url, named))
            refused = await self._patch(url, wanted)
        return await self._told(key, edit, refused)

    async def update(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """Set what the edit gives."""
        wanted = self._properties(edit)
        refused = await self._patch(below(self._home, calendar), wanted)
        return await self._told(calendar, edit, refused)

    async def delete(self, calendar: CalendarKey) -> None:
        """Delete a calendar with its events."""
        ask = Ask(method="DELETE", url=below(self._home, calendar))
        try:
            await self._client.send(ask)
        except NotFoundError:
            return
        except UnsupportedError as error:
            raise InvalidError(str(error)) from None

    async def _made(self, url: URL, properties: Mapping[str, str]) -> bool:
        """Ask for it with everything; False where less, or a look, is needed."""
        try:
            body = await self._client.send(_mkcalendar(url, properties))
        except UnansweredError:
            if not await self._exists(url):
                raise
            return False
        except (ConflictError, ForbiddenError, InvalidError, UnsupportedError):
            return False  # taken, by an earlier attempt of ours perhaps, or a property too much
        return not body or not _refused(body)

    async def _exists(self, url: URL) -> bool:
        ask = Ask(method="PROPFIND", url=url, body=wire.COLLECTIONS, depth="0")
        try:
            answer = await self._client.multistatus(ask, wire.collection)
        except (NotFoundError, ForbiddenError):
            return False
        return any(is_calendar(one) for one in answer.items)

    async def _patch(self, url: URL, properties: Mapping[str, str | None]) -> frozenset[str]:
        """Set properties; return those that are refused, and for which others shall not suffer."""
        if not properties:
            return frozenset()
        ask = Ask(method="PROPPATCH", url=url, body=wire.proppatch(properties), writes=True)
        answer = await self._client.multistatus(ask, wire.refused)
        refused = frozenset[str]().union(*answer.items)
        if not refused or len(properties) == 1:
            return refused
        alone = [await self._patch(url, {name: value}) for name, value in properties.items()]
        return frozenset[str]().union(*alone)

    def _properties(self, edit: CalendarEdit) -> dict[str, str | None]:
        found = dict[str, str | None]()
        if edit.name is not UNSET:
            found[wire.DISPLAY_NAME] = _plain(edit.name)
        if edit.description is not UNSET:
            found[wire.DESCRIPTION] = _plain(edit.description or "")  # some cannot remove it
        if edit.timezone is not UNSET:
            found[wire.TIMEZONE] = edit.timezone and self._described(edit.timezone)
        if edit.color is not UNSET:
            found[wire.COLOR] = edit.color and f"{_color(edit.color)}FF"
        for name, value in edit.raw.items():
            if not _PROPERTY.fullmatch(name) or not (value is None or isinstance(value, str)):
                raise InvalidError(f"{name} is no property with a text", field="raw")
            found[name] = value and _plain(value)
        return found

    def _described(self, timezone: str) -> str:
        zone = iana(timezone)
        if zone is None:
            raise InvalidError("this is no time zone that syncd knows", field="timezone")
        told = vtimezone(zone.key, self._clock.now().year - 1)
        rows = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//syncd//syncd//EN\n{told}END:VCALENDAR\n"
        return rows.replace("\n", "\r\n")

    async def _told(
        self, key: CalendarKey, edit: CalendarEdit, refused: frozenset[str]
    ) -> WroteCalendar:
        """Return the calendar as every listing tells it, and what of the edit is not there."""
        held = next((one for one in await self._listing() if one.key == key), None)
        if held is None:
            raise NotFoundError("the calendar is not in the list of calendars")
        ignored = {name for name in _MEMBERS if not _kept(edit, held, name)}
        if refused & edit.raw.keys():
            ignored.add("raw")
        return WroteCalendar(calendar=held, ignored=frozenset(ignored))


def _mkcalendar(url: URL, properties: Mapping[str, str]) -> Ask:
    return Ask(method="MKCALENDAR", url=url, body=wire.mkcalendar(properties))


def _refused(body: bytes) -> bool:
    """Tell whether an answer to MKCALENDAR speaks of a property that was not stored."""
    parsing = Multistatus(wire.refused)
    try:
        parsing.feed(body)
        return any(parsing.close().items)
    except MalformedReplyError:
        return False  # some answer with a mkcalendar-response, or in words


def _kept(edit: CalendarEdit, held: Calendar, name: str) -> bool:
    wanted, found = getattr(edit, name), getattr(held, name)
    if wanted is UNSET:
        return True
    if name == "timezone" and wanted is not None:
        zone = iana(wanted)
        return zone is not None and zone.key == found
    if name == "color":
        return (wanted or "").upper() == (found or "")
    return _plain(wanted or "").strip() == (found or "")


def _color(text: str) -> str:
    found = color_of(text)
    if found is None:
        raise InvalidError("a colour is written #RRGGBB", field="color")
    return found


def _plain(text: str) -> str:
    """Return text that XML can hold (XML 1.0 §2.2)."""
    return _NO_XML.sub("", one_line(text, "\n"))
