"""Contacts over HTTP (api.md K11, K30-K32, K38, R7, R11, R18, R21)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from syncd.engine.poll import LISTED_EVERY
from syncd.model.access import Scope
from syncd.model.contact import (
    Address,
    Contact,
    Organization,
    Reach,
    Related,
    Relation,
    Use,
)
from tests.api.serving import Api
from tests.engine.ground import event
from tests.fakes.provider import FakeCalendar

SEED = {  # members of the seed's example, and ``account_id``
    "id", "name", "name_details", "birthday", "organizations", "emails", "gender", "initials",
    "modified", "phones", "relationships", "addresses", "websites", "type", "api", "href",
    "created", "account_id",
}  # fmt: skip
WALTER = Contact(
    uid="w",
    name="Walter Bishop",
    given="Walter",
    family="Bishop",
    full="Walter Bishop",
    birthday="1946-08-20",
    organizations=(Organization(name="Kloudless", title="Research Scientist"),),
    emails=(Reach(value="hello@kloudless.com", use=Use.WORK, primary=True),),
    relationships=(Related(name="Peter Bishop", relation=Relation.CHILD),),
    addresses=(Address(use=Use.HOME, city="Berkeley", state="CA", postal_code="94704"),),
    websites=("https://kloudless.com",),
)


async def polled(api: Api, count: int = 1) -> FakeCalendar:
    """Read a calendar and an address book; return the book."""
    api.ground.server.add("/work/", "Work", primary=True).put("a.ics", event("Review", 20))
    book = api.ground.server.add_book("/people/")
    book.put_contact("w.vcf", WALTER)
    for number in range(1, count):
        book.put_contact(f"{number}.vcf", Contact(uid=f"u{number}", name=f"No {number}"))
    await api.ground.poll(listing=True)
    return book


def path(api: Api, contact: str = "") -> str:
    return f"/v1/accounts/{api.account}/contact/contacts{contact}"


async def test_a_contact_has_the_members_of_the_seed(api: Api) -> None:
    await polled(api)
    body = await api.json(path(api))
    assert {name: body[name] for name in body if name != "objects"} == {
        "count": 1, "page": 1, "next_page": None, "type": "object_list", "api": "contact",
    }  # fmt: skip
    (told,) = body["objects"]
    assert told.keys() == SEED
    assert told["name_details"] == {"given": "Walter", "full": "Walter Bishop", "family": "Bishop"}
    assert told["birthday"] == "1946-08-20"
    assert told["organizations"] == [
        {
            "type": None,
            "name": "Kloudless",
            "department": None,
            "title": "Research Scientist",
            "location": None,
        }
    ]
    assert told["emails"] == [{"type": "work", "value": "hello@kloudless.com", "primary": True}]
    assert told["relationships"] == [{"name": "Peter Bishop", "type": "child"}]
    assert told["addresses"] == [
        {
            "type": "home",
            "street": None,
            "city": "Berkeley",
            "state": "CA",
            "country": None,
            "postal_code": "94704",
        }
    ]
    assert (told["phones"], told["gender"], told["account_id"]) == ([], None, str(api.account))
    assert told["href"] == f"{api.url}{path(api)}/{told['id']}"
    assert await api.json(path(api, f"/{told['id']}")) == told


async def test_pages_hold_every_contact_once(api: Api) -> None:
    """R11: an integer page, whatever its size; the last one says that it is."""
    book = await polled(api, count=7)
    api.ground.server.add_book("/team/").put_contact("t.vcf", Contact(uid="t", name="Team"))
    await api.ground.poll(listing=True)
    whole = await api.json(path(api))
    assert len(whole["objects"]) == len(book.resources) + 1
    for size in (1, 3, 4, 8, 1000):
        assert await api.pages(path(api), size) == whole["objects"]
    second = await api.json(f"{path(api)}?page_size=4&page={(await first(api))['next_page']}")
    assert (second["page"], second["next_page"]) == (2, None)
    for bad in ("page=x", "page_size=0", "page_size=1001"):
        assert (await api.get(f"{path(api)}?{bad}")).status == 400
    calendars = f"/v1/accounts/{api.account}/cal/calendars"
    foreign = (await api.json(f"{calendars}?page_size=1"))["next_page"]
    assert foreign is None
    assert (await api.get(f"{calendars}?page={(await first(api))['next_page']}")).status == 400


async def first(api: Api) -> Any:  # noqa: ANN401 - JSON
    return await api.json(f"{path(api)}?page_size=4")


async def test_a_raw_contact_is_the_card_as_it_came_k11(api: Api) -> None:
    book = await polled(api)
    asked = {"X-Kloudless-Raw-Data": "true"}
    (listed,) = (await api.json(path(api), headers=asked))["objects"]
    stored = book.resources[next(iter(book.resources))]
    assert listed["raw"] == {
        "id": "w.vcf",
        "object": {"href": "w.vcf", "etag": stored.etag, "vcard": stored.raw.decode()},
    }
    assert await api.json(path(api, f"/{listed['id']}"), headers=asked) == listed
    assert "raw" not in await api.json(path(api, f"/{listed['id']}"))


async def test_a_raw_contact_of_a_json_provider_is_its_json_k11(api: Api) -> None:
    book = await polled(api)
    key, stored = next(iter(book.resources.items()))
    book.resources[key] = replace(stored, etag='"json"', raw=b'{"resourceName":"people/c1"}')
    book.put_contact("other.vcf", Contact(uid="o", name="Other"))
    api.ground.server.faults.expired = True
    await api.ground.poll(listing=True)
    listed = (await api.json(path(api), headers={"X-Kloudless-Raw-Data": "true"}))["objects"]
    (told,) = (one["raw"] for one in listed if one["name"] == WALTER.name)
    assert told == {"id": "w.vcf", "object": {"resourceName": "people/c1"}}


async def test_a_contact_is_versioned_r18(api: Api) -> None:
    book = await polled(api)
    (told,) = (await api.json(path(api)))["objects"]
    answer = await api.get(path(api, f"/{told['id']}"))
    tag = answer.headers["ETag"]
    held = await api.get(path(api, f"/{told['id']}"), headers={"If-None-Match": tag})
    assert held.status == 304
    book.put_contact("w.vcf", Contact(uid="w", name="Walter"))
    await api.ground.poll(listing=True)
    held = await api.get(path(api, f"/{told['id']}"), headers={"If-None-Match": tag})
    assert held.status == 200
    assert held.headers["ETag"] != tag


async def test_contacts_are_only_read_k32(api: Api) -> None:
    await polled(api)
    (told,) = (await api.json(path(api)))["objects"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for place in (path(api), path(api, f"/{told['id']}")):
            answer = await api.send(method, place, json={})
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET,HEAD"


async def test_contacts_need_their_scope_r7(api: Api) -> None:
    await polled(api)
    assert (await api.get(path(api), token=await api.token(Scope.READ_CONTACTS))).status == 200
    for scope in (Scope.READ_EVENTS, Scope.LIST_CALENDARS):
        assert (await api.get(path(api), token=await api.token(scope))).status == 403
    assert (await api.get(path(api), token="")).status == 401


async def test_events_and_contacts_do_not_pass_for_each_other(api: Api) -> None:
    """Neither an event as a contact, nor a contact or an address book as what it is not."""
    await polled(api)
    (contact,) = (await api.json(path(api)))["objects"]
    calendars = f"/v1/accounts/{api.account}/cal/calendars"
    (event_,) = (await api.json(f"{calendars}/primary/events"))["objects"]
    assert (await api.get(path(api, f"/{event_['id']}"))).status == 404
    assert (await api.get(f"{calendars}/primary/events/{contact['id']}")).status == 404
    assert [one["name"] for one in (await api.json(calendars))["objects"]] == ["Work"]
    book = (await api.ground.store.event(api.ground.profile_id, contact["id"])).calendar_id
    for place in (f"/{book}", f"/{book}/events", f"/{book}/events/{contact['id']}"):
        assert (await api.get(calendars + place)).status == 404
    other = await api.another()
    assert (await api.get(f"/v1/accounts/{other.profile_id}/contact/contacts")).status == 404
    profile = await api.json(f"/v1/profiles/{api.account}")
    assert [one["name"] for one in profile["calendars"]] == ["Work"]


async def test_a_profile_without_contacts_has_an_empty_list(api: Api) -> None:
    api.ground.server.add("/work/", "Work")
    await api.ground.poll()
    assert (await api.json(path(api)))["objects"] == []


async def test_contacts_are_in_the_stream_only_where_they_are_named_k38(api: Api) -> None:
    book = await polled(api)
    events = f"/v1/accounts/{api.account}/events"
    kinds = {one["metadata"]["type"] for one in (await api.json(events))["objects"]}
    assert kinds == {"account", "calendar", "event"}
    asked = f"{events}?objects=contact"
    (record,) = (await api.json(asked))["objects"]
    assert (record["type"], record["initial"]) == ("add", True)
    (listed,) = (await api.json(path(api)))["objects"]
    assert record["metadata"] == {name: one for name, one in listed.items() if name != "href"}
    (calendar,) = (await api.json(f"/v1/accounts/{api.account}/cal/calendars"))["objects"]
    both = f"{events}?objects=contact,event&calendar_ids={calendar['id']}"
    named = [one["metadata"]["type"] for one in (await api.json(both))["objects"]]
    assert sorted(named) == ["contact", "event"]
    cursor = (await api.get(path(api))).headers["X-Syncd-Cursor"]
    book.put_contact("w.vcf", Contact(uid="w", name="Walter B."))
    book.put_contact("n.vcf", Contact(uid="n", name="New"))
    await api.ground.poll(listing=True)
    book.remove("n.vcf")
    await api.ground.poll(listing=True)
    told = (await api.json(f"{asked}&cursor={cursor}"))["objects"]
    assert sorted((one["type"], one["metadata"]["name"]) for one in told) == [
        ("add", "New"),
        ("delete", "New"),
        ("update", "Walter B."),
    ]
    (update,) = [one for one in told if one["type"] == "update"]
    assert update["changes"]["name"] == {"old": "Walter Bishop", "new": "Walter B."}
    assert update["metadata"]["api"] == "contact"


async def test_the_age_of_contacts_is_never_understated_r21(api: Api) -> None:
    """A poll need not look at address books: then they are as old as they may be."""
    await polled(api)
    looked = api.clock.now()
    await api.ground.poll(after=timedelta(seconds=60))
    answer = await api.get(path(api))
    assert answer.headers["X-Syncd-State"] == "connected"
    told = answer.headers["X-Syncd-Polled-At"]
    assert told == orjson.dumps(looked).decode().strip('"').replace("+00:00", "Z")
    await api.ground.poll(after=LISTED_EVERY)
    later = (await api.get(path(api))).headers["X-Syncd-Polled-At"]
    assert looked.isoformat() <= later.replace("Z", "+00:00") <= api.clock.now().isoformat()
