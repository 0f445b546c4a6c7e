"""Google's persons to ours (providers.md §9). Their lists have no order that is promised (I6)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from syncd.model.contact import (
    Address,
    Contact,
    Gender,
    Organization,
    Reach,
    Related,
    Relation,
    Use,
)
from syncd.model.ids import ResourceKey
from syncd.providers.google.client import Json

_LEAP_YEAR = 2000  # to check a day of which no year is known
_MOBILE = frozenset({"mobile", "workMobile"})
_SPOUSES = frozenset({"spouse", "domesticPartner", "partner"})
_REACHED = frozenset({Use.HOME, Use.WORK})
_EMPLOYED = frozenset({Use.WORK, Use.SCHOOL})


def key_of(person: Json) -> ResourceKey:
    """Return the resource name, ``people/…``; it changes when a contact is linked to a profile."""
    return ResourceKey(person["resourceName"])


def is_deleted(person: Json) -> bool:
    """Tell whether only a tombstone is left."""
    return _metadata(person).get("deleted") is True


def former_keys(person: Json) -> frozenset[ResourceKey]:
    """Return the names that a person had before (G13)."""
    told = _metadata(person).get("previousResourceNames")
    named = told if isinstance(told, list) else ()
    return frozenset(ResourceKey(one) for one in named if isinstance(one, str))


def stamp_of(person: Json) -> datetime | None:
    """Return when the contact was changed last, None where that is not told."""
    try:
        return datetime.fromisoformat(_source(person)["updateTime"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def uid_of(person: Json) -> str:
    """Return what stays when the resource name does not: the id that contacts have at Google."""
    told = _source(person).get("id")
    return told if isinstance(told, str) and told else key_of(person)


def contact_of(person: Json) -> Contact:
    """Return what a person's entry says; raises one of ``translate.BROKEN``."""
    names = next(iter(_items(person, "names")), {})
    given, family = _text(names, "givenName"), _text(names, "familyName")
    joined = " ".join(filter(None, (given, _text(names, "middleName"), family)))
    full = _text(names, "displayName") or _text(names, "unstructuredName") or joined or None
    organizations = tuple(_organizations(person))
    emails = tuple(_reaches(person, "emailAddresses"))
    return Contact(
        uid=uid_of(person),
        name=full
        or next((one.name for one in organizations if one.name), None)
        or next((one.value for one in emails), None),
        given=given,
        family=family,
        full=full,
        birthday=next(filter(None, map(_birthday, _items(person, "birthdays"))), None),
        gender=next(filter(None, map(_gender, _items(person, "genders"))), None),
        modified=stamp_of(person),
        organizations=organizations,
        emails=emails,
        phones=tuple(_reaches(person, "phoneNumbers")),
        relationships=tuple(_relationships(person)),
        addresses=tuple(_addresses(person)),
        websites=tuple(dict.fromkeys(filter(None, map(_value, _items(person, "urls"))))),
    )


def _metadata(person: Json) -> Json:
    told = person.get("metadata")
    return told if isinstance(told, dict) else {}


def _source(person: Json) -> Json:
    """Return the contact that a person is made of, as a profile may be another part of it."""
    told = _metadata(person).get("sources")
    parts = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else ()
    return next((one for one in parts if one.get("type") == "CONTACT"), {})


def _items(person: Json, field: str) -> list[Json]:
    """Return a field's entries in an order of ours: the primary one, then by what they say."""
    return sorted(person.get(field) or (), key=lambda one: (not _primary(one), _said(one)))


def _primary(item: Json) -> bool:
    return (item.get("metadata") or {}).get("primary") is True


def _said(item: Json) -> list[tuple[str, str]]:
    return sorted((name, str(told)) for name, told in item.items() if name != "metadata")


def _text(item: Json, name: str) -> str | None:
    told = item.get(name)
    return told.strip() or None if isinstance(told, str) else None


def _value(item: Json) -> str | None:
    return _text(item, "value")


def _use(item: Json, uses: frozenset[Use]) -> Use | None:
    """Return one of ``uses``; a word of the person's own is something other."""
    word = _text(item, "type")
    if word is None:
        return None
    return next((one for one in uses if one == word), Use.OTHER)


def _reaches(person: Json, field: str) -> Iterator[Reach]:
    first = True
    for one in _items(person, field):
        value = _value(one)
        if value is not None:
            mobile = field == "phoneNumbers" and one.get("type") in _MOBILE
            use = Use.MOBILE if mobile else _use(one, _REACHED)
            yield Reach(value=value, use=use, primary=first and _primary(one))
            first = False


def _organizations(person: Json) -> Iterator[Organization]:
    for one in _items(person, "organizations"):
        names = ("name", "department", "title", "location")
        told = {name: _text(one, name) for name in names}
        if any(told.values()):
            yield Organization(use=_use(one, _EMPLOYED), **told)


def _addresses(person: Json) -> Iterator[Address]:
    for one in _items(person, "addresses"):
        lines = filter(None, (_text(one, name) for name in _STREET))
        told = {name: _text(one, theirs) for name, theirs in _PLACE.items()}
        told["street"] = ", ".join(lines) or None
        if not any(told.values()):
            told["street"] = _text(one, "formattedValue")
        if any(told.values()):
            yield Address(use=_use(one, _REACHED), **told)


_STREET = ("streetAddress", "extendedAddress", "poBox")
_PLACE = {"city": "city", "state": "region", "country": "country", "postal_code": "postalCode"}


def _relationships(person: Json) -> Iterator[Related]:
    for one in _items(person, "relations"):
        name, word = _text(one, "person"), _text(one, "type")
        if name is not None:
            yield Related(name=name, relation=None if word is None else _relation(word))


def _relation(word: str) -> Relation:
    if word in _SPOUSES:
        return Relation.SPOUSE
    return Relation.CHILD if word == "child" else Relation.OTHER


def _birthday(item: Json) -> str | None:
    """Return a day, ``--MM-DD`` without a year; a year or a month alone is none, nor is text."""
    told: Any = item.get("date") or {}
    year, month, day = (told.get(name) or 0 for name in ("year", "month", "day"))
    try:
        found = date(year or _LEAP_YEAR, month, day)
    except (ValueError, TypeError):
        return None
    return found.isoformat() if year else f"--{found.month:02}-{found.day:02}"


def _gender(item: Json) -> Gender | None:
    word = _value(item)
    if word is None:
        return None
    known = {"male": Gender.MALE, "female": Gender.FEMALE, "unspecified": Gender.UNKNOWN}
    return known.get(word, Gender.OTHER)
