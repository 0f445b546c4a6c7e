"""A small CalDAV client of the tests' own; shares nothing with syncd's."""

from xml.sax.saxutils import escape

from aiohttp import ClientSession, encode_basic_auth

_NAMES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="http://apple.com/ns/ical/"'
)


class DavClient:
    """Acts as a person's other device; calendars are named by the last part of their path."""

    def __init__(self, url: str, home: str, username: str, password: str) -> None:
        self._root = url.rstrip("/")
        self._home = home
        self._headers = {"Authorization": encode_basic_auth(username, password)}

    def path(self, calendar: str, name: str = "") -> str:
        return f"{self._home}{calendar}/{name}"

    async def mkcalendar(self, calendar: str, *, name: str | None = None) -> None:
        told = f"<D:displayname>{escape(name or calendar)}</D:displayname>"
        body = f"<C:mkcalendar {_NAMES}><D:set><D:prop>{told}</D:prop></D:set></C:mkcalendar>"
        await self.send("MKCALENDAR", self.path(calendar), body)

    async def set_property(self, calendar: str, name: str, value: str) -> None:
        body = (
            f"<D:propertyupdate {_NAMES}><D:set><D:prop><{name}>{escape(value)}</{name}>"
            "</D:prop></D:set></D:propertyupdate>"
        )
        await self.send("PROPPATCH", self.path(calendar), body)

    async def put(self, calendar: str, name: str, ics: str | bytes) -> None:
        kind = {"Content-Type": "text/calendar; charset=utf-8"}
        await self.send("PUT", self.path(calendar, name), ics, kind)

    async def delete(self, calendar: str, name: str | None = None) -> None:
        await self.send("DELETE", self.path(calendar, name or ""))

    async def send(
        self,
        method: str,
        path: str,
        body: str | bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> bytes:
        sent = {"Content-Type": "application/xml", **(headers or {}), **self._headers}
        text = body.encode() if isinstance(body, str) else body
        async with (
            ClientSession() as session,
            session.request(method, self._root + path, data=text, headers=sent) as answer,
        ):
            told = await answer.read()
            assert answer.status < 300, (method, path, answer.status, told[:500])
            return told


def event(uid: str, summary: str = "Event", *, day: int = 1, extra: str = "") -> str:
    """Return an event of one hour on a day of November 2026."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:202611{day:02}T090000Z\r\n"
        f"DTEND:202611{day:02}T100000Z\r\nSUMMARY:{summary}\r\n{extra}"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
