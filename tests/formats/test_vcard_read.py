"""vCards of three versions to contacts (RFC 6350, RFC 2426; D26, api.md K30)."""

from datetime import UTC, datetime
from typing import Any

import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.formats.vcard_lines import split
from syncd.formats.vcard_read import read_card
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
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import ResourceKey, short
from tests.formats import cards

KEY = ResourceKey("/alice/people/1.vcf")


def contact(raw: str | bytes) -> Contact:
    found = read_card(KEY, cards.crlf(raw) if isinstance(raw, str) else raw, etag='"1"')
    assert found.faults == ()
    assert found.contact is not None
    return found.contact


def lines(*some: str) -> Contact:
    return contact("\n".join(["BEGIN:VCARD", "VERSION:3.0", *some, "END:VCARD", ""]))


def test_what_apple_writes() -> None:
    """Groups, their labels, types in lower case, a birthday whose year is left out."""
    assert contact(cards.APPLE) == Contact(
        uid="A1B2",
        name="Dr. Walter Harold Bishop",
        given="Walter",
        family="Bishop",
        full="Dr. Walter Harold Bishop",
        birthday="--08-20",
        modified=datetime(2026, 11, 7, 8, 55, 17, tzinfo=UTC),
        organizations=(
            Organization(
                name="Harvard, Lab", department="Physics, Basement", title="Research Scientist"
            ),
        ),
        emails=(
            Reach(value="walter@example.org", use=Use.HOME, primary=True),
            Reach(value="lab@example.org", use=Use.OTHER),
        ),
        phones=(
            Reach(value="+1 555 0100", use=Use.MOBILE),
            Reach(value="+1 555 0101", use=Use.HOME),
            Reach(value="+1 555 0102", use=Use.OTHER),
        ),
        relationships=(
            Related(name="Peter Bishop", relation=Relation.CHILD),
            Related(name="Elizabeth", relation=Relation.SPOUSE),
        ),
        addresses=(
            Address(
                use=Use.HOME,
                street="2054 University Ave\nFloor 2",
                city="Berkeley",
                state="CA",
                postal_code="94704",
                country="United States",
            ),
        ),
        websites=("https://example.org/walter",),
    )


def test_what_version_4_writes() -> None:
    """PREF, types in quotes, URIs, lists of names, relations that are only links."""
    assert contact(cards.VERSION_4) == Contact(
        uid="urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1",
        name="Jöran Doe",
        given="Jöran, Karl",
        family="Doe",
        full="Jöran Doe",
        birthday="--02-03",
        gender=Gender.MALE,
        created=datetime(2022, 7, 5, 9, 34, 12, tzinfo=UTC),
        modified=datetime(2026, 11, 7, 8, 55, 17, tzinfo=UTC),
        organizations=(
            Organization(use=Use.WORK, name="Viagenie", department="North", title="Owner"),
        ),
        emails=(
            Reach(value="home@example.org", use=Use.HOME),
            Reach(value="work@example.org", use=Use.WORK, primary=True),
        ),
        phones=(
            Reach(value="+1-555-555-5555;ext=5555", use=Use.HOME, primary=True),
            Reach(value="+1-555-0199", use=Use.MOBILE),
        ),
        relationships=(Related(name="Mina", relation=Relation.SPOUSE),),
        addresses=(
            Address(
                use=Use.WORK,
                street="Suite D2-630, 2875 Laurier",
                city="Quebec",
                state="QC",
                postal_code="G1V 2M2",
                country="Canada",
            ),
        ),
        websites=("https://example.org/",),
    )


def test_what_old_phones_write() -> None:
    """2.1: words without a name, quoted-printable over two lines, a picture with a blank line."""
    found = contact(cards.ANDROID_21)
    assert (found.name, found.given, found.family) == ("Ayşe Ümit", "Ayşe", "Ümit")
    assert found.phones == (
        Reach(value="+90 555 1", use=Use.MOBILE, primary=True),
        Reach(value="+90 555 2", use=Use.WORK),
    )
    assert found.emails == (Reach(value="ayse@example.org", use=Use.HOME),)
    assert found.addresses == (Address(use=Use.HOME, street="Main St; 5", city="Town"),)
    assert found.uid == short(KEY)


def test_what_outlook_writes_in_its_own_charset() -> None:
    found = contact(cards.OUTLOOK_21)
    assert (found.name, found.given, found.family) == ("Jürgen Müller", "Jürgen", "Müller")
    assert found.organizations == (Organization(name="Büro", department="Einkauf", title="Leiter"),)
    assert found.birthday == "1970-01-31"


def test_what_evolution_writes() -> None:
    found = contact(cards.EVOLUTION)
    assert found.relationships == (Related(name="William", relation=Relation.SPOUSE),)
    assert found.emails == (Reach(value="ada@example.org", use=Use.WORK),)
    assert found.phones == (Reach(value="1", use=Use.WORK),)
    assert (found.gender, found.birthday) == (Gender.FEMALE, "1815-12-10")


@pytest.mark.parametrize("raw", [cards.GROUP_3, cards.GROUP_4])
def test_a_group_holds_no_contact_d26(raw: str) -> None:
    found = read_card(KEY, cards.crlf(raw))
    assert (found.contact, found.events, found.faults, found.uid) == (None, (), (), "")
    assert found.raw == cards.crlf(raw)


def test_a_company_has_its_own_name() -> None:
    found = contact(cards.COMPANY)
    assert (found.name, found.full, found.given, found.family) == ("Acme", None, None, None)
    assert found.organizations == (Organization(name="Acme"),)
    assert lines("EMAIL:info@example.org").name == "info@example.org"
    assert lines("N:Lovelace;Ada;Augusta;;").name == "Ada Augusta Lovelace"
    assert lines("NOTE:nobody").name is None


@pytest.mark.parametrize(
    ("written", "birthday"),
    [
        ("BDAY:1946-08-20", "1946-08-20"),
        ("BDAY;VALUE=date:19460820", "1946-08-20"),
        ("BDAY:1946-08-20T00:00:00Z", "1946-08-20"),
        ("BDAY;VALUE=date-and-or-time:19531015T231000Z", "1953-10-15"),
        ("BDAY:--0415", "--04-15"),
        ("BDAY:--04-15", "--04-15"),
        ("BDAY:--0229", "--02-29"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:16040229", "--02-29"),
        ("BDAY;VALUE=text:circa 1800", None),
        ("BDAY:1996", None),
        ("BDAY:1946-08", None),
        ("BDAY:---20", None),
        ("BDAY:--0230", None),
        ("BDAY:19461320", None),
        ("BDAY:", None),
    ],
)
def test_birthdays(written: str, birthday: str | None) -> None:
    assert lines("FN:A", written).birthday == birthday


@pytest.mark.parametrize(
    ("rev", "modified"),
    [
        ("20190507T085517Z", datetime(2019, 5, 7, 8, 55, 17, tzinfo=UTC)),
        ("2019-05-07T08:55:17+02:00", datetime(2019, 5, 7, 6, 55, 17, tzinfo=UTC)),
        ("20190507T085517-05", datetime(2019, 5, 7, 13, 55, 17, tzinfo=UTC)),
        ("2019-05-07", datetime(2019, 5, 7, tzinfo=UTC)),
        ("20190507T085560", datetime(2019, 5, 7, 8, 55, 59, tzinfo=UTC)),
        ("yesterday", None),
        ("20191307T085517Z", None),
    ],
)
def test_stamps(rev: str, modified: datetime | None) -> None:
    assert lines("FN:A", f"REV:{rev}").modified == modified


def test_only_one_of_several_preferred_is_primary() -> None:
    found = lines("EMAIL;TYPE=pref:a@x", "EMAIL;TYPE=PREF,HOME:b@x", "EMAIL:c@x", "TEL:1")
    assert [one.primary for one in found.emails] == [True, False, False]
    assert [one.primary for one in found.phones] == [False]
    odd = lines("EMAIL;PREF=0:a@x", "EMAIL;PREF=x:b@x", "EMAIL;PREF=999:c@x", "EMAIL;PREF=7:d@x")
    assert [one.primary for one in odd.emails] == [True, False, False, False]


def test_a_card_that_was_cut_stays_as_it_was_i10() -> None:
    found = read_card(KEY, cards.crlf(cards.APPLE)[:-20])
    assert found.contact is None
    assert found.faults == ("the card has no END:VCARD",)


@pytest.mark.parametrize("raw", [b"", b"<html></html>", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"])
def test_what_is_no_card_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        read_card(KEY, raw)


def test_bad_lines_cost_themselves() -> None:
    found = lines("FN:Ada", "what is this", ";;;:", "EMAIL", "TEL;=:1", 'EMAIL;TYPE="HOME:a@x')
    assert found.name == "Ada"
    assert [one.value for one in found.phones] == ["1"]


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).map(
    lambda text: " ".join(text.split())
).filter(bool)  # fmt: skip


@settings(deadline=None)
@given(name=words, given_name=words, family=words, email=words, org=words, street=words)
def test_what_vobject_writes_is_read(**told: str) -> None:
    """A second implementation, that shares nothing with ours: escapes, folds, lists."""
    card: Any = vobject.vCard()
    card.add("fn").value = told["name"]
    card.add("n").value = vobject.vcard.Name(family=told["family"], given=told["given_name"])
    card.add("email").value = told["email"]
    card.add("org").value = [told["org"], "Unit"]
    card.add("adr").value = vobject.vcard.Address(street=told["street"])
    found = contact(card.serialize().encode())
    assert (found.full, found.given, found.family) == (
        told["name"],
        told["given_name"],
        told["family"],
    )
    (organization,), (address,) = found.organizations, found.addresses
    assert (organization.name, organization.department) == (told["org"], "Unit")
    assert address.street == told["street"]
    assert [one.value for one in found.emails] == [told["email"]]


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=5))
def test_split_undoes_joining(parts: list[str]) -> None:
    escaped = [one.replace("\\", "\\\\").replace(";", "\\;") for one in parts]
    assert split(";".join(escaped)) == escaped


WRITTEN = [
    cards.crlf(one) if isinstance(one, str) else one
    for one in (cards.APPLE, cards.VERSION_4, cards.ANDROID_21, cards.OUTLOOK_21, cards.EVOLUTION)
]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_mutation_of_a_card_gets_past_the_two_ways_out(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(WRITTEN)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "double"])):
            case "flip":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 40))]
            case "insert":
                raw[at:at] = data.draw(st.binary(max_size=20))
            case _:
                raw[at:at] = raw[at : at + 60]
        raw = raw or bytearray(b" ")
    try:
        read_card(KEY, bytes(raw))
    except MalformedReplyError:
        return


def test_a_long_card_is_read_in_time() -> None:
    """Nothing is quadratic: 20,000 numbers, and a picture of a megabyte."""
    numbers = [f"TEL;TYPE=CELL:{number}" for number in range(20_000)]
    found = lines("FN:A", *numbers, "PHOTO;ENCODING=b:" + "A" * 1_000_000)
    assert len(found.phones) == 20_000
