"""Exchange's contacts to ours (providers.md §9, api.md K30); reading them is as of events."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

from lxml.etree import _Element as Element

from syncd.model.contact import (
    Address,
    Contact,
    Organization,
    Reach,
    Related,
    Relation,
    Use,
)
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import Resource
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.providers.ews import payloads
from syncd.providers.ews.changes import read_state, sync_pages
from syncd.providers.ews.client import EwsClient, item_id
from syncd.providers.ews.held import Held, write_held
from syncd.providers.ews.payloads import ItemId
from syncd.providers.ews.translate import BROKEN, instant
from syncd.providers.ews.xml import attribute, child, children, local, text

_NO_YEAR = 1604  # in birthdays
_PHONES = {
    "HomePhone": Use.HOME,
    "HomePhone2": Use.HOME,
    "BusinessPhone": Use.WORK,
    "BusinessPhone2": Use.WORK,
    "CompanyMainPhone": Use.WORK,
    "MobilePhone": Use.MOBILE,
}
_PLACES = {"Home": Use.HOME, "Business": Use.WORK}


class ContactReader:
    """Reads the contacts of a folder; a distribution list is named and holds nothing."""

    def __init__(self, client: EwsClient, folder: CalendarKey) -> None:
        """Read through ``client``."""
        self._client = client
        self._folder = folder

    async def pages(self, token: SyncToken | None, known: Known) -> AsyncIterator[Delta]:
        """Yield what changed since ``token``, or everything."""
        state = "" if token is None else read_state(token)
        etags = await known.etags() if token is None else {}
        async for page in sync_pages(self._client, self._folder, state, self._read, etags):
            yield page

    async def _read(self, ids: Sequence[ItemId]) -> Delta:
        upserts, unread, deleted = list[Resource](), dict[ResourceKey, str](), set[ResourceKey]()
        for key, item in (await self._client.items(ids, payloads.get_contacts)).items():
            if isinstance(item, NotFoundError):
                deleted.add(ResourceKey(key))
            elif isinstance(item, SyncdError):
                unread[ResourceKey(key)] = str(item)
            else:
                try:
                    upserts.append(_resource(item))
                except BROKEN as error:
                    unread[ResourceKey(key)] = f"contact {key} cannot be read: {error!r}"
        return Delta(upserts=tuple(upserts), unread=unread, deleted=frozenset(deleted))


def _resource(item: Element) -> Resource:
    one = item_id(item)
    contact = contact_of(item) if local(item) == "Contact" else None
    key, raw = ResourceKey(one.id), write_held(Held(id=one))
    return Resource(key=key, contact=contact, etag=one.changekey, raw=raw)


def contact_of(item: Element) -> Contact:
    """Return one contact; raises one of ``BROKEN``."""
    full = text(item, "CompleteName", "FullName") or text(item, "DisplayName")
    emails = [one for one in _entries(item, "EmailAddresses") if "@" in (one.text or "")]
    return Contact(
        uid=item_id(item).id,
        name=text(item, "DisplayName") or full,
        given=text(item, "GivenName"),
        family=text(item, "Surname"),
        full=full,
        birthday=_birthday(text(item, "Birthday")),
        initials=text(item, "Initials"),
        created=instant(text(item, "DateTimeCreated")),
        modified=instant(text(item, "LastModifiedTime")),
        organizations=tuple(_organizations(item)),
        emails=tuple(Reach(value=one.text or "", primary=at == 0) for at, one in enumerate(emails)),
        phones=tuple(
            Reach(value=one.text, use=_PHONES.get(attribute(one, "Key") or "", Use.OTHER))
            for one in _entries(item, "PhoneNumbers")
            if one.text
        ),
        relationships=tuple(_related(item)),
        addresses=tuple(_addresses(item)),
        websites=tuple(one for one in [text(item, "BusinessHomePage")] if one),
    )


def _entries(item: Element, name: str) -> Iterator[Element]:
    yield from children(child(item, name), "Entry")


def _birthday(told: str | None) -> str | None:
    if not told:
        return None
    day = datetime.fromisoformat(told.strip()).date()
    return f"--{day:%m-%d}" if day.year == _NO_YEAR else day.isoformat()


def _organizations(item: Element) -> Iterator[Organization]:
    name, department, title, location = (
        text(item, one) for one in ("CompanyName", "Department", "JobTitle", "OfficeLocation")
    )
    if name or department or title or location:
        yield Organization(
            use=Use.WORK, name=name, department=department, title=title, location=location
        )


def _related(item: Element) -> Iterator[Related]:
    for one in children(child(item, "Children"), "String"):
        if one.text:
            yield Related(name=one.text, relation=Relation.CHILD)
    spouse = text(item, "SpouseName")
    if spouse:
        yield Related(name=spouse, relation=Relation.SPOUSE)


def _addresses(item: Element) -> Iterator[Address]:
    for one in _entries(item, "PhysicalAddresses"):
        street, city, state, country, code = (
            text(one, part) for part in ("Street", "City", "State", "CountryOrRegion", "PostalCode")
        )
        if street or city or state or country or code:
            yield Address(
                use=_PLACES.get(attribute(one, "Key") or "", Use.OTHER),
                street=street,
                city=city,
                state=state,
                country=country,
                postal_code=code,
            )
