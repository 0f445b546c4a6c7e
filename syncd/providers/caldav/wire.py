"""CalDAV's XML as structs: what we ask (RFC 4791, RFC 4918, RFC 6578) and what a response says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml.etree import Element, SubElement, _Element, tostring

from syncd.model.calendar import Holds
from syncd.model.errors import MalformedReplyError

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
CARDDAV = "{urn:ietf:params:xml:ns:carddav}"
SERVER = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"

SYNC_REPORT = f"{DAV}sync-collection"
MULTIGET_REPORT = f"{CALDAV}calendar-multiget"
VALID_SYNC_TOKEN = f"{DAV}valid-sync-token"
SUPPORTED_REPORT = f"{DAV}supported-report"
CALENDAR = f"{CALDAV}calendar"
NO_UID_CONFLICT = f"{CALDAV}no-uid-conflict"
BAD_OBJECT = frozenset(  # what a PUT may be refused for (RFC 4791 §5.3.2.1)
    CALDAV + one
    for one in (
        *("valid-calendar-data", "valid-calendar-object-resource", "supported-calendar-data"),
        *("supported-calendar-component", "max-resource-size", "min-date-time", "max-date-time"),
        *("max-instances", "max-attendees-per-instance"),
    )
)
DISPLAY_NAME, DESCRIPTION = f"{DAV}displayname", f"{CALDAV}calendar-description"
TIMEZONE, COLOR = f"{CALDAV}calendar-timezone", f"{APPLE}calendar-color"
ADDRESS_BOOK = f"{CARDDAV}addressbook"

_NAMES = (
    'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
    'xmlns:S="http://calendarserver.org/ns/" xmlns:A="http://apple.com/ns/ical/"'
)
_RESPONSE_STATUS, _HREF, _PROPSTAT = f"{DAV}status", f"{DAV}href", f"{DAV}propstat"
_STORED = frozenset({200, 201, 204})
_PROP, _COLLECTION = f"{DAV}prop", f"{DAV}collection"


def _propfind(*properties: str) -> bytes:
    asked = "".join(f"<{one}/>" for one in properties)
    return f"<propfind {_NAMES}><prop>{asked}</prop></propfind>".encode()


_BOOK_HOMES = 'R:addressbook-home-set xmlns:R="urn:ietf:params:xml:ns:carddav"'
_BODIES = {  # the names of what a resource's body is asked for with
    Holds.EVENTS: ('xmlns:C="urn:ietf:params:xml:ns:caldav"', "calendar-multiget", "calendar-data"),
    Holds.CONTACTS: (
        *('xmlns:C="urn:ietf:params:xml:ns:carddav"', "addressbook-multiget", "address-data"),
    ),
}

PRINCIPAL = _propfind("current-user-principal", "resourcetype")
HOMES = _propfind(
    *("C:calendar-home-set", "C:schedule-inbox-URL", "displayname"),
    *("C:calendar-user-address-set", _BOOK_HOMES),
)
BOOK_HOMES = _propfind(_BOOK_HOMES)
INBOX = _propfind("C:schedule-default-calendar-URL")
MOVED = _propfind("S:getctag", "sync-token")
MEMBERS = _propfind("getetag", "resourcetype", "S:getctag", "sync-token")
COLLECTIONS = _propfind(
    *("resourcetype", "displayname", "A:calendar-color", "A:calendar-order"),
    *("C:calendar-description", "C:calendar-timezone", "C:calendar-timezone-id"),
    *("C:supported-calendar-component-set", "current-user-privilege-set"),
    *("supported-report-set", "C:schedule-default-calendar-URL", "S:getctag", "sync-token"),
)


def sync_collection(token: str, *, bodies: bool, holds: Holds = Holds.EVENTS) -> bytes:
    """Ask for changes since ``token``; no limit, as one server then skips the rest (D8)."""
    space, _, body = _BODIES[holds]
    asked = f"<getetag/><C:{body}/>" if bodies else "<getetag/>"
    return (
        f'<sync-collection xmlns="DAV:" {space}>'
        f"<sync-token>{escape(token)}</sync-token><sync-level>1</sync-level>"
        f"<prop>{asked}</prop></sync-collection>"
    ).encode()


def multiget(hrefs: Iterable[str], *, holds: Holds = Holds.EVENTS) -> bytes:
    """Ask for the bodies behind ``hrefs``, written as the server wrote them."""
    space, report, body = _BODIES[holds]
    asked = "".join(f"<href>{escape(href)}</href>" for href in hrefs)
    return (
        f'<C:{report} xmlns="DAV:" {space}><prop><getetag/><C:{body}/></prop>{asked}</C:{report}>'
    ).encode()


def mkcalendar(properties: Mapping[str, str]) -> bytes:
    """Ask for a calendar of events with these properties, named ``{namespace}name``."""
    root = Element(f"{CALDAV}mkcalendar", nsmap={"D": "DAV:", "C": CALDAV[1:-1], "A": APPLE[1:-1]})
    prop = SubElement(SubElement(root, f"{DAV}set"), _PROP)
    for name, value in properties.items():
        SubElement(prop, name).text = value
    kinds = SubElement(prop, f"{CALDAV}supported-calendar-component-set")
    SubElement(kinds, f"{CALDAV}comp", name="VEVENT")
    return tostring(root, xml_declaration=True, encoding="utf-8")


def proppatch(properties: Mapping[str, str | None]) -> bytes:
    """Ask to set these properties, or with None to remove them (RFC 4918 §9.2)."""
    root = Element(f"{DAV}propertyupdate", nsmap={"D": "DAV:", "C": CALDAV[1:-1], "A": APPLE[1:-1]})
    for name, value in properties.items():
        word = "remove" if value is None else "set"
        SubElement(SubElement(SubElement(root, f"{DAV}{word}"), _PROP), name).text = value
    return tostring(root, xml_declaration=True, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of a collection as one response names it.

    ``status`` is the response's own, None where it has propstats, and may be that of ``others``,
    too; ``etag`` is empty and ``body`` None where a server leaves them out. XML has turned the
    body's line ends into LF.
    """

    href: str
    status: int | None = None
    etag: str = ""
    body: str | None = None
    collection: bool = False
    ctag: str | None = None  # of the collection itself
    sync_token: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection as one response describes it; None and empty sets are what it leaves out."""

    href: str
    status: int | None
    kinds: frozenset[str]
    name: str | None
    description: str | None
    color: str | None
    order: str | None
    timezone: str | None  # a VTIMEZONE, or an IANA name
    components: frozenset[str]
    privileges: frozenset[str] | None
    reports: frozenset[str] | None
    default_calendar: str | None
    ctag: str | None
    sync_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What discovery asks of a resource (RFC 5397, RFC 4791 §6.2.1, RFC 6638 §2.4.1).

    ``book_homes`` are those of address books (RFC 6352 §7.1.1).
    """

    href: str
    principal: str | None
    homes: tuple[str, ...]
    book_homes: tuple[str, ...]
    inbox: str | None
    default_calendar: str | None
    name: str | None
    addresses: tuple[str, ...] = ()


def entry(response: _Element) -> Entry:
    """Read a member."""
    found = _found(response)
    kinds = found.get(f"{DAV}resourcetype")
    body = found.get(f"{CALDAV}calendar-data")
    if body is None:
        body = found.get(f"{CARDDAV}address-data")
    status = status_of(response)
    return Entry(
        href=href_of(response),
        status=status,
        etag=_text(found.get(f"{DAV}getetag")) or "",
        body=None if body is None else body.text or None,
        collection=kinds is not None and kinds.find(_COLLECTION) is not None,
        ctag=_text(found.get(f"{SERVER}getctag")),
        sync_token=_text(found.get(f"{DAV}sync-token")),
        others=() if status is None else _hrefs(response)[1:],
    )


def collection(response: _Element) -> Collection:
    """Read a collection."""
    found = _found(response)
    kinds, parts = found.get(f"{DAV}resourcetype"), f"{CALDAV}supported-calendar-component-set"
    named = found.get(f"{CALDAV}calendar-timezone-id")
    return Collection(
        href=href_of(response),
        status=status_of(response),
        kinds=frozenset() if kinds is None else frozenset(str(one.tag) for one in kinds),
        name=_text(found.get(f"{DAV}displayname")),
        description=_text(found.get(f"{CALDAV}calendar-description")),
        color=_text(found.get(f"{APPLE}calendar-color")),
        order=_text(found.get(f"{APPLE}calendar-order")),
        timezone=_text(named) or _text(found.get(f"{CALDAV}calendar-timezone")),
        components=frozenset(str(one.get("name")).upper() for one in found.get(parts, ())),
        privileges=_leaves(found.get(f"{DAV}current-user-privilege-set"), f"{DAV}privilege"),
        reports=_leaves(found.get(f"{DAV}supported-report-set"), f"{DAV}report"),
        default_calendar=_href(found.get(f"{CALDAV}schedule-default-calendar-URL")),
        ctag=_text(found.get(f"{SERVER}getctag")),
        sync_token=_text(found.get(f"{DAV}sync-token")),
    )


def refused(response: _Element) -> frozenset[str]:
    """Return the properties that an answer to PROPPATCH or MKCALENDAR does not call stored."""
    return frozenset(
        str(one.tag)
        for propstat in response.iterchildren(_PROPSTAT)
        if _code(propstat.findtext(_RESPONSE_STATUS)) not in _STORED
        for prop in propstat.iterchildren(_PROP)
        for one in prop
    )


def place(response: _Element) -> Place:
    """Read what discovery asked."""
    found = _found(response)
    return Place(
        href=href_of(response),
        principal=_href(found.get(f"{DAV}current-user-principal")),
        homes=_hrefs(found.get(f"{CALDAV}calendar-home-set")),
        book_homes=_hrefs(found.get(f"{CARDDAV}addressbook-home-set")),
        inbox=_href(found.get(f"{CALDAV}schedule-inbox-URL")),
        default_calendar=_href(found.get(f"{CALDAV}schedule-default-calendar-URL")),
        name=_text(found.get(f"{DAV}displayname")),
        addresses=_hrefs(found.get(f"{CALDAV}calendar-user-address-set")),
    )


def href_of(response: _Element) -> str:
    """Return which resource a response is about; without that nothing of it counts (F2)."""
    href = _text(response.find(_HREF))
    if href is None:
        raise MalformedReplyError("a response names no resource")
    return href


def status_of(response: _Element) -> int | None:
    """Return the status of the whole response (RFC 4918 §14.24), None with propstats.

    One of success says no more than that: some servers add it to propstats.
    """
    code = _code(response.findtext(_RESPONSE_STATUS))
    return None if code is not None and 200 <= code <= 299 else code  # noqa: PLR2004


def _code(line: str | None) -> int | None:
    words = (line or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else None


def _found(response: _Element) -> dict[str, _Element]:
    """Return the properties of propstats with status 200; the others say nothing (D5)."""
    found = dict[str, _Element]()
    for propstat in response.iterchildren(_PROPSTAT):
        if _code(propstat.findtext(_RESPONSE_STATUS)) == 200:  # noqa: PLR2004 - OK
            for prop in propstat.iterchildren(_PROP):
                for one in prop:
                    found[str(one.tag)] = one
    return found


def _text(element: _Element | None) -> str | None:
    text = "" if element is None else (element.text or "").strip()
    return text or None


def _texts(elements: Iterable[_Element]) -> Iterator[str]:
    return (text for text in map(_text, elements) if text is not None)


def _hrefs(element: _Element | None) -> tuple[str, ...]:
    return () if element is None else tuple(_texts(element.iterchildren(_HREF)))


def _href(element: _Element | None) -> str | None:
    return None if element is None else _text(element.find(_HREF))


def _leaves(element: _Element | None, name: str) -> frozenset[str] | None:
    """Return the tags inside of every ``name`` below; None if the property was not told."""
    if element is None:
        return None
    return frozenset(str(one.tag) for holder in element.iter(name) for one in holder)
