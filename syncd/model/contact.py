"""The unified contact and its parts (api.md K30), and as a JSON object."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.content import Json
from syncd.model.ids import EventId, ProfileId
from syncd.model.when import utc


class Use(StrEnum):
    """What a part of a contact is for; ``MOBILE`` of phones, ``SCHOOL`` of organizations only."""

    HOME = "home"
    WORK = "work"
    MOBILE = "mobile"
    SCHOOL = "school"
    OTHER = "other"


class Gender(StrEnum):
    """A person's gender as the provider tells it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """How somebody is related to a contact."""

    CHILD = "child"
    SPOUSE = "spouse"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Where somebody works; at least one member is there."""

    use: Use | None = None
    name: str | None = None
    department: str | None = None
    title: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """An e-mail address or phone number; of several at most one is ``primary``."""

    value: str
    use: Use | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Somebody who is related to a contact."""

    name: str
    relation: Relation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; at least one member is there."""

    use: Use | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or organization in an address book; None is what the provider does not tell.

    ``birthday`` is an ISO 8601 date, ``--MM-DD`` where the year is unknown.
    """

    uid: str
    name: str | None = None
    given: str | None = None
    family: str | None = None
    full: str | None = None
    birthday: str | None = None
    gender: Gender | None = None
    initials: str | None = None
    created: datetime | None = None
    modified: datetime | None = None
    organizations: tuple[Organization, ...] = ()
    emails: tuple[Reach, ...] = ()
    phones: tuple[Reach, ...] = ()
    relationships: tuple[Related, ...] = ()
    addresses: tuple[Address, ...] = ()
    websites: tuple[str, ...] = ()


def contact_document(contact: Contact, *, contact_id: EventId, profile: ProfileId) -> Json:
    """Return api.md K30's object without ``href`` and ``raw``."""
    return {
        "id": contact_id,
        "account_id": str(profile),
        "name": contact.name,
        "name_details": {
            "given": contact.given,
            "family": contact.family,
            "full": contact.full,
        },
        "birthday": contact.birthday,
        "organizations": [_organization(one) for one in contact.organizations],
        "created": None if contact.created is None else utc(contact.created),
        "emails": [_reach(one) for one in contact.emails],
        "gender": contact.gender,
        "initials": contact.initials,
        "modified": None if contact.modified is None else utc(contact.modified),
        "phones": [_reach(one) for one in contact.phones],
        "relationships": [
            {"name": one.name, "type": one.relation} for one in contact.relationships
        ],
        "addresses": [_address(one) for one in contact.addresses],
        "websites": list(contact.websites),
        "type": "contact",
        "api": "contact",
    }


def _organization(one: Organization) -> Json:
    return {
        "type": one.use,
        "name": one.name,
        "department": one.department,
        "title": one.title,
        "location": one.location,
    }


def _reach(one: Reach) -> Json:
    return {"type": one.use, "value": one.value, "primary": one.primary}


def _address(one: Address) -> Json:
    return {
        "type": one.use,
        "street": one.street,
        "city": one.city,
        "state": one.state,
        "country": one.country,
        "postal_code": one.postal_code,
    }
