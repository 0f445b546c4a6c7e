"""A calendar as it truly is, and what goes wrong at its server."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import count

from syncd.model.calendar import Calendar
from syncd.model.contact import Contact
from syncd.model.errors import SyncdError, SyncTokenExpiredError
from syncd.model.event import Event
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import Resource

etags, _births = count(1), count(1)


@dataclass
class FakeCalendar:
    """One calendar as it truly is; ``log`` names the keys that changed, oldest first."""

    calendar: Calendar
    resources: dict[ResourceKey, Resource] = field(default_factory=dict)
    log: list[ResourceKey] = field(default_factory=list)
    born: int = field(default_factory=lambda: next(_births))  # a name of another life is unknown

    def put(self, key: str, *events: Event) -> None:
        """Write a resource, as a person does."""
        self._write(Resource(key=ResourceKey(key), events=events))

    def put_contact(self, key: str, contact: Contact) -> None:
        """Write a resource of an address book."""
        self._write(Resource(key=ResourceKey(key), contact=contact))

    def _write(self, resource: Resource) -> None:
        etag = f'"{next(etags)}"'
        self.resources[resource.key] = replace(resource, etag=etag, raw=b"BEGIN")
        self.log.append(resource.key)

    def remove(self, key: str) -> None:
        """Delete a resource."""
        del self.resources[ResourceKey(key)]
        self.log.append(ResourceKey(key))

    def rename(self, key: str, new: str) -> None:
        """Give a resource another key, as servers do that move files."""
        events = self.resources[ResourceKey(key)].events
        self.remove(key)
        self.put(new, *events)

    @property
    def token(self) -> SyncToken:
        """Return the end of the log."""
        return SyncToken(f"log-{self.born}-{len(self.log)}")

    def since(self, token: SyncToken) -> list[ResourceKey]:
        """Return the keys that changed; raises SyncTokenExpiredError for another log's token."""
        _, born, place = token.split("-")
        if int(born) != self.born:
            raise SyncTokenExpiredError("this token is not of this calendar")
        return list(dict.fromkeys(self.log[int(place) :]))


@dataclass
class Faults:
    """What goes wrong, until it is put right; errors are raised at the named place."""

    opening: SyncdError | None = None
    listing: SyncdError | None = None  # of the list of calendars
    books: SyncdError | None = None  # of everything that is asked of address books
    reading: SyncdError | None = None  # before any page
    feeding: SyncdError | None = None  # the same, of what is asked with a token
    broken_after: int | None = None  # pages, then ``breaking`` is raised
    breaking: SyncdError | None = None
    hidden: set[CalendarKey] = field(default_factory=set)  # left out of the list, and 404
    expired: bool = False  # every token is refused
    expires_after: int | None = None  # pages of a feed, then the token is refused
    empty: bool = False  # a listing claims to be complete and holds nothing
    restless: bool = False  # etags change with every look
    lossy: bool = False  # the change feed forgets every second change
    unread: set[ResourceKey] = field(default_factory=set)  # bodies that cannot be understood
    partly: set[ResourceKey] = field(default_factory=set)  # bodies whose last event is broken
    no_tokens: bool = False
    writing: SyncdError | None = None  # of every write, before anything is done
    answering: SyncdError | None = None  # of every write, after it was done
    blurred: bool = False  # what a write answers cannot be read
    looking: Callable[[], Awaitable[None]] | None = None  # called while pages are on their way
    before: Callable[[], Awaitable[None]] | None = None  # called while a write is on its way
    after: Callable[[], Awaitable[None]] | None = None  # called while its answer is
