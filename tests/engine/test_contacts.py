"""Address books in polls: what they suffer is theirs alone, and they ask for little (ADR 19)."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from syncd.engine.control import Control
from syncd.engine.poll import LISTED_EVERY
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.contact import Contact
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.profile import State
from tests.engine.ground import INTERVAL, Ground, event
from tests.fakes.provider import FakeCalendar, Faults

HOUR = timedelta(hours=1)
FAILURES = [
    TransientError("503"),
    TransientError("429", retry_after=HOUR),
    RelinkRequiredError("refused"),
    ForbiddenError("no"),
    MalformedReplyError("a web page"),
    NotFoundError("gone"),
    MisconfiguredError("odd"),
]


def person(name: str) -> Contact:
    return Contact(uid=name, name=name)


async def book_of(here: Ground) -> KnownCalendar:
    (found,) = await here.store.calendars(here.profile_id, holds=Holds.CONTACTS)
    return found


async def begun(here: Ground, count: int = 3) -> FakeCalendar:
    """Read a calendar and an address book."""
    here.server.add("/work/").put("a.ics", event("Review"))
    book = here.server.add_book("/people/")
    for number in range(count):
        book.put_contact(f"{number}.vcf", person(f"No {number}"))
    assert (await here.poll(listing=True)).error is None
    return book


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_a_failing_address_book_never_makes_calendars_fail(
    here: Ground, failure: SyncdError
) -> None:
    """Whatever it says, and however long: no state, no back-off, no disconnection."""
    book = await begun(here)
    here.server.faults.books = failure
    work = next(iter(here.server.calendars.values()))
    for number in range(10):
        work.put(f"{number}.ics", event(f"Event {number}"))
        polled = await here.poll(listing=True, after=timedelta(minutes=20))
        assert (polled.error, polled.activities) == (None, 1)
    profile = await here.profile()
    assert (profile.state, profile.failures, profile.last_error) == (State.CONNECTED, 0, None)
    assert (await book_of(here)).failures > 0
    assert (await book_of(here)).last_error
    here.server.faults = Faults()
    book.put_contact("new.vcf", person("New"))
    polled = await here.poll(listing=True, after=timedelta(days=1))
    assert (polled.error, polled.activities) == (None, 1)
    assert ((await book_of(here)).failures, (await book_of(here)).last_error) == (0, None)


async def test_address_books_that_begin_to_fail_are_told_of_once(here: Ground) -> None:
    """Style §6: a change of state is an info line; the same again is none."""
    await begun(here)
    here.server.faults.books = ForbiddenError("no scope")
    with capture_logs() as lines:
        for _ in range(3):
            await here.poll(listing=True, after=timedelta(days=2))
    told = [one for one in lines if one["event"] == "contacts.failing"]
    assert [(one["log_level"], one["reason"]) for one in told] == [("info", "no scope")]


async def test_a_first_read_does_not_wait_for_address_books_that_fail(here: Ground) -> None:
    here.server.add("/work/").put("a.ics", event("Review"))
    here.server.add_book("/people/").put_contact("a.vcf", person("Ada"))
    here.server.faults.books = TransientError("503")
    await here.poll(listing=True)
    assert (await here.profile()).state is State.CONNECTED
    here.server.faults = Faults()
    await here.poll(listing=True)
    assert (await here.told())[-1] == "add contact Ada"


async def test_what_the_first_read_finds_of_contacts_is_before_after_auth(here: Ground) -> None:
    """K36: who asks for what is new is not told of old contacts."""
    await begun(here)
    stream = await here.store.stream(here.profile_id)
    told = await here.told()
    assert stream.after_auth is not None
    assert not [one for one in told[stream.after_auth :] if "contact" in one]
    assert len([one for one in told if "add contact" in one]) == 3


async def test_address_books_are_looked_at_with_the_list_of_calendars(here: Ground) -> None:
    book = await begun(here)
    book.put_contact("new.vcf", person("New"))
    reads = len(here.server.reads)
    assert (await here.poll()).activities == 0
    assert len(here.server.reads) == reads
    assert (await here.poll(after=LISTED_EVERY)).activities == 1


async def test_a_poll_that_broke_off_looks_at_address_books_again(here: Ground) -> None:
    book = await begun(here)
    here.server.faults.reading = TransientError("503")
    next(iter(here.server.calendars.values())).put("b.ics", event("New"))
    book.put_contact("new.vcf", person("New"))
    assert (await here.poll(listing=True)).error is not None
    here.server.faults = Faults()
    assert (await here.poll(after=INTERVAL * 2)).activities == 2


async def test_an_emptied_address_book_is_held_and_confirmed_i7(here: Ground) -> None:
    book = await begun(here, count=30)
    for number in range(30):
        book.remove(f"{number}.vcf")
    here.server.faults.expired = True  # so that only absence tells
    assert (await here.poll(listing=True)).activities == 0
    profile = await here.profile()
    assert profile.state is State.SUSPECT
    known = await book_of(here)
    assert (await here.store.tallies(here.profile_id))[known.id].suspect_deletes == 30
    control = Control(here.store, here.hub, here.clock)
    head = await here.head()
    await control.confirm_deletes(here.profile_id, known.id)
    assert (await here.profile()).state is State.CONNECTED
    told = await here.told(head)
    assert len([one for one in told if one.startswith("delete contact")]) == 30


async def test_an_unread_card_stays_and_is_told_of_i10(here: Ground) -> None:
    """N10."""
    book = await begun(here)
    here.server.faults.unread = {key for key in book.resources if key.startswith("1")}
    book.put_contact("1.vcf", person("Broken"))
    assert (await here.poll(listing=True)).activities == 0
    ((calendar, fault),) = await here.store.faults(here.profile_id)
    assert (calendar, fault.key) == ((await book_of(here)).id, "1.vcf")
    here.server.faults = Faults()
    book.put_contact("1.vcf", person("Whole"))
    assert (await here.poll(listing=True)).activities == 1
    assert not await here.store.faults(here.profile_id)


async def test_a_removed_profile_keeps_no_contact(here: Ground) -> None:
    await begun(here)
    (known,) = await here.store.calendars(here.profile_id, holds=Holds.CONTACTS)
    await Control(here.store, here.hub, here.clock).remove(here.profile_id)
    assert not await here.store.etags(known.id)
    assert not await here.store.calendars(here.profile_id, holds=None, removed=True)
    assert not await here.store.check()


async def test_a_calendar_that_becomes_an_address_book_is_deleted_first(here: Ground) -> None:
    """One key, one row: it comes back as what it is now, under its id."""
    await begun(here)
    work = next(iter(here.server.calendars))
    del here.server.calendars[work]
    here.server.add_book(work, "Was work").put_contact("a.vcf", person("Ada"))
    head = await here.head()
    for _ in range(5):
        assert (await here.poll(listing=True, after=INTERVAL * 2)).error is None
    assert await here.told(head) == [
        "delete event Review",
        "delete calendar Work",
        "add contact Ada",
    ]
