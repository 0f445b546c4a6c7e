"""Calendar users of an event (RFC 5545 §3.8.4.1, §3.8.4.3)."""

from syncd.formats.lines import Line
from syncd.model.event import Answer, Person

_ANSWERS = {
    "ACCEPTED": Answer.ACCEPTED,
    "TENTATIVE": Answer.TENTATIVE,
    "DECLINED": Answer.DECLINED,
    "DELEGATED": Answer.DECLINED,
}
_REQUIRED = frozenset({"REQ-PARTICIPANT", "CHAIR"})
_THINGS = frozenset({"ROOM", "RESOURCE"})
_SCHEME = "mailto:"


def organizer(line: Line) -> Person:
    """Return who organizes."""
    given = line.parameters
    return Person(email=address(line), name=given.get("CN") or None)


def attendee(line: Line) -> Person:
    """Return who is invited; an answer that is absent or unknown is pending."""
    given = line.parameters
    return Person(
        email=address(line),
        name=given.get("CN") or None,
        required=given.get("ROLE", "REQ-PARTICIPANT").upper() in _REQUIRED,
        resource=given.get("CUTYPE", "").upper() in _THINGS,
        answer=_ANSWERS.get(given.get("PARTSTAT", "").upper(), Answer.PENDING),
    )


def address(line: Line) -> str:
    """Return the mail address; of another kind of URI its EMAIL parameter (RFC 7986 §6.2)."""
    uri = line.value.strip()
    if uri[: len(_SCHEME)].lower() == _SCHEME:
        return uri[len(_SCHEME) :].strip()
    return line.parameters.get("EMAIL") or uri
