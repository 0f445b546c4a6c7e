"""What Google's refusals mean (providers.md §3): status, reason, and what was asked."""

import json
from datetime import timedelta

import pytest

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.ports.passing import Passed
from syncd.providers.google.refusals import (
    DisabledError,
    DuplicateError,
    Refused,
    refusal,
)
from tests.providers.google import google_desk
from tests.servers.discovery import calendar_api
from tests.servers.google import Fault, GoogleServer

READ, FEED, WRITE = "read", "feed", "write"


def body(reason: str, domain: str = "global", location: str | None = None) -> bytes:
    told = {"domain": domain, "reason": reason, "message": "words"}
    if location:
        told |= {"locationType": "parameter", "location": location}
    return json.dumps({"error": {"errors": [told], "code": 0, "message": "words"}}).encode()


def detail(reason: str) -> bytes:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    told = {"@type": kind, "reason": reason, "domain": "googleapis.com"}
    return json.dumps({"error": {"code": 403, "message": "words", "details": [told]}}).encode()


def precondition() -> bytes:
    """As People has answered for a token that had died, with no reason beside."""
    words = "Sync token is expired. Clear local cache and retry call without the sync token."
    told = {"code": 400, "message": words, "status": "FAILED_PRECONDITION"}
    return json.dumps({"error": told}).encode()


@pytest.mark.parametrize(
    ("status", "answer", "asked", "error"),
    [
        (400, body("badRequest"), READ, MalformedReplyError),
        (400, body("invalid", location="syncToken"), FEED, SyncTokenExpiredError),
        (400, body("invalid", location="pageToken"), FEED, MalformedReplyError),
        (400, body("invalid"), WRITE, InvalidError),
        (401, body("authError"), READ, RelinkRequiredError),
        (401, b"", WRITE, RelinkRequiredError),
        (403, body("rateLimitExceeded", "usageLimits"), READ, TransientError),
        (403, body("userRateLimitExceeded"), WRITE, TransientError),
        (403, body("quotaExceeded"), WRITE, TransientError),
        (403, body("dailyLimitExceeded"), READ, TransientError),
        (403, body("somethingNew", "usageLimits"), READ, TransientError),
        (403, body("accessNotConfigured", "usageLimits"), READ, DisabledError),
        (403, detail("SERVICE_DISABLED"), READ, DisabledError),
        (403, detail("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), READ, ForbiddenError),
        (403, detail("RATE_LIMIT_EXCEEDED"), READ, TransientError),
        (400, detail("EXPIRED_SYNC_TOKEN"), FEED, SyncTokenExpiredError),
        (410, detail("EXPIRED_SYNC_TOKEN"), FEED, SyncTokenExpiredError),
        (400, precondition(), FEED, SyncTokenExpiredError),
        (400, precondition(), READ, MalformedReplyError),
        (400, precondition(), WRITE, InvalidError),
        (403, body("insufficientPermissions"), READ, ForbiddenError),
        (403, body("forbidden"), WRITE, ForbiddenError),
        (403, body("forbiddenForNonOrganizer"), WRITE, ForbiddenError),
        (403, body("requiredAccessLevel"), WRITE, ForbiddenError),
        (403, b"<html>no</html>", READ, ForbiddenError),
        (404, body("notFound"), READ, NotFoundError),
        (405, b"", READ, MalformedReplyError),
        (408, b"", READ, TransientError),
        (409, body("duplicate"), WRITE, DuplicateError),
        (409, body("conflict"), WRITE, ConflictError),
        (410, body("fullSyncRequired"), FEED, SyncTokenExpiredError),
        (410, body("updatedMinTooLongAgo"), READ, SyncTokenExpiredError),
        (410, b"<html>", FEED, SyncTokenExpiredError),
        (410, body("deleted"), WRITE, NotFoundError),
        (410, body("deleted"), FEED, NotFoundError),
        (412, body("conditionNotMet"), WRITE, ConflictError),
        (418, b"", READ, MalformedReplyError),
        (418, b"", WRITE, InvalidError),
        (425, b"", READ, TransientError),
        (429, body("rateLimitExceeded"), READ, TransientError),
        (500, body("backendError"), READ, TransientError),
        (501, b"", READ, MalformedReplyError),
        (503, b"", READ, TransientError),
        (507, b"", READ, TransientError),
        (302, b"", READ, MalformedReplyError),
    ],
)
def test_an_answer_is_classified_by_reason_then_by_status(
    status: int, answer: bytes, asked: str, error: type[SyncdError]
) -> None:
    """G10."""
    given = Refused(status=status, body=answer, writes=asked == WRITE, feed=asked == FEED)
    found = refusal(given)
    assert type(found) is error or (error is TransientError and isinstance(found, error))
    assert str(status) in str(found)


def test_only_a_throttle_names_a_time() -> None:
    wait = timedelta(seconds=9)
    throttled = refusal(Refused(status=503, body=b"", wait=wait, waits=True))
    assert isinstance(throttled, TransientError)
    assert throttled.retry_after == wait
    down = refusal(Refused(status=500, body=b"", wait=wait, waits=True))
    assert isinstance(down, TransientError)
    assert down.retry_after is None


async def test_requests_of_a_callers_own_go_to_google_only() -> None:
    """K29, P12."""
    async with GoogleServer().running() as server, google_desk(server) as desk:
        told = await desk.provider.passed(Passed(method="GET", uri="/calendar/v3/colors"))
        assert (told.status, told.content_type) == (200, "application/json; charset=utf-8")
        server.faults.append(Fault(404, reason="notFound"))
        told = await desk.provider.passed(Passed(method="GET", uri=f"{server.url}/colors"))
        assert told.status == 404
        for uri in ("https://example.org/x", "//example.org/x", "http://u@127.0.0.1/"):
            with pytest.raises(InvalidError):
                await desk.provider.passed(Passed(method="GET", uri=uri))


def test_google_still_refuses_what_we_never_send_with_a_token() -> None:
    """G2: a new revision that changes this should be noticed."""
    listing = calendar_api().document["resources"]["events"]["methods"]["list"]["parameters"]
    told = listing["syncToken"]["description"]
    for name in ("iCalUID", "orderBy", "q", "timeMin", "timeMax", "updatedMin"):
        assert f"- {name}" in told
    assert "410 GONE" in told
    assert "showDeleted and singleEvents are both False" in listing["showDeleted"]["description"]


async def test_the_judge_notices_what_the_document_does_not_know() -> None:
    """10.4: negative controls."""
    listing = calendar_api().method("GET", "calendars/x/events")
    patch = calendar_api().method("PATCH", "calendars/x/events/y")
    assert listing is not None
    assert patch is not None
    assert calendar_api().faults(listing, {"since": "x"}, None)
    assert calendar_api().faults(patch, {}, {"subject": "x"})
    assert not calendar_api().faults(patch, {"sendUpdates": "all"}, {"summary": None})
    assert calendar_api().answer_faults(listing, {"items": [{"id": 1}]})
    assert calendar_api().answer_faults(listing, {"values": []})
