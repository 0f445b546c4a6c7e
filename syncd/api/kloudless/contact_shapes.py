"""Answers about contacts (api.md K30)."""

from typing import Any, Literal

from syncd.api.kloudless.shapes import Raw, Text
from syncd.api.route import Shape

EXAMPLE: dict[str, Any] = {
    "id": "hpgbw6d4zr2ve",
    "account_id": "7",
    "name": "Walter Bishop",
    "name_details": {"given": "Walter", "family": "Bishop", "full": "Walter Bishop"},
    "birthday": "1946-08-20",
    "organizations": [
        {
            "type": None,
            "name": "Example",
            "department": None,
            "title": "Research Scientist",
            "location": None,
        }
    ],
    "created": None,
    "emails": [{"type": "work", "value": "walter@example.org", "primary": True}],
    "gender": None,
    "initials": None,
    "modified": "2026-11-07T08:55:17Z",
    "phones": [],
    "relationships": [{"name": "Peter Bishop", "type": "child"}],
    "addresses": [
        {
            "type": "home",
            "street": "2054 University Ave",
            "city": "Berkeley",
            "state": "CA",
            "country": "US",
            "postal_code": "94704",
        }
    ],
    "websites": ["https://example.org"],
    "type": "contact",
    "api": "contact",
    "href": "http://127.0.0.1:8470/v1/accounts/7/contact/contacts/hpgbw6d4zr2ve",
}


class NameDetails(Shape):
    """The parts of a name."""

    given: Text
    family: Text
    full: Text


class Organization(Shape):
    """Where somebody works."""

    type: Literal["work", "school", "other"] | None
    name: Text
    department: Text
    title: Text
    location: Text


class ContactEmail(Shape):
    """An e-mail address; of several at most one is `primary`."""

    type: Literal["home", "work", "other"] | None
    value: str
    primary: bool


class Phone(Shape):
    """A phone number; of several at most one is `primary`."""

    type: Literal["home", "work", "mobile", "other"] | None
    value: str
    primary: bool


class Relationship(Shape):
    """Somebody who is related to a contact."""

    name: str
    type: Literal["child", "spouse", "other"] | None


class Address(Shape):
    """A postal address."""

    type: Literal["home", "work", "other"] | None
    street: Text
    city: Text
    state: Text
    country: Text
    postal_code: Text


class Contact(Shape, json_schema_extra={"examples": [EXAMPLE]}):
    """A person or organization in an address book.

    `birthday` is a date, `--MM-DD` where the year is unknown. `raw` is there only with
    `X-Kloudless-Raw-Data: true`; for CalDAV it holds `href`, `etag` and `vcard`, else the
    provider's own JSON.
    """

    id: str
    account_id: str
    name: Text
    name_details: NameDetails
    birthday: Text
    organizations: tuple[Organization, ...]
    created: Text
    emails: tuple[ContactEmail, ...]
    gender: Literal["male", "female", "other", "unknown"] | None
    initials: Text
    modified: Text
    phones: tuple[Phone, ...]
    relationships: tuple[Relationship, ...]
    addresses: tuple[Address, ...]
    websites: tuple[str, ...]
    raw: Raw | None = None
    type: Literal["contact"]
    api: Literal["contact"]
    href: str


class ContactList(Shape):
    """A page of contacts."""

    count: int
    page: int
    next_page: Text
    objects: tuple[Contact, ...]
    type: Literal["object_list"]
    api: Literal["contact"]
