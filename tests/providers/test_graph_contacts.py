"""Contacts and rooms of Microsoft Graph at the provider (MG18, api.md K30, K33)."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.model.contact import (
    Address,
    Contact,
    Organization,
    Reach,
    Related,
    Relation,
    Use,
)
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncTokenExpiredError,
)
from syncd.model.ids import CalendarKey, SyncToken
from syncd.model.room import Room
from syncd.ports.delta import Delta
from syncd.providers.graph.contacts import MAIN
from syncd.providers.graph.persons import contact_of
from syncd.providers.graph.translate import BROKEN
from tests.providers.graph import GraphDesk, graph_desk
from tests.servers.graph import Fault, GraphServer
from tests.servers.graph_contacts import FolderTruth
from tests.servers.graph_schema import check, operation

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


@pytest.fixture
async def desk() -> AsyncIterator[GraphDesk]:
    async with GraphServer().running() as server, graph_desk(server) as made:
        server.asked.clear()
        yield made
        assert server.complaints == []


async def read(
    desk: GraphDesk, token: SyncToken | None = None, book: CalendarKey = MAIN.key
) -> list[Delta]:
    return [page async for page in desk.provider.contacts(book, token, desk.follower)]


def item(**members: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a contact that the published schema allows."""
    made = {"@odata.etag": 'W/"1"', "id": "A", **members}
    check("contact", made)
    return made


def test_a_whole_contact_is_a_whole_contact() -> None:
    told = item(
        displayName="Dr. Ada King",
        givenName="Ada",
        surname="King",
        initials="A.K.",
        birthday="1815-12-10T11:59:00Z",
        createdDateTime="2026-11-01T08:00:00Z",
        lastModifiedDateTime="2026-11-07T08:55:17.1234567Z",
        companyName="Engines",
        department="Notes",
        jobTitle="Author",
        officeLocation="B1",
        emailAddresses=[
            {"name": "Ada", "address": "ada@example.org"},
            {"name": "A", "address": "a@example.org"},
            {"name": "nobody"},
        ],
        businessPhones=["+49 1", ""],
        homePhones=["+49 2"],
        mobilePhone="+49 3",
        children=["Byron", None],
        spouseName="William",
        businessAddress={"street": "Square 12", "city": "London", "state": "LDN",
                         "postalCode": "SW1", "countryOrRegion": "UK"},
        homeAddress={},
        otherAddress={"city": "Bath"},
        businessHomePage="https://ada.example",
    )  # fmt: skip
    assert contact_of(told) == Contact(
        uid="A",
        name="Dr. Ada King",
        given="Ada",
        family="King",
        full="Dr. Ada King",
        birthday="1815-12-10",
        initials="A.K.",
        created=datetime(2026, 11, 1, 8, tzinfo=UTC),
        modified=datetime(2026, 11, 7, 8, 55, 17, 123456, tzinfo=UTC),
        organizations=(
            Organization(
                use=Use.WORK, name="Engines", department="Notes", title="Author", location="B1"
            ),
        ),
        emails=(
            Reach(value="ada@example.org", primary=True),
            Reach(value="a@example.org"),
        ),
        phones=(
            Reach(value="+49 1", use=Use.WORK),
            Reach(value="+49 2", use=Use.HOME),
            Reach(value="+49 3", use=Use.MOBILE),
        ),
        relationships=(
            Related(name="Byron", relation=Relation.CHILD),
            Related(name="William", relation=Relation.SPOUSE),
        ),
        addresses=(
            Address(
                use=Use.WORK,
                street="Square 12",
                city="London",
                state="LDN",
                postal_code="SW1",
                country="UK",
            ),
            Address(use=Use.OTHER, city="Bath"),
        ),
        websites=("https://ada.example",),
    )


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("1990-05-31T11:59:00Z", "1990-05-31"),
        ("1990-05-31T00:00:00Z", "1990-05-31"),
        ("2000-02-29T12:00:00.0000000Z", "2000-02-29"),
        ("1604-02-29T11:59:00Z", "--02-29"),
        ("0001-01-01T00:00:00Z", None),
        (None, None),
    ],
)
def test_only_the_date_of_a_birthday_counts_mg18(told: str | None, shown: str | None) -> None:
    """Never in a zone of ours, where it would be another day."""
    assert contact_of(item(birthday=told)).birthday == shown


def test_who_has_no_name_is_called_by_what_there_is() -> None:
    mail = {"emailAddresses": [{"address": "ada@example.org"}]}
    assert contact_of(item()).name is None
    assert contact_of(item(**mail)).name == "ada@example.org"
    assert contact_of(item(**mail, companyName="Engines")).name == "Engines"
    parts = contact_of(item(givenName="Ada", middleName="B.", surname="King"))
    assert (parts.name, parts.full) == ("Ada B. King", "Ada B. King")


@pytest.mark.parametrize(
    "odd", [{"birthday": "soon"}, {"emailAddresses": [1]}, {"homePhones": 7}, {"homeAddress": "x"}]
)
def test_a_contact_of_another_shape_is_told_apart(odd: dict[str, Any]) -> None:
    """I10: as an error that the reader turns into an unread contact."""
    with pytest.raises(BROKEN):
        contact_of({"id": "A", **odd})


async def test_a_first_round_names_all_and_links_are_followed_mg2(desk: GraphDesk) -> None:
    mailbox = desk.server.contacts
    mailbox.page_size = 2
    for number in range(5):
        mailbox.main.put(f"C{number}", f"No {number}")
    pages = await read(desk)
    assert [page.complete for page in pages] == [False, False, True]
    assert sorted(one.key for page in pages for one in page.upserts) == [
        f"C{number}" for number in range(5)
    ]
    assert len(desk.asked()) == 3
    token = pages[-1].token
    (quiet,) = await read(desk, token)
    assert (quiet.upserts, quiet.deleted, quiet.complete) == ((), frozenset(), False)
    assert len(desk.asked()) == 1
    strange = '{"v":1,"p":200,"contacts":"x","again":[]}'
    for other in ("{}", '{"v":1,"p":1,"contacts":"x"}', "x", strange):
        with pytest.raises(SyncTokenExpiredError):
            await read(desk, SyncToken(other))
    assert desk.asked() == []


async def test_a_tombstone_in_a_first_round_is_nobody_p3(desk: GraphDesk) -> None:
    link = f"{desk.server.url}/me/contacts/delta?$deltatoken=x"
    removed = {"id": "B", "@removed": {"reason": "deleted"}}
    fed = json.dumps({"value": [item(), removed], "@odata.deltaLink": link})
    desk.server.faults.append(Fault(200, part="contacts/delta", text=fed))
    (page,) = await read(desk)
    assert page.named == {"A"}
    assert not page.deleted


async def test_a_link_elsewhere_is_not_followed_p12(desk: GraphDesk) -> None:
    link = '{"value": [], "@odata.deltaLink": "https://example.org/steal"}'
    desk.server.faults.append(Fault(200, part="contacts/delta", text=link))
    (page,) = await read(desk)
    with pytest.raises(MalformedReplyError):
        await read(desk, page.token)


@pytest.mark.parametrize(("stamps", "wanted"), [((2, 1), 0), ((1, 2), 1), ((1, 1), 1)])
async def test_of_a_contact_that_comes_twice_the_newest_counts_p4(
    desk: GraphDesk, stamps: tuple[int, int], wanted: int
) -> None:
    """MG9: late, and out of order."""
    (first,) = await read(desk)
    versions = [
        item(displayName=f"version {number}", lastModifiedDateTime=f"2026-11-0{stamp}T00:00:00Z")
        for number, stamp in enumerate(stamps)
    ]
    link = f"{desk.server.url}/me/contacts/delta?$deltatoken=x"
    fed = json.dumps({"value": versions, "@odata.deltaLink": link})
    desk.server.faults.append(Fault(200, part="contacts/delta", text=fed))
    (page,) = await read(desk, first.token)
    assert [one.contact and one.contact.name for one in page.upserts] == [f"version {wanted}"]


async def test_a_partial_entry_is_read_whole_mg4(desk: GraphDesk) -> None:
    """One batch for all of them; what is gone by now is deleted."""
    team = desk.server.contacts.add_folder("Team")
    team.put("A", "Ada", mobilePhone="+49 1")
    team.put("B", "Bo")
    book = CalendarKey(team.key)
    (first,) = await read(desk, book=book)
    desk.asked()
    desk.server.contacts.habits.partial = True
    team.put("A", "Ada King")
    team.put("B", "Bob")
    desk.server.faults.append(Fault(404, part=f"{team.key}/contacts/B", code="ErrorItemNotFound"))
    (page,) = await read(desk, first.token, book)
    (ada,) = page.upserts
    assert ada.contact is not None
    assert (ada.contact.name, len(ada.contact.phones)) == ("Ada King", 1)
    assert page.deleted == {"B"}
    assert len([one for one in desk.server.parts if "/contacts/" in one.path]) == 2


async def test_folders_are_listed_and_one_that_is_gone_is_told_as_such(desk: GraphDesk) -> None:
    team = desk.server.contacts.add_folder("Team")
    listed = await desk.provider.address_books()
    assert [(one.key, one.name) for one in listed] == [("contacts", "Contacts"), (team.key, "Team")]
    assert await desk.provider.moved({MAIN.key: None}) == {MAIN.key}
    with pytest.raises(NotFoundError):
        await read(desk, book=CalendarKey("AAMkgone"))


async def test_twenty_folders_are_asked_for_theirs_in_one_request(desk: GraphDesk) -> None:
    """MG18: nothing more where there is none, one more for each depth."""
    mailbox = desk.server.contacts
    await desk.provider.address_books()
    assert len(desk.asked()) == 1
    some = [mailbox.add_folder(f"F{number}") for number in range(20)]
    await desk.provider.address_books()
    assert (len(desk.server.asked), len(desk.server.parts)) == (2, 20)
    desk.asked()
    inside = mailbox.add_folder("Inside", some[7])
    listed = await desk.provider.address_books()
    assert (len(desk.server.asked), len(desk.server.parts)) == (3, 21)
    assert [one.name for one in listed if one.key == inside.key] == ["Inside"]
    mailbox.folders["loop"] = FolderTruth(some[7].key, "F7", parent=inside.key)
    assert await desk.provider.address_books() == listed


@pytest.mark.parametrize("body", [{}, {"value": [{}]}, {"value": [1]}, {"value": None}, []])
async def test_folders_of_a_folder_that_are_none_are_malformed(
    desk: GraphDesk, body: object
) -> None:
    """P1: never an empty list."""
    desk.server.contacts.add_folder("Team")
    desk.server.batches.append({"responses": [{"id": "0", "status": 200, "body": body}]})
    with pytest.raises(MalformedReplyError):
        await desk.provider.address_books()


async def test_rooms_of_a_tenant_are_listed_over_all_pages(desk: GraphDesk) -> None:
    """K33: only the address is sure."""
    mailbox = desk.server.contacts
    desk.server.page_size = 2
    mailbox.add_room("atrium")
    mailbox.add_room("attic", displayName="", nickname="Up", capacity=None)
    mailbox.add_room("cellar", displayName="")
    mailbox.add_room("ghost", emailAddress=None)
    found = await desk.provider.rooms()
    assert [one.name for one in found] == ["Atrium", "Up", None]
    assert found[0] == Room(
        id="room-atrium",
        email="atrium@example.org",
        name="Atrium",
        calendar=CalendarKey("atrium@example.org"),
        raw=found[0].raw,
    )
    assert b'"building":"1"' in found[0].raw
    assert len(desk.asked()) == 2


@pytest.mark.parametrize("status", [400, 401])
async def test_what_only_tenants_have_is_no_dead_sign_in_mg18(desk: GraphDesk, status: int) -> None:
    """A mailbox of which we do not know that it is a consumer's says so in two ways."""
    desk.server.contacts.add_room("atrium")
    desk.server.contacts.consumer = status
    assert list(await desk.provider.rooms()) == []
    assert await desk.provider.calendars()


async def test_a_dead_sign_in_is_told_by_rooms_too(desk: GraphDesk) -> None:
    desk.server.tokens.revoked = True
    desk.server.tokens.generation += 1
    with pytest.raises(RelinkRequiredError):
        await desk.provider.rooms()


async def test_rooms_without_their_scope_are_refused(desk: GraphDesk) -> None:
    """K33: never an empty list."""
    desk.server.contacts.places = False
    with pytest.raises(ForbiddenError):
        await desk.provider.rooms()


async def test_a_consumer_is_not_asked_for_rooms() -> None:
    server = GraphServer()
    server.sign_in(tenant=CONSUMERS)
    async with server.running(), graph_desk(server) as desk:
        assert await desk.provider.rooms() == ()
        assert not [one for one in server.asked if "places" in one.path]
        server.contacts.main.put("A", "Ada")
        assert await read(desk)


def test_the_judge_notices_what_the_document_does_not_know() -> None:
    """10.4: negative controls."""
    delta = operation("GET", "/me/contacts/delta")
    rooms = operation("GET", "/places/microsoft.graph.room")
    assert delta is not None
    assert rooms is not None
    assert operation("GET", "/places/room") is None
    assert operation("GET", "/me/people/delta") is None
    assert delta.faults({"startDateTime": "x"}, None)
    assert delta.answer_faults({"value": [{"id": "A", "phone": "1"}]})
    assert delta.answer_faults({"value": [{"id": "A", "birthday": "1815-12-10"}]})
    assert not delta.answer_faults({"value": [{"id": "A", "@removed": {"reason": "deleted"}}]})
    assert rooms.answer_faults({"value": [{"email": "x"}]})
    assert not rooms.faults({"$top": "100"}, None)
