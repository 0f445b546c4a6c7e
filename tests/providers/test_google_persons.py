"""Google's persons to contacts, field by field (providers.md §9, api.md K30)."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

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
from syncd.providers.google.persons import contact_of, former_keys, is_deleted, stamp_of, uid_of
from syncd.providers.google.translate import BROKEN
from tests.servers.discovery import people_api

SOURCE = {"type": "CONTACT", "id": "5f", "updateTime": "2026-11-07T08:55:17.123456Z"}


def entry(**told: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**told, "metadata": {"primary": False}}


def first(**told: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**told, "metadata": {"primary": True}}


def person(**fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a person that the published schema allows."""
    plain = {"resourceName": "people/c1", "etag": "%x", "metadata": {"sources": [SOURCE]}}
    made = {**plain, **fields}
    listing = people_api().method("GET", "v1/people/me/connections")
    assert listing is not None
    assert not people_api().answer_faults(listing, {"connections": [made]})
    return made


def test_a_whole_person_is_a_whole_contact() -> None:
    told = person(
        names=[first(displayName="Dr. Ada King", givenName="Ada", familyName="King")],
        birthdays=[first(date={"year": 1815, "month": 12, "day": 10}, text="10.12.1815")],
        genders=[first(value="female", formattedValue="weiblich")],
        emailAddresses=[
            entry(value="z@example.org", type="home"),
            first(value="ada@example.org", type="work"),
            entry(value="a@example.org", type="Boat"),
            entry(value="b@example.org"),
        ],
        phoneNumbers=[
            first(value="+49 1", canonicalForm="+491", type="mobile"),
            entry(value="+49 2", type="workMobile"),
            entry(value="+49 3", type="workFax"),
        ],
        organizations=[
            first(name="Engines", department="Notes", title="Author", location="B1",
                  type="work", current=True),
            entry(symbol="X"),
        ],
        addresses=[
            first(streetAddress="St James's Square 12", extendedAddress="2nd floor",
                  poBox="7", city="London", region="LDN", postalCode="SW1", country="UK",
                  type="home"),
            entry(formattedValue="Somewhere\nElse"),
        ],
        relations=[
            first(person="William", type="spouse"),
            entry(person="Byron", type="child"),
            entry(person="George", type="father"),
            entry(person="Anne"),
            entry(type="child"),
        ],
        urls=[first(value="https://ada.example"), entry(value="https://ada.example")],
    )  # fmt: skip
    assert contact_of(told) == Contact(
        uid="5f",
        name="Dr. Ada King",
        given="Ada",
        family="King",
        full="Dr. Ada King",
        birthday="1815-12-10",
        gender=Gender.FEMALE,
        modified=datetime(2026, 11, 7, 8, 55, 17, 123456, tzinfo=UTC),
        organizations=(
            Organization(
                use=Use.WORK, name="Engines", department="Notes", title="Author", location="B1"
            ),
        ),
        emails=(
            Reach(value="ada@example.org", use=Use.WORK, primary=True),
            Reach(value="a@example.org", use=Use.OTHER),
            Reach(value="z@example.org", use=Use.HOME),
            Reach(value="b@example.org"),
        ),
        phones=(
            Reach(value="+49 1", use=Use.MOBILE, primary=True),
            Reach(value="+49 3", use=Use.OTHER),
            Reach(value="+49 2", use=Use.MOBILE),
        ),
        relationships=(
            Related(name="William", relation=Relation.SPOUSE),
            Related(name="Anne"),
            Related(name="Byron", relation=Relation.CHILD),
            Related(name="George", relation=Relation.OTHER),
        ),
        addresses=(
            Address(
                use=Use.HOME,
                street="St James's Square 12, 2nd floor, 7",
                city="London",
                state="LDN",
                postal_code="SW1",
                country="UK",
            ),
            Address(street="Somewhere\nElse"),
        ),
        websites=("https://ada.example",),
    )
    shuffled = {
        name: random.Random(7).sample(one, len(one)) if isinstance(one, list) else one  # noqa: S311
        for name, one in told.items()
    }
    assert contact_of(shuffled) == contact_of(told), "the order of entries says nothing (I6)"


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        ({"year": 2000, "month": 2, "day": 29}, "2000-02-29"),
        ({"month": 2, "day": 29}, "--02-29"),
        ({"year": 0, "month": 12, "day": 1}, "--12-01"),
        ({"year": 1999, "month": 2, "day": 29}, None),
        ({"year": 1999}, None),
        ({"year": 1999, "month": 5}, None),
        ({"year": 1999, "month": 5, "day": 0}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_birthday_is_a_day(date: dict[str, int] | None, shown: str | None) -> None:
    told = {"text": "circa 1800"} if date is None else {"date": date, "text": "x"}
    assert contact_of(person(birthdays=[first(**told)])).birthday == shown


@pytest.mark.parametrize(
    ("word", "gender"),
    [
        ("male", Gender.MALE),
        ("female", Gender.FEMALE),
        ("unspecified", Gender.UNKNOWN),
        ("enby", Gender.OTHER),
        ("", None),
    ],
)
def test_a_gender_is_one_of_ours(word: str, gender: Gender | None) -> None:
    assert contact_of(person(genders=[first(value=word)])).gender is gender


def test_who_has_no_name_is_called_by_what_there_is() -> None:
    """K30's ``name``: the whole one, else an organization, else an address."""
    firm = {"organizations": [first(name="Engines")]}
    mail = {"emailAddresses": [first(value="ada@example.org")]}
    assert contact_of(person()).name is None
    assert contact_of(person(**mail)).name == "ada@example.org"
    assert contact_of(person(**mail, **firm)).name == "Engines"
    parts = {"givenName": "Ada", "middleName": "B.", "familyName": "King"}
    told = contact_of(person(names=[first(**parts)]))
    assert (told.name, told.full) == ("Ada B. King", "Ada B. King")
    free = contact_of(person(names=[first(unstructuredName="Ada")], **firm))
    assert (free.name, free.given) == ("Ada", None)
    two = [entry(displayName="A"), first(displayName="B")]
    assert contact_of(person(names=two)).name == "B", "the primary one counts"


def test_a_person_is_known_by_the_contact_it_is_made_of() -> None:
    """G13: its source stays what it is when the resource name does not."""
    profile = {"type": "PROFILE", "id": "118"}
    assert uid_of(person(metadata={"sources": [profile, SOURCE]})) == "5f"
    assert uid_of(person(metadata={"sources": [profile]})) == "people/c1"
    assert uid_of({"resourceName": "people/c1"}) == "people/c1"


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, {"sources": 1}, {"sources": ["x", None]}])
def test_odd_metadata_says_nothing(odd: object) -> None:
    told = {"resourceName": "people/c1", "metadata": odd}
    assert (uid_of(told), stamp_of(told), is_deleted(told)) == ("people/c1", None, False)
    assert former_keys(told) == frozenset()
    assert former_keys({**told, "metadata": {"previousResourceNames": 7}}) == frozenset()


@pytest.mark.parametrize(
    "odd", [{"names": "Ada"}, {"emailAddresses": [1]}, {"birthdays": [{"date": 7}]}, {"urls": 1}]
)
def test_a_person_of_another_shape_is_told_apart(odd: dict[str, Any]) -> None:
    """I10: as an error that the reader turns into an unread contact."""
    with pytest.raises(BROKEN):
        contact_of({"resourceName": "people/c1", **odd})
