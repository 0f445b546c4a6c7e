"""Contacts and rooms of Exchange through the port (K30, K33)."""

from collections.abc import AsyncIterator

import pytest

from syncd.model.contact import Relation, Use
from syncd.model.ids import ResourceKey
from tests.providers.ews import EwsDesk, ews_desk
from tests.servers.ews import EwsServer
from tests.servers.ews_directory import Entry
from tests.servers.ews_xml import Xml, t


@pytest.fixture
async def desk() -> AsyncIterator[EwsDesk]:
    async with EwsServer().running() as server, ews_desk(server) as one:
        yield one
        assert server.complaints == []


def card(name: str, *more: Xml) -> Xml:
    return t("Contact", t("DisplayName", name), t("GivenName", name), *more)


async def test_contacts_are_read_like_events(desk: EwsDesk) -> None:
    """K30, providers.md §9."""
    box, (book,) = desk.server.mailbox, await desk.provider.address_books()
    folder = box.special("contacts")
    full = card(
        "Cy",
        t("Initials", "C."),
        t("CompanyName", "Works"),
        t(
            "EmailAddresses",
            t("Entry", "cy@example.org", Key="EmailAddress1"),
            t("Entry", "/o=x/cn=cy", Key="EmailAddress2"),
            t("Entry", "cy@home.example", Key="EmailAddress3"),
        ),
        t(
            "PhysicalAddresses",
            t("Entry", t("Street", "Road 1"), t("City", "Here"), Key="Business"),
            t("Entry", Key="Home"),
        ),
        t("PhoneNumbers", t("Entry", "+49 1", Key="MobilePhone"), t("Entry", "2", Key="Pager")),
        t("Birthday", "1604-02-29T00:00:00Z"),
        t("BusinessHomePage", "https://cy.example"),
        t("Children", t("String", "Di")),
        t("Department", "Dept"),
        t("JobTitle", "Boss"),
        t("SpouseName", "Ed"),
        t("Surname", "Young"),
    )
    one = folder.put(box.new_item(full))
    folder.put(box.new_item(t("DistributionList", t("DisplayName", "All"))))
    pages = [page async for page in desk.provider.contacts(book.key, None, desk.follower)]
    found = {two.key: two for page in pages for two in page.upserts}
    contact = found[ResourceKey(one.id)].contact
    assert contact is not None
    assert (contact.name, contact.given, contact.family) == ("Cy", "Cy", "Young")
    assert (contact.initials, contact.birthday) == ("C.", "--02-29")
    assert [(two.value, two.primary) for two in contact.emails] == [
        ("cy@example.org", True),
        ("cy@home.example", False),
    ]
    assert [(two.value, two.use) for two in contact.phones] == [
        ("+49 1", Use.MOBILE),
        ("2", Use.OTHER),
    ]
    (work,) = contact.organizations
    assert (work.name, work.department, work.title) == ("Works", "Dept", "Boss")
    (place,) = contact.addresses
    assert (place.use, place.street, place.city) == (Use.WORK, "Road 1", "Here")
    assert [(two.name, two.relation) for two in contact.relationships] == [
        ("Di", Relation.CHILD),
        ("Ed", Relation.SPOUSE),
    ]
    assert contact.websites == ("https://cy.example",)
    assert len(found) == 2  # the list is named, and holds nobody
    assert pages[-1].complete
    folder.drop(one.id)
    token = pages[-1].token
    pages = [page async for page in desk.provider.contacts(book.key, token, desk.follower)]
    assert frozenset().union(*(page.deleted for page in pages)) == {one.id}


async def test_rooms_are_those_of_every_list(desk: EwsDesk) -> None:
    """K33."""
    assert await desk.provider.rooms() == []
    lists = desk.server.directory.lists
    hall = Entry("Hall", "hall@example.org", "hall")
    lists[Entry("A", "a@example.org", "a")] = [hall, Entry("Den", "den@example.org", "den")]
    lists[Entry("B", "b@example.org", "b")] = [hall]
    found = await desk.provider.rooms()
    assert [(one.id, one.name, one.is_room) for one in found] == [
        ("hall@example.org", "Hall", True),
        ("den@example.org", "Den", True),
    ]
