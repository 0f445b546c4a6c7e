"""The two namespaces of Exchange Web Services: making elements, and looking into them."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Protocol

from lxml import etree
from lxml.etree import _Element as Element

from syncd.model.errors import InvalidError

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
_NAMES = {"m": MESSAGES, "t": TYPES}
_REFERENCE = re.compile(rb"&#(x[0-9A-F]{1,8}|[0-9]{1,8});", re.IGNORECASE)
_WHITE = frozenset({9, 10, 13})
_CONTROLS = bytes(sorted(frozenset(range(32)) - _WHITE))
_HELD = (range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))


class Making(Protocol):
    """Makes one kind of element of its children, or text, and attributes."""

    def __call__(self, *inside: Element | str, **attributes: str) -> Element:
        """Return the element."""
        ...


class Maker:
    """Makes elements of one namespace: ``T.Subject("Tea")``, or with a name that is computed."""

    def __init__(self, namespace: str) -> None:
        """Know the namespace."""
        self._namespace = namespace

    def __getattr__(self, name: str) -> Making:
        """Return what makes elements of a name."""
        return partial(self, name)

    def __call__(self, name: str, *inside: Element | str, **attributes: str) -> Element:
        """Return an element of a name; raises InvalidError for text that no XML can hold."""
        try:
            made = etree.Element(f"{{{self._namespace}}}{name}", attributes, _NAMES)
            for one in inside:
                if isinstance(one, str):
                    made.text = one
                else:
                    made.append(one)
        except ValueError:
            raise InvalidError(f"{name} has a character that Exchange cannot keep") from None
        return made


M, T = Maker(MESSAGES), Maker(TYPES)


def legible(content: bytes) -> bytes:
    """Return XML without the characters that XML 1.0 §2.2 has no place for.

    Exchange hands on what mails and clients brought, mostly as references such as ``&#xB;``.
    """
    return _REFERENCE.sub(_if_held, content.translate(None, _CONTROLS))


def _if_held(found: re.Match[bytes]) -> bytes:
    word = found[1].lower()
    number = int(word[1:], 16) if word.startswith(b"x") else int(word)
    held = number in _WHITE or any(number in one for one in _HELD)
    return found[0] if held else b""


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element | None, name: str | None = None) -> Iterator[Element]:
    """Yield the child elements, or those of a name; none of nothing."""
    for one in () if element is None else element.iterchildren("*"):
        if name is None or local(one) == name:
            yield one


def child(element: Element | None, *path: str) -> Element | None:
    """Return what a path of names leads to, None where it ends."""
    for name in path:
        element = next(children(element, name), None)
    return element


def text(element: Element | None, *path: str) -> str | None:
    """Return the text that a path of names leads to, None where there is none."""
    found = child(element, *path)
    return None if found is None or found.text is None else found.text


def attribute(element: Element | None, name: str) -> str | None:
    """Return an attribute of an element that may be missing."""
    return None if element is None else element.get(name)
