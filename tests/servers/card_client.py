"""A small CardDAV client of the tests' own, and what it reads by ``vobject``, which is not ours."""

import re
from xml.sax.saxutils import escape

import vobject
from lxml import etree

from tests.servers.caldav import CalDavServer, Xandikos
from tests.servers.dav_client import DavClient

DAV = "{DAV:}"
Person = tuple[str, tuple[str, ...], tuple[str, ...]]  # name, e-mail addresses, phone numbers


class CardClient(DavClient):
    """Acts as a person's other device; address books are named by the last part of their path."""

    @classmethod
    def at(cls, server: CalDavServer) -> "CardClient":
        home = "/alice/contacts/" if isinstance(server, Xandikos) else server.home
        return cls(server.url, home, server.username, server.password)

    async def mkbook(self, book: str, name: str) -> None:
        body = (
            '<D:mkcol xmlns:D="DAV:" xmlns:R="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>'
            "<D:resourcetype><D:collection/><R:addressbook/></D:resourcetype>"
            f"<D:displayname>{escape(name)}</D:displayname></D:prop></D:set></D:mkcol>"
        )
        await self.send("MKCOL", self.path(book), body)

    async def put(self, calendar: str, name: str, ics: str | bytes) -> None:
        kind = {"Content-Type": "text/vcard; charset=utf-8"}
        await self.send("PUT", self.path(calendar, name), ics, kind)

    async def people(self, *books: str) -> list[Person]:
        """Return who is in these address books, groups left out, in an order of their own."""
        found = list[Person]()
        for book in books:
            told = await self.send("PROPFIND", self.path(book), b"", {"Depth": "1"})
            hrefs = [one.text or "" for one in etree.fromstring(told).iter(f"{DAV}href")]
            for href in hrefs:
                if href.endswith(".vcf"):
                    found += _people((await self.send("GET", href)).decode())
        return sorted(found)


def _people(text: str) -> list[Person]:
    if re.search("^(X-ADDRESSBOOKSERVER-)?KIND:group", text, re.MULTILINE | re.IGNORECASE):
        return []
    one = vobject.readOne(text)
    emails = tuple(email.value for email in one.contents.get("email", []))
    phones = tuple(tel.value.removeprefix("tel:") for tel in one.contents.get("tel", []))
    return [(one.fn.value, emails, phones)]


def card(uid: str, name: str, *lines: str) -> str:
    """Return a vCard 3.0."""
    rows = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;", *lines]
    return "\r\n".join([*rows, "END:VCARD", ""])
