"""CalDAV's structs to the model: hrefs, calendars, bodies; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from yarl import URL

from syncd.formats.ical_read import read_resource
from syncd.formats.lines import components
from syncd.formats.vcard_read import read_card
from syncd.formats.zones import Zones, iana
from syncd.model.calendar import Calendar, Holds
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import CalendarKey, ResourceKey
from syncd.model.resource import Resource
from syncd.providers.caldav import wire
from syncd.providers.caldav.quirks import Facts

_KEPT = "/_.~@!$&'()*+,;=:-"  # written as they are in a path (RFC 3986 §3.3)
_CANONICAL = re.compile(r"/(?!/)[A-Za-z0-9/_.~@!$&'()*+,;=:-]*")
_COLOR = re.compile(r"(#[0-9A-Fa-f]{6})([0-9A-Fa-f]{2})?")
_WRITING = frozenset(wire.DAV + one for one in ("all", "write", "write-content", "bind"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A resource as it came, not yet read."""

    key: ResourceKey
    etag: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Resources as they were read, and those that could not be, with why."""

    upserts: tuple[Resource, ...]
    unread: Mapping[ResourceKey, str]


def path_of(href: str, base: str) -> str:
    """Return the canonical path that a href, absolute or not, means seen from ``base`` (D3).

    Percent escapes are written in one way only; an escaped slash stays escaped. Raises
    MalformedReplyError for what is no address.
    """
    if _CANONICAL.fullmatch(href):
        return href
    path = "/" + urlsplit(address_of(href, base)).path.lstrip("/")
    parts = re.split("%2f", path, flags=re.IGNORECASE)
    return "%2F".join(quote(unquote_to_bytes(part), safe=_KEPT) for part in parts)


def address_of(href: str, base: str) -> str:
    """Return the address that a href means seen from ``base``.

    It is an absolute URI or a path (RFC 4918 §8.3): two slashes in front name no host, and a
    colon alone ends no scheme. Raises MalformedReplyError for what is no address.
    """
    if href.startswith("//"):
        href = f"/{href.lstrip('/')}"
    elif not href.startswith("/") and "://" not in href:
        href = f"./{href}"
    try:
        found = urljoin(base, href)
        sound = "://" not in href or URL(found, encoded=True).port is not None
    except ValueError:
        raise MalformedReplyError("a href is no address") from None
    if not sound:
        raise MalformedReplyError("a href is no address")
    return found


def calendar_key(href: str, base: str) -> CalendarKey:
    """Return a collection's key, its path with a slash at the end.

    On another server than ``base`` it is the whole address.
    """
    path = path_of(href, base).rstrip("/") + "/"
    there, here = _server(address_of(href, base)), _server(base)
    return CalendarKey(path if there == here else there + path)


def _server(address: str) -> str:
    parts = urlsplit(address)
    own = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.removesuffix(own)}"


def is_calendar(found: wire.Collection) -> bool:
    """Tell whether this is a calendar for events (D4)."""
    good = found.status is None and wire.CALENDAR in found.kinds
    return good and (not found.components or "VEVENT" in found.components)


def address_books(found: Iterable[wire.Collection], base: str) -> tuple[Calendar, ...]:
    """Return the address books among these (D26); what is a calendar too counts as one."""
    books = (
        replace(_calendar(one, base), holds=Holds.CONTACTS)
        for one in found
        if one.status is None and wire.ADDRESS_BOOK in one.kinds and wire.CALENDAR not in one.kinds
    )
    return tuple({one.key: one for one in books}.values())


def calendars(
    found: Iterable[wire.Collection], base: str, default: str | None = None
) -> tuple[Calendar, ...]:
    """Return the calendars among these; exactly one is primary (D4, D7).

    ``default`` is the href of the one that invitations go to, if the server names it.
    """
    listed = {one.key: one for one in (_calendar(one, base) for one in found if is_calendar(one))}
    if not listed:
        return ()
    named = None if default is None else calendar_key(default, base)
    by_name = min(listed.values(), key=lambda one: (one.name.casefold(), one.key)).key
    primary = named if named in listed else by_name
    return tuple(replace(one, primary=key == primary) for key, one in listed.items())


def _calendar(found: wire.Collection, base: str) -> Calendar:
    key = calendar_key(found.href, base)
    return Calendar(
        key=key,
        name=found.name
        or unquote_to_bytes(key.rstrip("/").rpartition("/")[2]).decode(errors="replace"),
        description=found.description,
        timezone=zone_of(found.timezone),
        color=color_of(found.color),
        order=order_of(found.order),
        read_only=found.privileges is not None and not found.privileges & _WRITING,
    )


def facts_of(found: wire.Collection) -> Facts:
    """Return what reading the calendar depends on; no report set at all promises nothing."""
    return Facts(sync=wire.SYNC_REPORT in (found.reports or ()), zone=zone_of(found.timezone))


def color_of(text: str | None) -> str | None:
    """Return ``#RRGGBB`` of Apple's ``#RRGGBBAA``."""
    found = _COLOR.fullmatch(text or "")
    return found[1].upper() if found else None


def order_of(text: str | None) -> int | None:
    """Return Apple's place in the list."""
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,9}", text) else None


def zone_of(text: str | None) -> str | None:
    """Return the IANA name that a VTIMEZONE, or a name, means (RFC 4791 §5.2.2, RFC 7809)."""
    if not text:
        return None
    if "BEGIN:VTIMEZONE" not in text.upper():
        found = iana(text)
        return None if found is None else found.key
    try:
        roots = components(text.encode())
    except MalformedReplyError:
        return None
    written = [zone for root in roots for zone in (root, *root.parts) if zone.name == "VTIMEZONE"]
    tzid = (written[0].text("TZID") or "").strip() if written else ""
    return Zones(written, None).place(tzid).name if tzid else None


def body_of(key: ResourceKey, etag: str, text: str) -> Body:
    """Return a body out of XML, which turned its CRLF into LF (RFC 5545 §3.1 wants CRLF)."""
    if "\r" not in text:
        text = text.replace("\n", "\r\n")
    return Body(key=key, etag=etag, raw=text.encode("utf-8", "surrogatepass"))


def read_bodies(bodies: Sequence[Body], zone: str | None, holds: Holds = Holds.EVENTS) -> Page:
    """Read bodies; one that is none costs only itself (I10, D16)."""
    upserts, unread = list[Resource](), dict[ResourceKey, str]()
    for one in bodies:
        try:
            if holds is Holds.CONTACTS:
                resource = read_card(one.key, one.raw, etag=one.etag)
            else:
                resource = read_resource(one.key, one.raw, etag=one.etag, calendar_zone=zone)
        except MalformedReplyError as error:
            unread[one.key] = str(error)
        else:
            upserts.append(resource)
    return Page(upserts=tuple(upserts), unread=unread)
