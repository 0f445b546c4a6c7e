"""Contacts of an account, read-only (api.md K30-K32)."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.freshness import HEADERS, freshness
from syncd.api.keys import profile_of
from syncd.api.kloudless.contact_shapes import Contact, ContactList
from syncd.api.kloudless.objects import RAW, raw_member, raw_object, wants_raw
from syncd.api.pages import joined, page_token, read_page, spliced
from syncd.api.params import Paged
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.api.versions import etag, versioned
from syncd.engine.contacts import list_contacts as listed
from syncd.engine.contacts import one_contact, raw_contacts
from syncd.model.access import Scope
from syncd.model.ids import EventId
from syncd.model.profile import Profile
from syncd.model.resource import RawResource, StoredEvent


@route(
    "GET",
    "/v1/accounts/{account_id}/contact/contacts",
    scope=Scope.READ_CONTACTS,
    query=Paged,
    answer=ContactList,
    headers=HEADERS,
    takes=(RAW,),
)
async def list_contacts(request: web.Request, query: Paged) -> web.Response:
    """List the contacts of all address books, by id.

    Empty where the provider has no contacts, the server no CardDAV, or the grant no scope for them.
    """
    profile, store = profile_of(request), parts_of(request).store
    name = f"contacts|{profile.id}"
    place = read_page(query.page, of=name)
    cursor = place.cursor or str((await store.stream(profile.id)).latest)
    behind = None if place.behind is None else EventId(place.behind[0])
    page = await listed(store, profile, behind=behind, limit=query.page_size)
    following = None
    if page.more:
        last = [page.contacts[-1].id]
        following = page_token(of=name, number=place.number + 1, behind=last, cursor=cursor)
    raw = await _raw(request, page.contacts)
    body = joined(
        [_object(request, profile, one, raw) for one in page.contacts],
        count=len(page.contacts),
        page=place.number,
        next_page=following,
        type="object_list",
        api="contact",
    )
    return answer(body, headers=freshness(profile, cursor=cursor, polled_at=page.polled_at))


@route(
    "GET",
    "/v1/accounts/{account_id}/contact/contacts/{contact_id}",
    scope=Scope.READ_CONTACTS,
    answer=Contact,
    more={304: None},
    headers=(*HEADERS, "ETag"),
    takes=(RAW, "If-None-Match"),
)
async def retrieve_contact(request: web.Request) -> web.Response:
    """Return one contact."""
    profile, store = profile_of(request), parts_of(request).store
    stream = await store.stream(profile.id)
    page = await one_contact(store, profile, EventId(request.match_info["contact_id"]))
    raw = await _raw(request, page.contacts)
    (contact,) = page.contacts
    told = freshness(profile, cursor=str(stream.latest), polled_at=page.polled_at)
    version = etag(contact.document, *(one.etag.encode() + one.raw for one in raw.values()))
    return versioned(request, _object(request, profile, contact, raw), version, told)


async def _raw(
    request: web.Request, contacts: Sequence[StoredEvent]
) -> Mapping[EventId, RawResource]:
    return await raw_contacts(parts_of(request).store, contacts) if wants_raw(request) else {}


def _object(
    request: web.Request,
    profile: Profile,
    contact: StoredEvent,
    raw: Mapping[EventId, RawResource],
) -> bytes:
    """Return a stored contact with what is not stored: its link, and its raw object if asked."""
    members: list[tuple[str, object]] = []
    body = raw.get(contact.id)
    if body is not None:
        members.append(("raw", raw_member(profile, body.key, raw_object(body, "vcard"))))
    href = f"{base_url(request)}/v1/accounts/{profile.id}/contact/contacts/{contact.id}"
    return spliced(contact.document, *members, ("href", href))
