"""The ICS of expiring tokens (api.md M10)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar.prop import vText

from syncd.formats.ical_expiry import Expiry, plain, write_expiries
from tests.formats.parsers import proven

MADE = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ISSUER = "https://syncd.example"
MOM = "rB8g1NhHqRNQL8S38DkzQgMJ9Df7wVmnuX1dkSk3kAlsUQM6igudDWL3ZMYf4xm1AL8/pQdGAetBa/y5ktydrg=="


def expiry(**fields: object) -> Expiry:
    plain = {
        "uid": MOM,
        "name": "laptop",
        "comment": None,
        "made": MADE,
        "expires_at": MADE + 100 * DAY,
        "since": MADE,
        "removal_url": f"{ISSUER}/actions?action=remove_from_calendar&code=abc",
        "recreation_url": f"{ISSUER}/actions?action=recreate_token&code=def",
    }
    return Expiry(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time


def written(*expiries: Expiry, name: str = "CI") -> bytes:
    return write_expiries(name, issuer=ISSUER, url=f"{ISSUER}/calendars/x", expiries=expiries)


def test_the_calendar_says_what_it_is() -> None:
    calendar = proven(written(expiry()))
    told = {name: str(calendar[name]) for name in ("METHOD", "NAME", "X-WR-CALNAME", "URL")}
    assert told == {
        "METHOD": "PUBLISH",
        "NAME": "CI",
        "X-WR-CALNAME": "CI",
        "URL": f"{ISSUER}/calendars/x",
    }
    assert "events and reminders for expiring mytokens" in str(calendar["DESCRIPTION"])
    assert ISSUER in str(calendar["DESCRIPTION"])


def test_an_empty_calendar_has_one_zone_and_no_event() -> None:
    calendar = proven(written())
    assert [(one.name, str(one["TZID"])) for one in calendar.subcomponents] == [
        ("VTIMEZONE", "UTC")
    ]


def test_a_token_is_one_event_at_its_expiry() -> None:
    since = MADE + timedelta(hours=3, milliseconds=700)
    (event,) = proven(written(expiry(since=since, comment="of the CI"))).events
    assert str(event["UID"]) == MOM
    for name in ("DTSTAMP", "CREATED", "LAST-MODIFIED"):
        assert event.decoded(name) == since.replace(microsecond=0)
    assert event.decoded("DTSTART") == MADE + 100 * DAY
    assert b"\r\nDTSTART:20270209T120000Z\r\n" in event.to_ical()
    assert "DTEND" not in event
    assert str(event["TRANSP"]) == "TRANSPARENT"
    assert str(event["SUMMARY"]) == "Mytoken 'laptop' expires"
    comment, blank, *links = str(event["DESCRIPTION"]).split("\n")
    assert (comment, blank, len(links)) == ("of the CI", "", 2)
    assert links[0].endswith("action=remove_from_calendar&code=abc")
    assert str(event["URL"]) == f"{ISSUER}/actions?action=recreate_token&code=def"
    assert links[1].endswith(str(event["URL"]))


def test_a_token_without_a_name_has_none() -> None:
    (event,) = proven(written(expiry(name=None))).events
    assert str(event["SUMMARY"]) == "Mytoken expires"


@pytest.mark.parametrize(
    ("life", "age", "triggers"),
    [
        (100, 0, ["-P30D", "-P14D", "-P7D", "-P3D", "-P1D", "PT0S"]),
        (60, 0, ["-P30D", "-P14D", "-P7D", "-P3D", "-P1D", "PT0S"]),  # 30 is just the middle
        (59, 0, ["-P14D", "-P7D", "-P3D", "-P1D", "PT0S"]),
        (100, 87, ["-P7D", "-P3D", "-P1D", "PT0S"]),  # subscribed 13 days before
        (100, 86, ["-P14D", "-P7D", "-P3D", "-P1D", "PT0S"]),
        (1, 0, ["PT0S"]),
    ],
)
def test_reminders_come_in_the_second_half_and_not_too_late(
    life: int, age: int, triggers: list[str]
) -> None:
    one = expiry(expires_at=MADE + life * DAY, since=MADE + age * DAY)
    text = written(one)
    (event,) = proven(text).events
    alarms = event.walk("VALARM")
    lines = text.decode().split("\r\n")
    assert [line[8:] for line in lines if line.startswith("TRIGGER:")] == triggers
    assert len(alarms) == len(triggers)
    for alarm in alarms:
        assert str(alarm["ACTION"]) == "DISPLAY"
        assert str(alarm["DESCRIPTION"]) == str(event["SUMMARY"])


def test_the_same_values_give_the_same_bytes() -> None:
    assert written(expiry(comment="ä" * 300)) == written(expiry(comment="ä" * 300))


@settings(deadline=None)  # vobject takes its time
@given(name=st.text(max_size=200), comment=st.text(max_size=400))
def test_any_text_gives_a_valid_file(name: str, comment: str) -> None:
    clean = (name + comment).encode("utf-8", "replace").decode()
    text = written(expiry(name=clean, comment=clean), name=clean or "x")
    (event,) = proven(text).events
    assert str(event["DESCRIPTION"]).startswith(plain(clean))
    escaped = vText(plain(clean or "x")).to_ical()
    assert b"\r\nNAME:" + escaped + b"\r\n" in text.replace(b"\r\n ", b"")
