"""Contacts of Microsoft Graph to ours (providers.md §9)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from syncd.formats.outlook import Json
from syncd.model.contact import (
    Address,
    Contact,
    Organization,
    Reach,
    Related,
    Relation,
    Use,
)

_ADDRESSES = {
    "businessAddress": Use.WORK,
    "homeAddress": Use.HOME,
    "otherAddress": Use.OTHER,
}
_PLACE = {
    "street": "street",
    "city": "city",
    "state": "state",
    "country": "countryOrRegion",
    "postal_code": "postalCode",
}
_NO_YEAR = 1604  # how Apple's devices write a birthday without one into a mailbox


def contact_of(item: Json) -> Contact:
    """Return what an entry says; raises one of ``translate.BROKEN``."""
    given, family = _text(item, "givenName"), _text(item, "surname")
    joined = " ".join(filter(None, (given, _text(item, "middleName"), family)))
    full = _text(item, "displayName") or joined or None
    emails = tuple(_emails(item))
    company = _text(item, "companyName")
    return Contact(
        uid=item["id"],
        name=full or company or next((one.value for one in emails), None),
        given=given,
        family=family,
        full=full,
        birthday=_birthday(item),
        initials=_text(item, "initials"),
        created=_instant(item, "createdDateTime"),
        modified=stamp_of(item),
        organizations=tuple(_organizations(item, company)),
        emails=emails,
        phones=tuple(_phones(item)),
        relationships=tuple(_relationships(item)),
        addresses=tuple(_addresses(item)),
        websites=tuple(filter(None, [_text(item, "businessHomePage")])),
    )


def stamp_of(item: Json) -> datetime | None:
    """Return when an entry was changed last, None where that is not told."""
    return _instant(item, "lastModifiedDateTime")


def _text(item: Json, name: str) -> str | None:
    told = item.get(name)
    return told.strip() or None if isinstance(told, str) else None


def _texts(item: Json, name: str) -> Iterator[str]:
    for one in item.get(name) or ():
        if one and one.strip():
            yield one.strip()


def _emails(item: Json) -> Iterator[Reach]:
    """Yield addresses in their order: the first one is what Outlook writes to; none has a type."""
    told = [_text(one, "address") for one in item.get("emailAddresses") or () if one]
    for place, value in enumerate(filter(None, told)):
        yield Reach(value=value, primary=place == 0)


def _phones(item: Json) -> Iterator[Reach]:
    for value in _texts(item, "businessPhones"):
        yield Reach(value=value, use=Use.WORK)
    for value in _texts(item, "homePhones"):
        yield Reach(value=value, use=Use.HOME)
    mobile = _text(item, "mobilePhone")
    if mobile is not None:
        yield Reach(value=mobile, use=Use.MOBILE)


def _organizations(item: Json, company: str | None) -> Iterator[Organization]:
    """Yield the one that Outlook has room for."""
    one = Organization(
        use=Use.WORK,
        name=company,
        department=_text(item, "department"),
        title=_text(item, "jobTitle"),
        location=_text(item, "officeLocation"),
    )
    if one != Organization(use=Use.WORK):
        yield one


def _relationships(item: Json) -> Iterator[Related]:
    for name in _texts(item, "children"):
        yield Related(name=name, relation=Relation.CHILD)
    spouse = _text(item, "spouseName")
    if spouse is not None:
        yield Related(name=spouse, relation=Relation.SPOUSE)


def _addresses(item: Json) -> Iterator[Address]:
    for name, use in _ADDRESSES.items():
        told = item.get(name) or {}
        parts = {ours: _text(told, theirs) for ours, theirs in _PLACE.items()}
        if any(parts.values()):
            yield Address(use=use, **parts)


def _birthday(item: Json) -> str | None:
    """Return the day of a time near noon (MG18); the year 1 is none at all."""
    told = _text(item, "birthday")
    if told is None:
        return None
    day = date.fromisoformat(told[: len("2000-01-01")])
    if day.year == 1:
        return None
    return f"--{day.month:02}-{day.day:02}" if day.year == _NO_YEAR else day.isoformat()


def _instant(item: Json, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(item[name]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
