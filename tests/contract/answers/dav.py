"""What CalDAV servers answer, and iCloud among them (D5-D17, IC2)."""

from tests.contract.answers import Means, Told

HOME, FEED, GET, WRITE, SIGN_IN = "home", "feed", "get", "write", "sign in"
XML = 'application/xml; charset="utf-8"'
HTML = b"<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head></html>"
EMPTY = b'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"/>'
CALDAV, ICLOUD = "caldav", "icloud"


def condition(name: str, space: str = "DAV:", words: str = "") -> bytes:
    """Return a precondition that failed (RFC 4918 §16)."""
    text = f"<s:message xmlns:s='http://sabredav.org/ns'>{words}</s:message>" if words else ""
    return (
        f"<?xml version='1.0' encoding='utf-8'?><d:error xmlns:d='DAV:'>"
        f"<x:{name} xmlns:x='{space}'/>{text}</d:error>"
    ).encode()


def _xml(asked: str, status: int, body: bytes, means: Means, *headers: str) -> Told:
    return Told(asked=asked, status=status, body=body, kind=XML, means=means, headers=headers)


def _bare(asked: str, status: int, means: Means, *headers: str, wait: int | None = None) -> Told:
    return Told(asked=asked, status=status, means=means, headers=headers, wait=wait)


def _html(asked: str, status: int, means: Means) -> Told:
    return Told(asked=asked, status=status, body=HTML, kind="text/html", means=means)


def _icloud(asked: str, status: int, means: Means, *headers: str) -> Told:
    offered = 'WWW-Authenticate: X-MobileMe-AuthToken realm="MMCalDav", Basic realm="MMCalDav"'
    return Told(
        asked=asked, status=status, means=means, headers=(*headers, offered), flavour=ICLOUD
    )


_CAL = "urn:ietf:params:xml:ns:caldav"
_TOKEN = condition("valid-sync-token")
_CUT = b'<d:multistatus xmlns:d="DAV:"><d:response><d:href>/alice/work/a.ics</d:href>'
_OTHER = b'<feed xmlns="http://www.w3.org/2005/Atom"/>'
_DOCTYPE = b"<!DOCTYPE multistatus SYSTEM 'x'><d:multistatus xmlns:d='DAV:'/>"
DAV: tuple[Told, ...] = (
    _xml(FEED, 400, _TOKEN, Means.FULL_READ),
    _bare(HOME, 400, Means.MALFORMED),
    _xml(FEED, 400, condition("supported-report"), Means.MALFORMED),
    _html(WRITE, 400, Means.REJECTED),
    _bare(HOME, 401, Means.DEAD, 'WWW-Authenticate: Basic realm="Radicale"'),
    _bare(FEED, 401, Means.DEAD, 'WWW-Authenticate: Basic realm="sabre/dav", charset="UTF-8"'),
    _bare(GET, 401, Means.DEAD, "WWW-Authenticate: Bearer"),
    _bare(WRITE, 401, Means.DEAD, 'WWW-Authenticate: Basic realm="x"'),
    _bare(HOME, 401, Means.DEAD),
    _xml(FEED, 403, _TOKEN, Means.FULL_READ),
    _xml(FEED, 403, condition("supported-report"), Means.MALFORMED),
    _bare(FEED, 403, Means.FORBIDDEN),
    _html(HOME, 403, Means.FORBIDDEN),
    _xml(HOME, 403, condition("need-privileges"), Means.FORBIDDEN),
    _xml(WRITE, 403, condition("need-privileges"), Means.FORBIDDEN),
    _xml(WRITE, 403, condition("no-uid-conflict", _CAL), Means.CONFLICT),
    _xml(WRITE, 403, condition("valid-calendar-data", _CAL), Means.REJECTED),
    _xml(WRITE, 403, condition("max-resource-size", _CAL), Means.REJECTED),
    _xml(WRITE, 415, condition("supported-calendar-data", _CAL, "vobject"), Means.REJECTED),
    _bare(SIGN_IN, 403, Means.FORBIDDEN),
    _bare(HOME, 404, Means.GONE),
    _html(FEED, 404, Means.GONE),
    _bare(GET, 404, Means.GONE),
    _bare(WRITE, 404, Means.GONE),
    _bare(HOME, 405, Means.MALFORMED, "Allow: GET, HEAD, OPTIONS"),
    _bare(WRITE, 405, Means.LACKING),
    _bare(HOME, 408, Means.TRANSIENT),
    _xml(FEED, 409, _TOKEN, Means.FULL_READ),
    _xml(WRITE, 409, condition("no-uid-conflict", _CAL), Means.CONFLICT),
    _bare(WRITE, 409, Means.CONFLICT),
    _bare(FEED, 410, Means.FULL_READ),
    _xml(FEED, 410, _TOKEN, Means.FULL_READ),
    _bare(HOME, 410, Means.GONE),
    _xml(FEED, 412, _TOKEN, Means.FULL_READ),
    _bare(FEED, 412, Means.MALFORMED),
    _bare(WRITE, 412, Means.CONFLICT),
    _bare(FEED, 413, Means.MALFORMED),
    _bare(WRITE, 413, Means.REJECTED),
    _bare(HOME, 423, Means.TRANSIENT),
    _bare(WRITE, 423, Means.TRANSIENT),
    _bare(HOME, 425, Means.TRANSIENT),
    _bare(HOME, 429, Means.THROTTLED),
    _bare(FEED, 429, Means.THROTTLED, "Retry-After: 60", wait=60),
    _bare(WRITE, 429, Means.THROTTLED, "Retry-After: Fri, 20 Nov 2026 09:02:00 GMT", wait=120),
    _bare(HOME, 429, Means.THROTTLED, "Retry-After: later"),
    _html(HOME, 500, Means.TRANSIENT),
    _html(WRITE, 500, Means.TRANSIENT),
    _bare(FEED, 501, Means.MALFORMED),
    _bare(WRITE, 501, Means.LACKING),
    _html(HOME, 502, Means.TRANSIENT),
    _html(HOME, 503, Means.TRANSIENT),
    _bare(HOME, 503, Means.THROTTLED, "Retry-After: 300", wait=300),
    _bare(FEED, 504, Means.TRANSIENT),
    _bare(FEED, 507, Means.MALFORMED),
    _bare(WRITE, 507, Means.TRANSIENT),
    _html(HOME, 200, Means.MALFORMED),
    _xml(HOME, 207, b"", Means.MALFORMED),
    _xml(HOME, 207, _CUT, Means.MALFORMED),
    _xml(HOME, 207, _OTHER, Means.MALFORMED),
    _xml(HOME, 207, _DOCTYPE, Means.MALFORMED),
    _html(FEED, 207, Means.MALFORMED),
    _xml(FEED, 207, EMPTY, Means.MALFORMED),
    _bare(FEED, 204, Means.MALFORMED),
    _html(GET, 200, Means.MALFORMED),
    _bare(GET, 204, Means.MALFORMED),
    _bare(GET, 206, Means.MALFORMED),
    _icloud(SIGN_IN, 401, Means.DEAD),
    _icloud(SIGN_IN, 403, Means.DEAD),
    _icloud(HOME, 401, Means.DEAD),
    _icloud(HOME, 403, Means.FORBIDDEN),
    _icloud(FEED, 403, Means.FORBIDDEN),
    _icloud(SIGN_IN, 503, Means.TRANSIENT),
    _icloud(HOME, 503, Means.TRANSIENT),
    _icloud(WRITE, 403, Means.FORBIDDEN),
)
