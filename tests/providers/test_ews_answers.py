"""What an answer of Exchange means: every code, every status, every body (providers.md §3)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from exchangelib import errors as theirs
from requests import Response

from syncd.model.edit import EventEdit
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    ThrottledError,
    TransientError,
)
from syncd.model.ids import WHOLE
from syncd.providers.answers import PassingError, UnansweredError
from syncd.providers.ews.calls import Verdict
from syncd.providers.ews.line import Line
from syncd.providers.ews.refusals import Refused, StrangeError, refusal, status_refusal
from tests.fakes.clock import FakeClock
from tests.providers.ews import EwsDesk, at, event, ews_desk
from tests.servers.ews import EwsServer, Fault
from tests.servers.ews_xml import answer, envelope, good

CODES: dict[str, type[SyncdError]] = {
    "ErrorServerBusy": ThrottledError,
    "ErrorExceededConnectionCount": ThrottledError,
    "ErrorTooManyObjectsOpened": ThrottledError,
    "ErrorTimeoutExpired": ThrottledError,
    "ErrorInternalServerTransientError": PassingError,
    "ErrorMailboxMoveInProgress": PassingError,
    "ErrorMailboxStoreUnavailable": PassingError,
    "ErrorMailboxFailover": PassingError,
    "ErrorInternalServerError": StrangeError,
    "ErrorInvalidSyncStateData": SyncTokenExpiredError,
    "ErrorItemNotFound": NotFoundError,
    "ErrorFolderNotFound": NotFoundError,
    "ErrorSyncFolderNotFound": NotFoundError,
    "ErrorAccessDenied": ForbiddenError,
    "ErrorImpersonateUserDenied": ForbiddenError,
    "ErrorNonExistentMailbox": ForbiddenError,
    "ErrorAccountDisabled": RelinkRequiredError,
    "ErrorPasswordExpired": RelinkRequiredError,
    "ErrorPasswordChangeRequired": RelinkRequiredError,
    "ErrorIrresolvableConflict": ConflictError,
    "ErrorChangeKeyRequired": ConflictError,
    "ErrorFolderExists": ConflictError,
    "ErrorSchemaValidation": MalformedReplyError,
    "ErrorInvalidRequest": MalformedReplyError,
}
REFUSED_CONTENT = (
    *("ErrorCalendarEndDateIsEarlierThanStartDate", "ErrorCalendarInvalidRecurrence"),
    *("ErrorInvalidPropertySet", "ErrorInvalidRecipients", "ErrorPropertyUpdate"),
    *("ErrorCannotDeleteObject", "ErrorDeleteDistinguishedFolder", "ErrorQuotaExceeded"),
    "ErrorMessageSizeExceeded",
)
TREE = (TransientError, RelinkRequiredError, MalformedReplyError, ForbiddenError, InvalidError)
RIGHT = envelope(answer("SyncFolderItems", good("SyncFolderItems")), "15.1.2507.6")
BODIES = {
    "empty": (b"", "text/xml"),
    "html": (b"<html><body>Sign in</body></html>", "text/html"),
    "html as xml": (b"<html><body>Sign in</body></html>", "text/xml"),
    "cut": (RIGHT[: len(RIGHT) // 2], "text/xml"),
    "no members": (RIGHT, "text/xml"),
    "json": (b"{}", "application/json"),
    "entities": (b'<!DOCTYPE x [<!ENTITY a "b">]>' + RIGHT.partition(b"?>")[2], "text/xml"),
}


@pytest.fixture
async def desk() -> AsyncIterator[EwsDesk]:
    async with EwsServer().running() as server, ews_desk(server) as one:
        server.put("a", *event("A", at(24)))
        await one.read()
        yield one


def test_exchangelib_knows_every_code_of_the_table_and_none_is_named_twice() -> None:
    """A class of exchangelib's has the name of the code; what it lacks would come as unknown."""
    for code in (*CODES, *REFUSED_CONTENT):
        assert issubclass(getattr(theirs, code), theirs.EWSError), code


@pytest.mark.parametrize(("code", "error"), CODES.items())
def test_a_code_is_classified(code: str, error: type[SyncdError]) -> None:
    for writes in (False, True):
        found = refusal(Refused(code=code, message="words", writes=writes))
        assert type(found) is error
        assert code in str(found)


@pytest.mark.parametrize("code", REFUSED_CONTENT)
def test_what_a_write_sends_is_refused_in_exchanges_words(code: str) -> None:
    found = refusal(Refused(code=code, message="words", writes=True))
    assert isinstance(found, InvalidError)
    assert "words" in str(found)
    assert isinstance(refusal(Refused(code=code)), StrangeError)


@pytest.mark.parametrize(("code", "error"), CODES.items())
async def test_a_code_means_the_same_in_a_fault_and_in_a_message(
    desk: EwsDesk, code: str, error: type[SyncdError]
) -> None:
    """E2: on the wire, through exchangelib."""
    for message in (False, True):
        desk.server.faults = [Fault(code=code, message=message, times=3)]
        with pytest.raises(error) as found:
            await desk.read()
        assert type(found.value) is error
        assert code in str(found.value) or error is MalformedReplyError


async def test_an_unknown_code_passes(desk: EwsDesk) -> None:
    for message in (False, True):
        desk.server.faults = [Fault(code="ErrorBrandNew", message=message, times=9)]
        with pytest.raises(TransientError):
            await desk.read()
        desk.server.faults = [Fault(code="ErrorBrandNew", message=message)]
        await desk.read()  # a second try


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault(code="ErrorServerBusy", back_off=7000), timedelta(seconds=7)),
        (Fault(code="ErrorServerBusy", back_off=0), timedelta(seconds=30)),
        (Fault(code="ErrorServerBusy", back_off=10**9), timedelta(hours=1)),
        (Fault(code="ErrorServerBusy"), None),
        (
            Fault(code="ErrorServerBusy", message=True, text="Backoff time 5000 milliseconds"),
            timedelta(seconds=5),
        ),
        (
            Fault(code="ErrorServerBusy", message=True, text="back off time 0 milliseconds"),
            timedelta(seconds=30),
        ),
        (Fault(code="ErrorServerBusy", message=True), None),
        (Fault(status=503, headers={"Retry-After": "120"}), timedelta(minutes=2)),
        (Fault(status=429, headers={"Retry-After": "soon"}), None),
        (Fault(status=429), None),
    ],
)
async def test_a_throttle_says_how_long(
    desk: EwsDesk, fault: Fault, wait: timedelta | None
) -> None:
    """E3, P13: nothing is tried again by itself, and no thread sleeps."""
    desk.server.asked.clear()
    desk.server.faults = [fault]
    with pytest.raises(TransientError) as found:
        await desk.read()
    assert found.value.retry_after == wait
    assert not isinstance(found.value, PassingError)
    assert len(desk.server.asked) == 1


@pytest.mark.parametrize(
    ("status", "reads", "writes"),
    [
        (400, MalformedReplyError, MalformedReplyError),
        (401, RelinkRequiredError, RelinkRequiredError),
        (403, ForbiddenError, ForbiddenError),
        (404, MalformedReplyError, MalformedReplyError),
        (405, MalformedReplyError, MalformedReplyError),
        (408, TransientError, TransientError),
        (409, MalformedReplyError, InvalidError),
        (410, MalformedReplyError, InvalidError),
        (412, MalformedReplyError, InvalidError),
        (413, MalformedReplyError, InvalidError),
        (418, MalformedReplyError, InvalidError),
        (423, TransientError, TransientError),
        (425, TransientError, TransientError),
        (429, TransientError, TransientError),
        (500, TransientError, TransientError),
        (501, MalformedReplyError, MalformedReplyError),
        (503, TransientError, TransientError),
        (507, TransientError, TransientError),
        (302, MalformedReplyError, MalformedReplyError),
        (201, MalformedReplyError, MalformedReplyError),
    ],
)
def test_a_status_is_classified(
    status: int, reads: type[SyncdError], writes: type[SyncdError]
) -> None:
    for asked, error in ((False, reads), (True, writes)):
        found = status_refusal(status, wait=None, waits=False, writes=asked)
        assert isinstance(found, error), (status, asked)
        assert str(status) in str(found)


def test_only_200_is_an_answer() -> None:
    """P1."""
    for writes in (False, True):
        for status in range(100, 600):
            found = status_refusal(status, wait=None, waits=False, writes=writes)
            assert (found is None) == (status == 200), status
            assert found is None or isinstance(found, TREE)


@pytest.mark.parametrize("body", BODIES)
def test_every_status_with_every_body_is_judged(body: str) -> None:
    """P1: what the judge lets pass is a 200 that says XML, and parsing decides on that."""
    content, kind = BODIES[body]
    verdict = Verdict(Line(lambda *_: True, FakeClock()), FakeClock())
    for status in range(100, 600):
        response = Response()
        response.status_code, response._content = status, content
        response.headers["Content-Type"] = kind
        if status == 200 and kind == "text/xml":
            verdict.raise_response_errors(response)
            continue
        with pytest.raises(TREE):
            verdict.raise_response_errors(response)


@pytest.mark.parametrize("body", BODIES)
async def test_statuses_with_every_body_are_errors_of_the_tree_on_the_wire(
    desk: EwsDesk, body: str
) -> None:
    """P1: never an empty page."""
    content, kind = BODIES[body]
    for status in (*range(200, 210), *range(300, 310), *range(400, 440), *range(500, 520)):
        if status in (204, 304) and content:
            continue  # these have no body
        desk.server.faults = [Fault(status=status, body=content, kind=kind, times=9)]
        with pytest.raises(TREE):
            await desk.read()


async def test_half_an_answer_and_none_at_all_pass(desk: EwsDesk) -> None:
    """P1: a body that is shorter than it says, a connection that is dropped."""
    for fault in (Fault(cut=True, times=9), Fault(after=True, times=9)):
        desk.server.faults = [fault]
        with pytest.raises(TransientError):
            await desk.read()
        desk.server.faults = [Fault(cut=True), Fault(after=True)]
        await desk.read()


async def test_a_write_without_an_answer_may_have_been_done(desk: EwsDesk) -> None:
    """P11."""
    desk.server.faults = [Fault(after=True, operation="UpdateItem")]
    with pytest.raises(UnansweredError):
        await desk.provider.update_event(desk.key, desk.raw("a"), WHOLE, EventEdit(name="New"))
    assert desk.server.calendar.items["a"].text("Subject") == "New"


async def test_a_fault_in_a_503_is_read_by_its_code(desk: EwsDesk) -> None:
    desk.server.faults = [Fault(status=503, code="ErrorInvalidSyncStateData")]
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
