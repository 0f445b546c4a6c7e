"""Organizer and attendees onto a VEVENT (RFC 5545 §3.8.4, api.md K26)."""

from collections.abc import Iterable

from syncd.formats.blocks import Block, Row, headed
from syncd.formats.lines import Line
from syncd.formats.people import address, attendee, organizer
from syncd.formats.scripts import one_line
from syncd.model.edit import Reply
from syncd.model.errors import InvalidError
from syncd.model.event import Answer, Person

_PARTSTATS = {
    Answer.ACCEPTED: "ACCEPTED",
    Answer.TENTATIVE: "TENTATIVE",
    Answer.DECLINED: "DECLINED",
    Answer.PENDING: "NEEDS-ACTION",
}
_STRANGER = ("CN", "EMAIL", "DIR", "SENT-BY", "SCHEDULE-STATUS")  # of whoever it was before


def set_organizer(vevent: Block, person: Person | None) -> None:
    """Name the organizer; of the same one parameters that we do not know stay."""
    line = vevent.first("ORGANIZER")
    if person is None:
        vevent.remove("ORGANIZER")
    elif line is not None and _same(address(line), person.email):
        if person.name is not None and organizer(line).name != person.name:
            vevent.put("ORGANIZER", line.value, headed(line.head, {"CN": person.name}))
    else:
        known = "" if line is None else headed(line.head, dict.fromkeys(_STRANGER))
        head = headed(known, {"CN": person.name} if person.name else {})
        vevent.put("ORGANIZER", _uri(person.email), head)


def set_attendees(vevent: Block, people: Iterable[Person]) -> None:
    """Make these the attendees; a line that already says what it should stays as it is."""
    lines: dict[str, list[Row]] = {}
    for row, line in vevent.lines("ATTENDEE"):
        lines.setdefault(address(line).casefold(), []).append(row)
    for person in people:
        known = lines.pop(person.email.casefold(), [])
        for row in known:
            if row.line is not None:
                _amend(vevent, row, row.line, person)
        if not known:
            vevent.add("ATTENDEE", _uri(person.email), _invited(person))
    for rows in lines.values():
        for row in rows:
            vevent.drop(row)


def set_reply(vevent: Block, reply: Reply) -> None:
    """Write one attendee's own answer, nothing else; raises InvalidError if not invited."""
    own = [pair for pair in vevent.lines("ATTENDEE") if _same(address(pair[1]), reply.email)]
    if not own:
        raise InvalidError("the profile's own address is not invited", field="attendees")
    for row, line in own:
        if attendee(line).answer is not reply.answer:
            head = headed(line.head, {"PARTSTAT": _PARTSTATS[reply.answer]})
            vevent.replace(row, "ATTENDEE", line.value, head)


def _amend(vevent: Block, row: Row, line: Line, person: Person) -> None:
    known, wanted = attendee(line), dict[str, str | None]()
    if person.name is not None and person.name != known.name:
        wanted["CN"] = person.name
    if person.required != known.required:
        wanted["ROLE"] = "REQ-PARTICIPANT" if person.required else "OPT-PARTICIPANT"
    if person.answer is not None and person.answer is not known.answer:
        wanted["PARTSTAT"] = _PARTSTATS[person.answer]
    if wanted:
        vevent.replace(row, "ATTENDEE", line.value, headed(line.head, wanted))


def _invited(person: Person) -> str:
    return headed(
        "",
        {
            "CN": person.name or None,
            "CUTYPE": "RESOURCE" if person.resource else None,
            "ROLE": "REQ-PARTICIPANT" if person.required else "OPT-PARTICIPANT",
            "PARTSTAT": _PARTSTATS[person.answer or Answer.PENDING],
            "RSVP": None if person.answer not in (None, Answer.PENDING) else "TRUE",
        },
    )


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.strip().casefold()


def _uri(email: str) -> str:
    return f"mailto:{one_line(email, '').strip()}"
