"""Calendar objects as several programs would write them: random, and known row by row."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=60
)
_ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
X-LIC-LOCATION:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE"""
_ALARMS = (
    """BEGIN:VALARM
UID:B2E1
X-WR-ALARMUID:B2E1
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Reminder
ACKNOWLEDGED:20261101T000000Z
X-APPLE-DEFAULT-ALARM:TRUE
END:VALARM""",
    """BEGIN:VALARM
ACTION:AUDIO
TRIGGER;VALUE=DATE-TIME:19760401T005545Z
END:VALARM""",
    """BEGIN:VALARM
ACTION:PROCEDURE
TRIGGER;RELATED=END:PT5M
ATTACH:ftp://example.org/x
END:VALARM""",
)
_EXTRAS = (
    "X-MOZ-LASTACK:20261101T000000Z",
    'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Room, 1":geo:1.0,2.0',
    "ATTACH;FMTTYPE=image/png;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 60,
    "categories:A,B\\,C",
    "PRIORITY:5",
    "GEO:1;2",
    "RELATED-TO;RELTYPE=SIBLING:abc",
    "X-ODD;X-P=a b:;;\\,",
    "a line without a colon",
    "CREATED:20260101T000000Z",
    'ATTENDEE;CN="Bo; B";X-FOO=1;PARTSTAT=ACCEPTED:MAILTO:bo@example.org',
    'ORGANIZER;CN=Ada;SENT-BY="mailto:x@example.org":mailto:ada@example.org',
    "COMMENT:\u00e4\u00f6\u00fc\U0001f600" * 12,
)
STARTS = (
    ("DTSTART;TZID=Europe/Berlin:20261124T100000", "DTEND;TZID=Europe/Berlin:20261124T110000"),
    ("DTSTART;TZID=W. Europe Standard Time:20261124T100000", "DURATION:PT1H"),
    ("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"),
    ("DTSTART:20261124T100000", "DTEND:20261124T110000"),
    ("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261125"),
    ("DTSTART;VALUE=DATE:20261124",),
)


@dataclass(frozen=True)
class File:
    """A file as its logical rows, each with its folds and its line end."""

    rows: tuple[bytes, ...]

    @property
    def raw(self) -> bytes:
        return b"".join(self.rows)


@st.composite
def files(draw: DrawFn, *, repeats: bool = False) -> File:
    """Return a file with one event, or a series; its first VEVENT is the one to be edited."""
    extras = draw(st.lists(st.sampled_from(_EXTRAS), unique=True))
    times = draw(st.sampled_from(STARTS))
    lines = [*times, *extras, "SEQUENCE:4"] if draw(st.booleans()) else [*extras, *times]
    if draw(st.booleans()):
        lines.append("SUMMARY;LANGUAGE=en:" + draw(st.sampled_from(("Old", "Old\\, older", ""))))
    if repeats:
        lines.append("RRULE:FREQ=WEEKLY;COUNT=8")
    lines = draw(st.permutations(lines))
    alarms = draw(st.lists(st.sampled_from(_ALARMS), unique=True))
    body = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//any//EN", "X-WR-CALNAME:Any"]
    body += _ZONE.split("\n") if draw(st.booleans()) else []
    body += ["BEGIN:VEVENT", "UID:u1", *lines, *"\n".join(alarms).split("\n"), "END:VEVENT"]
    if draw(st.booleans()):
        body += ["BEGIN:X-VENDOR", "SUMMARY:Theirs", "END:X-VENDOR"]
    body += ["BEGIN:VTODO", "UID:t", "SUMMARY:A task", "END:VTODO"] if draw(st.booleans()) else []
    body += ["END:VCALENDAR"]
    eol = draw(st.sampled_from((b"\r\n", b"\n")))
    widest = draw(st.sampled_from((30, 74, 75, 10_000)))
    blank = draw(st.sampled_from((b" ", b"\t")))
    rows = [_folded(one, eol, widest, blank) for one in body if one]
    if draw(st.booleans()):
        rows[-1] = rows[-1].removesuffix(eol)
    return File(tuple(rows))


def _folded(line: str, eol: bytes, widest: int, blank: bytes) -> bytes:
    """Fold by octets, as many do, also between the bytes of one character."""
    raw = line.encode()
    parts = [raw[at : at + widest] for at in range(0, len(raw), widest)]
    return (eol + blank).join(parts) + eol
