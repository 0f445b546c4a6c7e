"""Exchange asked asynchronously: the answers' messages, or an error of the tree (E1-E5)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from exchangelib.version import Version
from lxml.etree import _Element as Element

from syncd.model.errors import MalformedReplyError, RelinkRequiredError, SyncdError
from syncd.ports.clock import Clock
from syncd.ports.passing import sent_along
from syncd.providers.ews import payloads
from syncd.providers.ews.autodiscover import Told, user_settings
from syncd.providers.ews.calls import Protocol, call
from syncd.providers.ews.line import Line
from syncd.providers.ews.payloads import ItemId
from syncd.providers.ews.refusals import OF_ONE_ITEM
from syncd.providers.ews.thread import Thread
from syncd.providers.ews.xml import attribute, child, children, local, text
from syncd.providers.limits import retried
from syncd.providers.oauth.sign_in import Tokens

_AT_ONCE = 10  # items of one GetItem (E5)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPage:
    """A page of SyncFolderItems: ``named`` are there, ``deleted`` are not; ``last`` ends it.

    ``quiet`` tells that nothing at all has changed.
    """

    named: tuple[ItemId, ...]
    deleted: frozenset[str]
    state: str
    last: bool
    quiet: bool


class EwsClient:
    """One profile, whose requests follow one another (E8)."""

    def __init__(  # noqa: PLR0913 - what a connection is made of
        self,
        protocol: Protocol,
        line: Line,
        thread: Thread,
        clock: Clock,
        *,
        fixed: bool = True,
        tokens: Tokens | None = None,
    ) -> None:
        """Ask through ``protocol``, in ``thread``; unless ``fixed`` find the version out (E1).

        ``tokens`` gives access tokens, None where a password signs in.
        """
        self._protocol = protocol
        self._fixed = fixed
        self._line = line
        self._thread = thread
        self._clock = clock
        self._tokens = tokens

    @property
    def version(self) -> Version:
        """Return what the server said of itself, with its last answer."""
        return self._protocol.version

    async def read(self, payload: Callable[[], Element]) -> Element:
        """Return the one message of an answer, after up to three tries."""
        return _only(await retried(lambda: self._sent(payload()), self._clock))

    async def read_apart(self, payload: Callable[[], Element]) -> list[Element | SyncdError]:
        """Return the messages of an answer, or what is wrong with the item that one is about."""
        return await retried(lambda: self._sent(payload(), apart=True), self._clock)

    async def write(self, payload: Element) -> Element:
        """Change something, once; raises UnansweredError where it may have been done."""
        return _only(await self._sent(payload, writes=True))

    async def sync_page(self, folder: str, state: str) -> SyncPage:
        """Return the next page of what is in a folder, or changed there.

        Raises SyncTokenExpiredError for a state that is known no more.
        """
        return _sync_page(await self.read(lambda: payloads.sync_items(folder, state)), state)

    async def items(
        self, ids: Sequence[ItemId], ask: Callable[[Iterable[ItemId]], Element]
    ) -> dict[str, Element | SyncdError]:
        """Return items by their ids as they are now, in tens; of each that fails the error.

        Of what is gone that is NotFoundError. What concerns more than one item is raised.
        """
        found = dict[str, Element | SyncdError]()
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            messages = await self.read_apart(partial(ask, some))
            if len(messages) != len(some):
                raise MalformedReplyError(f"{len(some)} items were asked for, {len(messages)} told")
            for one, message in zip(some, messages, strict=True):
                found[one.id] = message if isinstance(message, SyncdError) else _item(message)
        return found

    async def folder_is_there(self, folder: str) -> None:
        """Raise NotFoundError if a folder is gone."""
        await self.read(lambda: payloads.get_folder(folder))

    async def version_of(self, one: ItemId) -> str:
        """Return the newest version of an item; raises NotFoundError."""
        message = await self.read(lambda: payloads.get_version(one))
        return item_id(_item(message)).changekey

    async def keep_alive(self) -> None:
        """Use the grant, if a grant signs in; a password does not die of disuse."""
        if self._tokens is not None:
            await self._tokens()

    async def settings(self, address: str) -> Told:
        """Ask an autodiscover server where the mailbox of an address is."""

        def work() -> Told:
            self._line.begin()
            return user_settings(self._protocol, address)

        return await self._thread.run(work)

    async def _sent(
        self, payload: Element, *, writes: bool = False, apart: bool = False
    ) -> list[Element | SyncdError]:
        headers = sent_along() if writes else {}

        def work() -> list[Element | SyncdError]:
            self._line.begin(writes=writes, headers=headers)
            return call(local(payload), self._protocol, fixed=self._fixed).ask(payload)

        try:
            found = await self._signed_in(work)
        except TimeoutError as error:
            raise self._line.lost("it took too long") from error
        for one in found:
            if isinstance(one, SyncdError) and not (apart and isinstance(one, OF_ONE_ITEM)):
                raise one  # that it is busy is not said of one item alone
        return found

    async def _signed_in(self, work: Callable[[], T]) -> T:
        """Do ``work`` with an access token, and once more with another if that one is refused.

        Nothing was done by a request that was refused with 401.
        """
        if self._tokens is None:
            return await self._thread.run(work)
        bearer = self._protocol.bearer
        bearer.token = await self._tokens()
        try:
            return await self._thread.run(work)
        except RelinkRequiredError:
            bearer.token = await self._tokens(refused=bearer.token)
        return await self._thread.run(work)


def item_id(item: Element) -> ItemId:
    """Return an item's id; raises MalformedReplyError for one without."""
    found = child(item, "ItemId")
    key = attribute(found, "Id")
    if not key:
        raise MalformedReplyError(f"{local(item)} has no id")
    return ItemId(id=key, changekey=attribute(found, "ChangeKey") or "")


def _only(messages: list[Element | SyncdError]) -> Element:
    if len(messages) != 1 or isinstance(messages[0], SyncdError):
        raise MalformedReplyError(f"the Exchange server answered {len(messages)} times at once")
    return messages[0]


def _item(message: Element) -> Element:
    found = next(children(child(message, "Items")), None)
    if found is None:
        raise MalformedReplyError(f"{local(message)} has no item")
    return found


def _sync_page(message: Element, before: str) -> SyncPage:
    state, last = text(message, "SyncState"), text(message, "IncludesLastItemInRange")
    changes = child(message, "Changes")
    if not state or last not in ("true", "false") or changes is None:
        raise MalformedReplyError("a page of changes has no state, no end or no changes")
    if last == "false" and state == before:
        raise MalformedReplyError("the Exchange server gave the same page again")
    named, deleted = dict[str, ItemId](), set[str]()
    for change in children(changes):
        kind = local(change)
        if kind in ("Create", "Update"):
            item = next(children(change), None)
            if item is None:
                raise MalformedReplyError("a change names no item")
            one = item_id(item)
            named[one.id] = one
        elif kind == "Delete":
            deleted.add(item_id(change).id)
    gone = frozenset(deleted - named.keys())  # what is named, too, GetItem decides on (P4)
    return SyncPage(
        named=tuple(named.values()),
        deleted=gone,
        state=state,
        last=last == "true",
        quiet=not len(changes),
    )
