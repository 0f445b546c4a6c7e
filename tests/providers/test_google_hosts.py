"""Google's further hosts: who asks what of which, and what the fakes are worth (G14)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import pytest
from googleapiclient.errors import HttpError

from syncd.model.calendar import Holds
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    SyncTokenExpiredError,
)
from syncd.model.ids import CalendarKey
from syncd.model.room import Room
from syncd.providers.google.people import BOOK
from tests.providers.google import GoogleDesk, google_desk
from tests.servers.discovery import Json, directory_api, people_api
from tests.servers.google import Fault, GoogleServer
from tests.servers.google_client import google, people_at, rooms_at
from tests.servers.google_people import BEGIN, PeopleServer, Place


@pytest.fixture
async def desk() -> AsyncIterator[GoogleDesk]:
    async with GoogleServer().running() as server, google_desk(server) as made:
        yield made
        assert server.complaints == []


async def contacts(desk: GoogleDesk) -> list[str]:
    pages = [page async for page in desk.provider.contacts(BOOK.key, None, desk.follower)]
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    return [one.key for page in pages for one in page.upserts]


async def test_there_is_one_address_book(desk: GoogleDesk) -> None:
    (book,) = await desk.provider.address_books()
    assert (book, book.holds) == (BOOK, Holds.CONTACTS)
    assert await desk.provider.moved({BOOK.key: None}) == {BOOK.key}
    with pytest.raises(NotFoundError):
        await anext(desk.provider.contacts(CalendarKey("people/you"), None, desk.follower))


async def test_a_listing_comes_page_by_page(desk: GoogleDesk) -> None:
    """G13: every page with the same parameters, tokens percent-encoded whole (G14)."""
    people = desk.server.people
    people.page_size = 2
    for number in range(5):
        people.put(f"c{number}", f"No {number}")
    assert await contacts(desk) == [f"people/c{number}" for number in range(5)]
    first, *others = (dict(one.query) for one in people.asked)
    assert len(others) == 2
    for one in others:
        assert "+%=" in one.pop("pageToken")
        assert one == first
    assert first["sources"] == "READ_SOURCE_TYPE_CONTACT"
    assert (first["pageSize"], first["requestSyncToken"]) == ("1000", "true")


@pytest.mark.parametrize(
    ("stamps", "shown"),
    [((2, 1), "second"), ((1, 2), "second"), ((1, None), "last"), ((None, None), "last")],
)
async def test_of_a_person_that_comes_twice_the_newest_counts_p4(
    desk: GoogleDesk, stamps: tuple[int | None, int | None], shown: str
) -> None:
    """Where versions do not compare, the one that came last; and a tombstone after both."""
    read = partial(desk.provider.contacts, BOOK.key, known=desk.follower)
    token = [page async for page in read(None)][-1].token
    people = [twin(number, stamp) for number, stamp in enumerate(stamps)]
    desk.server.people.faults.append(Fault(200, text=fed(*people)))
    (page,) = [page async for page in read(token)]
    (resource,) = page.upserts
    assert resource.contact is not None
    wanted = stamps.index(2) if shown == "second" else 1
    assert resource.contact.name == f"version {wanted}"
    gone = {"resourceName": "people/c1", "metadata": {"deleted": True}}
    desk.server.people.faults.append(Fault(200, text=fed(*people, gone)))
    (page,) = [page async for page in read(token)]
    assert page.deleted == {"people/c1"}
    assert not page.upserts


def twin(number: int, stamp: int | None) -> Json:
    source = {"type": "CONTACT", "id": "5f"}
    source |= {} if stamp is None else {"updateTime": f"2026-11-0{stamp}T00:00:00Z"}
    names = [{"displayName": f"version {number}"}]
    return {"resourceName": "people/c1", "metadata": {"sources": [source]}, "names": names}


def fed(*people: Json) -> str:
    return json.dumps({"connections": people, "nextSyncToken": "next"})


async def test_rooms_are_listed_over_all_pages(desk: GoogleDesk) -> None:
    """K33: by their addresses, which are the ids of their calendars."""
    directory = desk.server.directory
    assert await desk.provider.rooms() == []
    directory.page_size = 2
    directory.add("atrium", userVisibleDescription="Light", resourceDescription="for us only")
    directory.add("car", resourceCategory="OTHER", resourceType="Car")
    directory.add("old", resourceCategory="CATEGORY_UNKNOWN", resourceName="")
    del directory.add("odd")["resourceEmail"]
    found = await desk.provider.rooms()
    assert [one.name for one in found] == ["Atrium", "Car", "HQ-1-Old (8)"]
    assert [one.is_room for one in found] == [True, False, False]
    first, raw = found[0], found[0].raw
    email = "c_atrium@resource.calendar.google.com"
    assert b'"Whiteboard"' in raw
    assert first == Room(
        id="atrium",
        email=email,
        name="Atrium",
        description="Light",
        calendar=CalendarKey(email),
        raw=raw,
    )


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(403, reason="forbidden"), ForbiddenError),
        (Fault(403, reason="insufficientPermissions"), ForbiddenError),
        (Fault(403, reason="accessNotConfigured", domain="usageLimits"), ForbiddenError),
        (Fault(200, text='{"items": 1}'), MalformedReplyError),
        (Fault(200, text='{"items": ["x"]}'), MalformedReplyError),
        (Fault(200, text="[]"), MalformedReplyError),
        (Fault(200, text='{"nextPageToken": "a"}', times=9), MalformedReplyError),
        (Fault(404, reason="notFound"), ForbiddenError),
    ],
    ids=lambda one: f"{one.status} {one.reason or one.text}" if isinstance(one, Fault) else "",
)
async def test_who_may_not_list_rooms_is_told_so(
    desk: GoogleDesk, fault: Fault, error: type[Exception]
) -> None:
    """K33, P1: never an empty list, and who has no domain at all may not either."""
    desk.server.directory.add("atrium")
    desk.server.directory.faults.append(fault)
    with pytest.raises(error):
        await desk.provider.rooms()


async def test_each_host_is_asked_for_its_own_only(desk: GoogleDesk) -> None:
    """G14, P12."""
    server = desk.server
    await desk.provider.calendars()
    await contacts(desk)
    await desk.provider.rooms()
    assert {one.path for one in server.people.asked} == {"/v1/people/me/connections"}
    listed = "/admin/directory/v1/customer/my_customer/resources/calendars"
    assert {one.path for one in server.directory.asked} == {listed}
    assert all(one.path.startswith("/calendar/v3/") for one in server.asked)


async def test_hosts_that_are_not_named_are_not_asked() -> None:
    """An operator can do without contacts and rooms."""
    async with GoogleServer().running() as server:
        server.people.url, server.directory.url = "", ""
        async with google_desk(server) as desk:
            assert await desk.provider.address_books() == ()
            assert await desk.provider.rooms() == ()
            with pytest.raises(NotFoundError):
                await contacts(desk)


async def test_googles_own_client_reads_the_fakes(desk: GoogleDesk) -> None:
    """10.4: pages, rooms, and the refusal of an expired token."""
    people, directory, token = (
        desk.server.people,
        desk.server.directory,
        desk.server.tokens.access_token,
    )
    people.page_size = directory.page_size = 2
    for number in range(5):
        people.put(f"c{number}", f"No {number}")
        directory.add(f"room{number}")
    seen = await asyncio.to_thread(people_at, people.url, token)
    assert [name for name, _, _ in seen] == [f"No {number}" for number in range(5)]
    assert len(await asyncio.to_thread(rooms_at, directory.url, token)) == 5
    assert len(await contacts(desk)) == len(await desk.provider.rooms()) == 5
    reason = await asyncio.to_thread(expired, people, token)
    assert reason == "EXPIRED_SYNC_TOKEN"
    people.page_size = 1000
    assert await asyncio.to_thread(changed, people, token) == [
        {"resourceName": "people/c0", "deleted": True, "former": None},
        {"resourceName": "people/c9", "deleted": None, "former": ["people/c1"]},
    ]


WHAT = {
    "resourceName": "people/me",
    "personFields": "names,metadata",
    "sources": "READ_SOURCE_TYPE_CONTACT",
    "requestSyncToken": True,
    "pageSize": 1000,
}


def expired(people: PeopleServer, token: str) -> str:
    with google("people", "v1", people.url.removesuffix("v1"), token) as service:
        asked = service.people().connections()
        page, request = {}, asked.list(**WHAT)
        while request is not None:
            page = request.execute()
            request = asked.list_next(request, page)
        people.expire()
        with pytest.raises(HttpError) as refusal:
            asked.list(**WHAT, syncToken=page["nextSyncToken"]).execute()
        assert refusal.value.status_code == 400
        (told,) = refusal.value.error_details
        return str(told["reason"])


def changed(people: PeopleServer, token: str) -> list[dict[str, object]]:
    with google("people", "v1", people.url.removesuffix("v1"), token) as service:
        asked = service.people().connections()
        sync = asked.list(**WHAT).execute()["nextSyncToken"]
        quiet = asked.list(**WHAT, syncToken=sync).execute()
        assert quiet.keys() == {"nextSyncToken"}, "a quiet page has no connections"
        people.delete("c0")
        people.rename("c1", "c9")
        then = asked.list(**WHAT, syncToken=quiet["nextSyncToken"]).execute()
        return [
            {
                "resourceName": one["resourceName"],
                "deleted": one["metadata"].get("deleted"),
                "former": one["metadata"].get("previousResourceNames"),
            }
            for one in then["connections"]
        ]


async def test_the_judge_notices_what_the_documents_do_not_know() -> None:
    """10.4: negative controls."""
    listing = people_api().method("GET", "v1/people/me/connections")
    rooms = directory_api().method(
        "GET", "admin/directory/v1/customer/my_customer/resources/calendars"
    )
    assert listing is not None
    assert rooms is not None
    assert people_api().method("GET", "v1/people/me/contacts") is None
    assert people_api().faults(listing, {"maxResults": "1"}, None)
    assert people_api().faults(listing, {}, {"names": []})
    assert people_api().answer_faults(listing, {"people": []})
    assert people_api().answer_faults(listing, {"connections": [{"name": "Ada"}]})
    assert people_api().answer_faults(listing, {"connections": [{"metadata": {"deleted": 1}}]})
    assert not people_api().answer_faults(listing, {"nextSyncToken": "x"})
    assert directory_api().faults(rooms, {"pageSize": "1"}, None)
    assert directory_api().answer_faults(rooms, {"items": [{"email": "x"}]})


async def test_the_document_still_says_what_we_rely_on() -> None:
    """G13: a new revision that changes this should be noticed."""
    listing = people_api().method("GET", "v1/people/me/connections")
    assert listing is not None
    told = listing["description"]
    for words in ("expire 7 days after the full sync", "EXPIRED_SYNC_TOKEN", "must match the first",
                  "`PersonMetadata.deleted` set to true", "propagation delay", "429"):  # fmt: skip
        assert words in told
    person = people_api().document["schemas"]
    former = person["PersonMetadata"]["properties"]["previousResourceNames"]["description"]
    assert "The resource name may change" in former
    assert "no guaranteed order" in person["Person"]["description"]


class Broken(PeopleServer):
    """Breaks one rule of the document."""

    breaks = ""

    def _everything(self) -> list[Json]:
        gone = [self._changed(name) for name in self.log if name not in self.people]
        return [*super()._everything(), *(gone if self.breaks == "tombstones" else [])]

    def _place(self, query: dict[str, str], plain: str) -> Place | None:
        now = self.now
        self.now = BEGIN if self.breaks == "eternal" else now
        try:
            return super()._place(query, plain)
        finally:
            self.now = now

    async def listed(self, query: dict[str, str]) -> Json:
        told = await super().listed(query)
        if self.breaks == "token on a middle page" and "nextPageToken" in told:
            told["nextSyncToken"] = "early"
        if self.breaks == "empty list":
            told.setdefault("connections", [])
        return told


@pytest.mark.parametrize(
    "breaks", ["", "tombstones", "eternal", "token on a middle page", "empty list"]
)
async def test_a_fake_that_breaks_a_rule_is_found_out(breaks: str) -> None:
    """10.4, 6: by rules that were written from the document, apart from the fake."""
    server = GoogleServer()
    server.people = people = Broken(server.tokens, server.complaints)
    people.breaks, people.page_size = breaks, 2
    for number in range(5):
        people.put(f"c{number}", f"No {number}")
    people.delete("c0")
    async with server.running(), google_desk(server) as desk:
        read = partial(desk.provider.contacts, BOOK.key, known=desk.follower)
        pages = [page async for page in read(None)]
        listed = {one.key for page in pages for one in page.upserts}
        assert listed == {f"people/c{number}" for number in range(1, 5)}, "a tombstone is nobody"
        assert [page async for page in read(pages[-1].token)]
        people.expire()
        with suppress(SyncTokenExpiredError):
            assert [page async for page in read(pages[-1].token)]
    assert bool(server.complaints) == bool(breaks)
