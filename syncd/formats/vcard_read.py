"""A vCard to the unified contact (RFC 6350, RFC 2426; providers.md D26, section 9).

Versions 3.0 and 4.0, and of 2.1 what is still in address books. Writers agree on little: what is
understood is taken, a value that is none is passed over, and the card as a whole is kept as raw.
Pictures, sounds and keys are never decoded, groups are skipped.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import zip_longest

from syncd.formats.vcard_lines import Property, cards, plain, properties, split
from syncd.model.contact import (
    Address,
    Contact,
    Gender,
    Organization,
    Reach,
    Related,
    Relation,
    Use,
)
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import ResourceKey, short
from syncd.model.resource import Resource

_LABEL = re.compile(r"_\$!<(.*)>!\$_")  # how Apple writes the labels that it translates
_MOBILE = frozenset({"cell", "mobile", "iphone", "car"})
_SAYS_NOTHING = frozenset({"pref", "internet", "voice", "text", "x400"})
_GENDERS = {
    "M": Gender.MALE,
    "F": Gender.FEMALE,
    "O": Gender.OTHER,
    "N": Gender.OTHER,  # none, or not applicable
    "U": Gender.UNKNOWN,
}
_SPOUSES = frozenset({"spouse", "husband", "wife", "partner"})
_CHILDREN = frozenset({"child", "son", "daughter"})
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S*")
_SPOUSE_LINES = frozenset({"X-SPOUSE", "X-EVOLUTION-SPOUSE", "X-KADDRESSBOOK-X-SPOUSESNAME"})
_DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ].*)?", re.IGNORECASE)
_YEARLESS = re.compile(r"--([0-9]{2})-?([0-9]{2})(?:[T ].*)?", re.IGNORECASE)
_STAMP = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[T ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?(?:[.,][0-9]+)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?",
    re.IGNORECASE,
)
_LEAST_PREFERRED = 101  # PREF goes from 1 to 100


def read_card(key: ResourceKey, raw: bytes, *, etag: str = "") -> Resource:
    """Read one resource of an address book: a contact, or of a group none (D26).

    A card that was cut off is told as a fault, and what is known of it stays. Raises
    MalformedReplyError if the body is no vCard or beyond the limits.
    """
    found = cards(raw)
    if not found:
        raise MalformedReplyError("this is no vCard: it has no BEGIN:VCARD")
    card = found[0]  # RFC 6352 §5.1: there is one
    if not card.closed:
        faults = ("the card has no END:VCARD",)
        return Resource(key=key, etag=etag, raw=raw, faults=faults)
    lines = list(properties(card))
    return Resource(key=key, contact=_Card(lines).contact(key), etag=etag, raw=raw)


class _Card:
    """The lines of one card, by name, with the labels of groups."""

    def __init__(self, lines: Sequence[Property]) -> None:
        self._lines = dict[str, list[Property]]()
        for line in lines:
            self._lines.setdefault(line.name, []).append(line)
        self._labels = {one.group: _label(one) for one in self._all("X-ABLABEL") if one.group}

    def contact(self, key: ResourceKey) -> Contact | None:
        """Return what the card says; None for a group."""
        kinds = {self._text("KIND"), self._text("X-ADDRESSBOOKSERVER-KIND")}
        if "group" in {(kind or "").lower() for kind in kinds}:
            return None
        names = split(self._value("N"))
        family, given, more = ([*map(_listed, names), None, None, None])[:3]
        full = self._text("FN") or " ".join(filter(None, (given, more, family))) or None
        organizations = tuple(self._organizations())
        emails = self._reaches("EMAIL", {"home", "work"})
        return Contact(
            uid=self._text("UID") or short(key),
            name=full
            or next((one.name for one in organizations if one.name), None)
            or next((one.value for one in emails), None),
            given=given,
            family=family,
            full=full,
            birthday=self._birthday(),
            gender=self._gender(),
            created=_stamp(self._value("CREATED")),
            modified=_stamp(self._value("REV")),
            organizations=organizations,
            emails=emails,
            phones=self._reaches("TEL", {"home", "work", "mobile"}),
            relationships=tuple(self._relationships()),
            addresses=tuple(self._addresses()),
            websites=tuple(dict.fromkeys(one.text for one in self._all("URL") if one.text)),
        )

    def _all(self, name: str) -> Sequence[Property]:
        return self._lines.get(name, ())

    def _value(self, name: str) -> str:
        found = self._all(name)
        return found[0].value if found else ""

    def _text(self, name: str) -> str | None:
        return plain(self._value(name))

    def _reaches(self, name: str, uses: set[str]) -> tuple[Reach, ...]:
        found = list[tuple[int, Reach]]()
        for one in self._all(name):
            value = _unprefixed(one.text or "", "tel:" if name == "TEL" else "mailto:")
            if value:
                reach = Reach(value=value, use=self._use(one, uses))
                found.append((_preference(one), reach))
        best = min((rank for rank, _ in found), default=_LEAST_PREFERRED)
        first = [rank for rank, _ in found].index(best) if best < _LEAST_PREFERRED else -1
        return tuple(
            Reach(value=one.value, use=one.use, primary=at == first)
            for at, (_, one) in enumerate(found)
        )

    def _words(self, one: Property) -> set[str]:
        """Return what a property is said to be for: its types, and the label of its group."""
        label = self._labels.get(one.group)
        words = {word.removeprefix("x-") for word in one.types - _SAYS_NOTHING}
        return words | ({label.lower()} if label else set())

    def _use(self, one: Property, uses: set[str]) -> Use | None:
        words = self._words(one)
        if "mobile" in uses and words & _MOBILE:
            return Use.MOBILE
        for word in ("home", "work", "school"):
            if word in words & uses:
                return Use(word)
        return Use.OTHER if words else None

    def _organizations(self) -> Iterator[Organization]:
        """Pair organizations with titles in their order; no card says which belongs where."""
        titles = [*self._all("TITLE")] or [*self._all("ROLE")]
        for one, title in zip_longest(self._all("ORG"), titles):
            names = [*map(plain, split(one.value if one else "")), None]
            use = None if one is None else self._use(one, {"work", "school"})
            department = ", ".join(filter(None, names[1:])) or None
            called = None if title is None else title.text
            if names[0] or department or called:
                yield Organization(use=use, name=names[0], department=department, title=called)

    def _addresses(self) -> Iterator[Address]:
        for one in self._all("ADR"):
            told = [*map(_listed, split(one.value)), *[None] * 7][:7]
            box, extended, street, city, state, code, country = told
            lines = ", ".join(filter(None, (street, extended, box))) or None
            if any((lines, city, state, code, country)):
                yield Address(
                    use=self._use(one, {"home", "work"}),
                    street=lines,
                    city=city,
                    state=state,
                    postal_code=code,
                    country=country,
                )

    def _relationships(self) -> Iterator[Related]:
        """Yield who is named; a link to another card names nobody."""
        for one in (*self._all("RELATED"), *self._all("X-ABRELATEDNAMES")):
            linked = one.name == "RELATED" and one.parameter("VALUE").lower() != "text"
            if one.text and not (linked and _URI.fullmatch(one.text)):
                yield Related(name=one.text, relation=_relation(self._words(one)))
        for name in sorted(_SPOUSE_LINES & self._lines.keys()):
            for one in self._all(name):
                if one.text:
                    yield Related(name=one.text, relation=Relation.SPOUSE)

    def _birthday(self) -> str | None:
        """Return the day; Apple writes one without a year as a year that it names (RFC 6350 §4.3).

        Other truncated dates and text ("circa 1800") are no day.
        """
        for one in self._all("BDAY"):
            text = (one.text or "").strip()
            found = _YEARLESS.fullmatch(text)
            if found is not None:
                return _day("2000", found[1], found[2], yearless=True)
            found = _DAY.fullmatch(text)
            if found is not None:
                omitted = one.parameter("X-APPLE-OMIT-YEAR") == found[1]
                return _day(found[1], found[2], found[3], yearless=omitted)
        return None

    def _gender(self) -> Gender | None:
        word = plain(split(self._value("GENDER"))[0]) or self._text("X-GENDER") or ""
        return _GENDERS.get(word[:1].upper())


def _listed(part: str) -> str | None:
    """Return a part that may be a list (RFC 6350 §6.2.2) as one text."""
    return ", ".join(filter(None, map(plain, split(part, ",")))) or None


def _label(one: Property) -> str:
    text = one.text or ""
    found = _LABEL.fullmatch(text)
    return found[1] if found else text


def _preference(one: Property) -> int:
    """Return PREF, 1 to 100, of which the least is meant most (RFC 6350 §5.3)."""
    given = one.parameter("PREF")
    if given.isdecimal() and given.isascii() and 0 < len(given) <= len("100"):
        return max(1, min(int(given), _LEAST_PREFERRED - 1))
    return 1 if "pref" in one.types else _LEAST_PREFERRED


def _relation(words: set[str]) -> Relation | None:
    if words & _SPOUSES:
        return Relation.SPOUSE
    if words & _CHILDREN:
        return Relation.CHILD
    return Relation.OTHER if words else None


def _unprefixed(text: str, scheme: str) -> str:
    return text[len(scheme) :].strip() if text.lower().startswith(scheme) else text


def _day(year: str, month: str, day: str, *, yearless: bool) -> str | None:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return f"--{found.month:02}-{found.day:02}" if yearless else found.isoformat()


def _stamp(text: str) -> datetime | None:
    """Return an instant, in UTC where no zone is told; None for what is none."""
    found = _STAMP.fullmatch(text.strip())
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
        at = time(int(found[4] or 0), int(found[5] or 0), min(int(found[6] or 0), 59))
        zone = datetime.strptime(_offset(found[7]), "%z").tzinfo if found[7] else UTC
    except ValueError:
        return None
    return datetime.combine(day, at, zone)


def _offset(text: str) -> str:
    return text.upper() if text[0] in "Zz" else text.replace(":", "").ljust(5, "0")
