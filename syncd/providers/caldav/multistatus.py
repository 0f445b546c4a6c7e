"""A multistatus parsed while it streams, under the limits of reliability.md §4."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from lxml.etree import (
    ErrorTypes,
    XMLParser,
    XMLPullParser,
    XMLSyntaxError,
    XPath,
    _Element,
    fromstring,
)

from syncd.model.errors import MalformedReplyError
from syncd.providers.answers import IllegibleError, OversizeError
from syncd.providers.caldav.wire import DAV

LARGEST = 64 * 2**20  # bytes of one answer, decompressed
MOST_ELEMENTS = 2_000_000
SHORT = 2 * 2**10  # bytes of an answer whose meaning is kept
DEEPEST = 64
_MOST_WORDS = 300  # characters of an error

_ROOT, _RESPONSE, _TOKEN = f"{DAV}multistatus", f"{DAV}response", f"{DAV}sync-token"
_ROOT_WITHIN = 64 * 2**10  # bytes; white space and comments may come before it
_LIMIT = "Text node too long"  # libxml2: beyond 10 MB
_ILLEGIBLE = frozenset({ErrorTypes.ERR_INVALID_CHAR, ErrorTypes.ERR_INVALID_ENCODING})
_elements = XPath("count(.//*)")
_too_deep = XPath("boolean(" + "/".join("*" * (DEEPEST - 1)) + ")")  # below a response, level 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A multistatus that was received and parsed whole (P1)."""

    items: tuple[T, ...]
    sync_token: str | None


class Multistatus(Generic[T]):
    """Turns chunks into items of one shape; nothing counts before ``close``."""

    def __init__(self, shape: Callable[[_Element], T]) -> None:
        """Read every response with ``shape``."""
        self._shape = shape
        self._parser = XMLPullParser(
            ("start", "end"),
            tag=(_ROOT, _RESPONSE, _TOKEN),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._items = list[T]()
        self._root: _Element | None = None
        self._token: str | None = None
        self._head = b""
        self._bytes = 0
        self._elements = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; raises MalformedReplyError, or OversizeError above 64 MiB."""
        self._bytes += len(chunk)
        if self._bytes > LARGEST:
            raise OversizeError("the answer is larger than 64 MiB")
        if len(self._head) < 4096:  # noqa: PLR2004 - where a DOCTYPE would stand
            self._head += chunk[:4096]
            if b"<!DOCTYPE" in self._head:
                raise MalformedReplyError("the answer has a DOCTYPE")
        try:
            self._parser.feed(chunk)
            for action, element in self._parser.read_events():
                self._take(str(action), cast("_Element", element))
        except XMLSyntaxError as error:
            raise _refusal(error) from None
        self._count()

    def close(self) -> Answer[T]:
        """Return everything; raises MalformedReplyError if the end is missing."""
        try:
            self._parser.close()
        except XMLSyntaxError as error:
            raise _refusal(error) from None
        if self._root is None:
            raise MalformedReplyError("the answer is no multistatus")
        return Answer(tuple(self._items), self._token)

    def _take(self, action: str, element: _Element) -> None:
        parent = element.getparent()
        if action == "start":
            if element.tag == _ROOT and parent is None:
                self._root = element
                if element.getroottree().docinfo.internalDTD is not None:
                    raise MalformedReplyError("the answer has a DOCTYPE")
            return
        if parent is None or parent is not self._root:
            return
        if element.tag == _TOKEN:
            self._token = (element.text or "").strip() or None
            return
        if _too_deep(element):
            raise MalformedReplyError("the answer is nested too deeply")
        self._items.append(self._shape(element))
        self._elements += int(cast("float", _elements(element))) + 1
        element.clear()
        while (before := element.getprevious()) is not None:
            parent.remove(before)

    def _count(self) -> None:
        """Bound what no response has closed yet, or never will."""
        if self._root is None:
            if self._bytes > _ROOT_WITHIN:
                raise MalformedReplyError("the answer is no multistatus")
            return
        if self._elements + int(cast("float", _elements(self._root))) > MOST_ELEMENTS:
            raise MalformedReplyError("the answer has too many elements")


def whole(body: bytes, shape: Callable[[_Element], T]) -> Answer[T]:
    """Return an answer that has come whole and is ``SHORT``.

    A quiet server answers with the same bytes, poll after poll, and what bytes mean depends on
    nothing else: it need not be worked out again.
    """
    return _parsed(body, shape)


@lru_cache(maxsize=4096)  # some MB, if all were as long as they may be
def _parsed(body: bytes, shape: Callable[[_Element], Any]) -> Answer[Any]:
    parsing = Multistatus(shape)
    parsing.feed(body)
    return parsing.close()


def conditions(body: bytes) -> frozenset[str]:
    """Return the precondition tags of an error body (RFC 4918 §16); none if it is not one."""
    if b"<!DOCTYPE" in body:
        return frozenset()
    try:
        root = fromstring(body, XMLParser(resolve_entities=False, no_network=True))
    except (XMLSyntaxError, ValueError):
        return frozenset()
    return frozenset(str(one.tag) for one in root) if root.tag == f"{DAV}error" else frozenset()


def words_of(body: bytes, kind: str) -> str:
    """Return what a server says of an error in words for people, in one short line."""
    text = ""
    if kind == "text/plain":
        text = body.decode("utf-8", "replace")
    elif kind.endswith("xml") and b"<!DOCTYPE" not in body:
        with suppress(XMLSyntaxError, ValueError):
            root = fromstring(body, XMLParser(resolve_entities=False, no_network=True))
            text = " ".join(str(one) for one in root.itertext())
    return "".join(one for one in " ".join(text.split()) if one.isprintable())[:_MOST_WORDS]


def _refusal(error: XMLSyntaxError) -> MalformedReplyError:
    if _LIMIT in str(error):
        return OversizeError("the answer holds a text larger than 10 MB")
    if getattr(error, "code", None) in _ILLEGIBLE:  # the stubs do not know it
        return IllegibleError(f"the answer holds a text that no XML can: {error.msg}")
    return MalformedReplyError(f"the answer is no whole XML: {error.msg}")
