"""Every answer becomes a page or one error of the tree; never an empty page by mistake (P1, F3)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.ids import CalendarKey, ProfileId, ResourceKey, UserId
from syncd.model.profile import Profile
from syncd.ports.provider import Provider
from syncd.providers.caldav.state import State
from tests.fakes.clock import BEGIN, FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.follow import Follower, new_adapter
from tests.servers.raw import RawServer, answer

CUT = b'<multistatus xmlns="DAV:"><response><href>/cal/a.ics</href>'
BODIES = {
    "empty": (b"", "text/xml"),
    "html": (b"<html><body>Sign in</body></html>", "text/html"),
    "json": (b'{"items": []}', "application/json"),
    "cut": (CUT, "text/xml"),
}
KEY = CalendarKey("/cal/")


def meant(status: int) -> type[SyncdError] | tuple[type[SyncdError], ...]:
    """Return providers.md's table once more, in other words."""
    exact: dict[int, type[SyncdError]] = {
        401: RelinkRequiredError,
        403: ForbiddenError,
        404: NotFoundError,
        410: NotFoundError,
        501: MalformedReplyError,
        **dict.fromkeys((408, 423, 425, 429), TransientError),
        507: MalformedReplyError,
    }
    if status in exact:
        return exact[status]
    if status < 200:  # it announces another answer, which never comes, or is no HTTP
        return MalformedReplyError, TransientError
    return TransientError if status >= 500 else MalformedReplyError


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with RawServer.running() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def provider(raw: RawServer, clock: FakeClock) -> AsyncIterator[Provider]:
    async with (
        new_adapter(clock) as adapter,
        adapter.open(_profile(raw.url), FakeKeys.password("x")) as one,
    ):
        yield one


def _profile(home: str) -> Profile:
    return Profile(
        id=ProfileId(1),
        user_id=UserId("acc_1"),
        provider="caldav",
        login="alice",
        identity="",
        created=BEGIN,
        modified=BEGIN,
        state_since=BEGIN,
        settings={"homes": home},
    )


@pytest.mark.parametrize("body", BODIES)
async def test_every_status_of_a_calendar_list_is_the_right_error(
    raw: RawServer, provider: Provider, body: str
) -> None:
    for status in range(100, 600):
        raw.told = answer(status, BODIES[body][0], kind=BODIES[body][1])
        with pytest.raises(SyncdError) as caught:
            await provider.calendars()
        assert isinstance(caught.value, meant(status)), (status, repr(caught.value))


@pytest.mark.parametrize("body", BODIES)
async def test_every_status_of_a_change_feed_is_the_right_error(
    raw: RawServer, provider: Provider, body: str
) -> None:
    follower = Follower(provider, KEY)
    follower.token = State(sync="theirs").text()
    for status in range(100, 600):
        raw.told = answer(status, BODIES[body][0], kind=BODIES[body][1])
        wanted = SyncTokenExpiredError if status == 410 else meant(status)
        with pytest.raises(SyncdError) as caught:
            await follower.read()
        assert isinstance(caught.value, wanted), (status, repr(caught.value))


@pytest.mark.parametrize("body", BODIES)
async def test_every_status_of_a_full_read_is_the_right_error(
    raw: RawServer, provider: Provider, body: str
) -> None:
    follower = Follower(provider, KEY)
    for status in range(200, 600):
        raw.told = answer(status, BODIES[body][0], kind=BODIES[body][1])
        with pytest.raises(SyncdError) as caught:
            await follower.read()
        assert isinstance(caught.value, meant(status)), (status, repr(caught.value))


EMPTY = '<multistatus xmlns="DAV:">{}</multistatus>'
NEXT = "<sync-token>next</sync-token>"


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(answer(207, EMPTY.format("").encode()), id="no token"),
        pytest.param(answer(207, EMPTY.format("<sync-token/>").encode()), id="empty token"),
        pytest.param(answer(207, b"<html/>"), id="another root"),
        pytest.param(answer(207, b"<!DOCTYPE x []>" + EMPTY.format(NEXT).encode()), id="DOCTYPE"),
        pytest.param(answer(200, EMPTY.format(NEXT).encode()), id="200"),
        pytest.param(answer(207, EMPTY.format(NEXT).encode(), kind="text/plain"), id="kind"),
        pytest.param(
            answer(207, EMPTY.format(f"<response/>{NEXT}").encode()), id="no href in a response"
        ),
        pytest.param(
            answer(
                207,
                EMPTY.format(
                    "<response><href>/cal/</href><status>HTTP/1.1 507 x</status></response>"
                    "<sync-token>theirs</sync-token>"
                ).encode(),
            ),
            id="507 with the same token (F10)",
        ),
    ],
)
async def test_an_answer_that_proves_nothing_is_malformed(
    raw: RawServer, provider: Provider, told: bytes
) -> None:
    follower = Follower(provider, KEY)
    follower.token = State(sync="theirs").text()
    raw.told = told
    with pytest.raises(MalformedReplyError):
        await follower.read()
    assert len(raw.asked) <= 2


async def test_only_a_whole_answer_says_that_nothing_changed(
    raw: RawServer, provider: Provider
) -> None:
    follower = Follower(provider, KEY)
    follower.token = State(sync="theirs").text()
    raw.told = answer(207, EMPTY.format(NEXT).encode())
    assert (await follower.read()).empty
    assert follower.token == State(sync="next").text()


async def test_one_response_may_name_all_that_is_gone(raw: RawServer, provider: Provider) -> None:
    """D11, RFC 4918 §14.24."""
    follower = Follower(provider, KEY)
    follower.token = State(sync="theirs").text()
    hrefs = "".join(f"<href>/cal/{name}.ics</href>" for name in "abc")
    gone = f"<response>{hrefs}<status>HTTP/1.1 404 Not Found</status></response>"
    raw.told = answer(207, EMPTY.format(gone + NEXT).encode())
    (page,) = (await follower.read()).pages
    assert page.deleted == {ResourceKey(f"/cal/{name}.ics") for name in "abc"}


async def test_a_listing_without_responses_is_malformed(raw: RawServer, provider: Provider) -> None:
    """F1: it would be a deletion of everything."""
    follower = Follower(provider, KEY)
    follower.token = State(ctag="1").text()
    raw.told = answer(207, EMPTY.format("").encode())
    for full in (False, True):
        with pytest.raises(MalformedReplyError):
            await follower.read(full=full)
    with pytest.raises(MalformedReplyError):
        await provider.calendars()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("Fri, 20 Nov 2026 09:00:30 GMT", 30),
        ("Fri, 20 Nov 2026 08:00:00 GMT", 0),
        ("99999999999999999999", 3600),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_throttle_is_obeyed_and_not_tried_again(
    raw: RawServer, provider: Provider, status: int, header: str, seconds: int | None
) -> None:
    """``Retry-After`` in seconds or as a date, at most an hour; garbage leaves it to us."""
    await _settle(raw, provider)
    raw.told = answer(status, b"", f"Retry-After: {header}")
    with pytest.raises(TransientError) as caught:
        await provider.calendars()
    assert caught.value.retry_after == (None if seconds is None else timedelta(seconds=seconds))
    assert len(raw.asked) == 1


async def test_a_passing_failure_is_tried_three_times_with_pauses(
    raw: RawServer, provider: Provider, clock: FakeClock
) -> None:
    await _settle(raw, provider)
    raw.told = answer(502)
    with pytest.raises(TransientError):
        await provider.calendars()
    assert len(raw.asked) == 3
    assert timedelta() < clock.now() - BEGIN <= timedelta(seconds=2.5)


async def _settle(raw: RawServer, provider: Provider) -> None:
    """Let the way to sign in be known, so that requests can be counted."""
    raw.told = answer(404)
    with pytest.raises(NotFoundError):
        await provider.calendars()
    raw.asked.clear()
