"""What Google Calendar answers: old and new error bodies, pages that are none (G10)."""

import json

from tests.contract.answers import Means, Told

LIST, FEED, WRITE, CALENDARS = "list", "feed", "write", "calendars"
JSON = "application/json; charset=UTF-8"
HTML = b"<!DOCTYPE html><html lang=en><title>Error 502 (Server Error)!!1</title><p>That's an error."
BLOCKED = b"<html><head><title>403 Forbidden</title></head><body>Your client does not have</body>"
ITEMS = b'{"kind":"calendar#events","summary":"a@example.org","timeZone":"Europe/Berlin",'


def error(status: int, reason: str, domain: str = "global", **more: str) -> bytes:
    """Return the body of Calendar v3's errors, with its spaces."""
    words = {"message": f"Said: {reason}.", "domain": domain, "reason": reason, **more}
    told = {"error": {"errors": [words], "code": status, "message": f"Said: {reason}."}}
    return json.dumps(told, indent=1).encode()


def status_of(status: int, name: str, reason: str) -> bytes:
    """Return the body of newer Google APIs: google.rpc.Status with an ErrorInfo."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    detail = {"@type": kind, "reason": reason, "domain": "googleapis.com"}
    told = {"code": status, "message": f"Said: {reason}.", "status": name, "details": [detail]}
    return json.dumps({"error": told}, indent=2).encode()


def _json(
    asked: str, status: int, body: bytes, means: Means, *headers: str, wait: int | None = None
) -> Told:
    return Told(
        asked=asked, status=status, body=body, kind=JSON, means=means, headers=headers, wait=wait
    )


def _html(asked: str, status: int, body: bytes, means: Means, *headers: str) -> Told:
    kind = "text/html; charset=UTF-8"
    return Told(asked=asked, status=status, body=body, kind=kind, means=means, headers=headers)


_SYNC = {"locationType": "parameter", "location": "syncToken"}
_MIN = {"locationType": "parameter", "location": "updatedMin"}
_USAGE = "usageLimits"
GOOGLE: tuple[Told, ...] = (
    _json(FEED, 400, error(400, "invalid", **_SYNC), Means.FULL_READ),
    _json(FEED, 400, error(400, "badRequest"), Means.MALFORMED),
    _json(LIST, 400, error(400, "invalidParameter"), Means.MALFORMED),
    _json(LIST, 400, error(400, "keyInvalid", _USAGE), Means.MALFORMED),
    _json(WRITE, 400, error(400, "timeRangeEmpty"), Means.REJECTED),
    _json(WRITE, 400, error(400, "required"), Means.REJECTED),
    _json(WRITE, 400, error(400, "malformedFocusTimeEvent", "calendar"), Means.REJECTED),
    _json(WRITE, 400, error(400, "cannotChangeOrganizer", "calendar"), Means.REJECTED),
    _json(LIST, 401, error(401, "authError"), Means.DEAD, "WWW-Authenticate: Bearer realm=x"),
    _json(FEED, 401, status_of(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"), Means.DEAD),
    _json(WRITE, 401, error(401, "required"), Means.DEAD),
    _html(LIST, 401, b"", Means.DEAD),
    _json(LIST, 403, error(403, "rateLimitExceeded", _USAGE), Means.THROTTLED),
    _json(FEED, 403, error(403, "userRateLimitExceeded", _USAGE), Means.THROTTLED),
    _json(WRITE, 403, error(403, "quotaExceeded", _USAGE), Means.THROTTLED),
    _json(LIST, 403, error(403, "dailyLimitExceeded", _USAGE), Means.THROTTLED),
    _json(LIST, 403, error(403, "variableTermLimitExceeded", _USAGE), Means.THROTTLED),
    _json(
        LIST, 403, status_of(403, "RESOURCE_EXHAUSTED", "userRateLimitExceeded"), Means.THROTTLED
    ),
    _json(
        *(LIST, 403, error(403, "rateLimitExceeded", _USAGE), Means.THROTTLED),
        "Retry-After: 25",
        wait=25,
    ),
    _json(LIST, 403, error(403, "accessNotConfigured", _USAGE), Means.OPERATOR),
    _json(LIST, 403, status_of(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), Means.OPERATOR),
    _json(LIST, 403, error(403, "insufficientPermissions"), Means.FORBIDDEN),
    _json(WRITE, 403, error(403, "forbidden"), Means.FORBIDDEN),
    _json(WRITE, 403, error(403, "forbiddenForNonOrganizer", "calendar"), Means.FORBIDDEN),
    _json(WRITE, 403, error(403, "requiredAccessLevel", "calendar"), Means.FORBIDDEN),
    _json(
        *(LIST, 403),
        status_of(403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        Means.FORBIDDEN,
    ),
    _html(LIST, 403, BLOCKED, Means.FORBIDDEN),
    _json(LIST, 404, error(404, "notFound"), Means.GONE),
    _json(WRITE, 404, error(404, "notFound"), Means.GONE),
    _html(LIST, 404, b"<html><title>Error 404 (Not Found)!!1</title>", Means.GONE),
    _html(LIST, 405, HTML, Means.MALFORMED, "Allow: GET, HEAD"),
    Told(asked=LIST, status=408, means=Means.TRANSIENT),
    _json(WRITE, 409, error(409, "duplicate"), Means.CONFLICT),
    _json(WRITE, 409, status_of(409, "ABORTED", "conflict"), Means.CONFLICT),
    _json(FEED, 410, error(410, "fullSyncRequired", "calendar", **_SYNC), Means.FULL_READ),
    _json(FEED, 410, error(410, "updatedMinTooLongAgo", "calendar", **_MIN), Means.FULL_READ),
    _html(FEED, 410, HTML, Means.FULL_READ),
    _json(WRITE, 410, error(410, "deleted"), Means.GONE),
    _json(LIST, 410, error(410, "deleted"), Means.GONE),
    _json(WRITE, 412, error(412, "conditionNotMet"), Means.CONFLICT),
    _html(LIST, 413, b"", Means.MALFORMED),
    _html(WRITE, 413, b"", Means.REJECTED),
    _html(LIST, 414, b"", Means.MALFORMED),
    Told(asked=LIST, status=425, means=Means.TRANSIENT),
    _json(LIST, 429, error(429, "rateLimitExceeded", _USAGE), Means.THROTTLED),
    _json(LIST, 429, status_of(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT"), Means.THROTTLED),
    Told(asked=FEED, status=429, headers=("Retry-After: 90",), means=Means.THROTTLED, wait=90),
    Told(
        asked=WRITE,
        status=429,
        headers=("Retry-After: Fri, 20 Nov 2026 09:00:45 GMT",),
        means=Means.THROTTLED,
        wait=45,
    ),
    Told(asked=LIST, status=429, headers=("Retry-After: a while",), means=Means.THROTTLED),
    _json(LIST, 500, error(500, "backendError"), Means.TRANSIENT),
    _json(WRITE, 500, error(500, "backendError"), Means.TRANSIENT),
    Told(asked=LIST, status=501, means=Means.MALFORMED),
    _html(LIST, 502, HTML, Means.TRANSIENT),
    _json(LIST, 503, status_of(503, "UNAVAILABLE", "backendError"), Means.TRANSIENT),
    Told(asked=LIST, status=503, headers=("Retry-After: 8",), means=Means.THROTTLED, wait=8),
    Told(asked=LIST, status=504, means=Means.TRANSIENT),
    _html(LIST, 302, b"Moved", Means.MALFORMED, "Location: https://accounts.google.com/signin"),
    _html(LIST, 200, b"<html><title>Sign in - Google Accounts</title>", Means.MALFORMED),
    _json(LIST, 200, b"", Means.MALFORMED),
    _json(LIST, 200, b"[]", Means.MALFORMED),
    _json(LIST, 200, b"{}", Means.MALFORMED),
    _json(CALENDARS, 200, b'{"kind":"calendar#calendarList","items":{}}', Means.MALFORMED),
    _json(LIST, 200, ITEMS + b'"items":[]', Means.MALFORMED),
    _json(FEED, 200, ITEMS + b'"items":[]}', Means.MALFORMED),
    _json(
        FEED, 200, ITEMS + b'"items":[{"status":"cancelled"}],"nextSyncToken":"x"}', Means.MALFORMED
    ),
    _json(FEED, 200, ITEMS + b'"items":[],"nextPageToken":"same"}', Means.MALFORMED),
    _json(FEED, 200, ITEMS + b'"items":[],"nextSyncToken":""}', Means.MALFORMED),
    _json(FEED, 200, b'{"error":{"code":200}}', Means.MALFORMED),
    Told(asked=FEED, status=204, means=Means.MALFORMED),
)
