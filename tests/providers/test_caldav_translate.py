"""Hrefs, calendars and bodies (D3, D4, D7, P10, I10)."""

from dataclasses import replace

import pytest

from syncd.model.errors import MalformedReplyError
from syncd.model.ids import ResourceKey
from syncd.providers.caldav import translate, wire
from syncd.providers.caldav.translate import Body, body_of, calendar_key, path_of, read_bodies
from tests.servers.dav_client import event

BASE = "https://dav.example.com/home/alice/"


@pytest.mark.parametrize(
    "href",
    [
        "/home/alice/a%20b@c.ics",
        "/home/alice/a%20b%40c.ics",
        "/home/%61lice/a%20b@c.ics",
        "https://dav.example.com/home/alice/a%20b%40c.ics",
        "https://inner.example.net:8080/home/alice/a%20b@c.ics",
        "a%20b@c.ics",
        "/home/alice/a b@c.ics",
        "//home/alice/a%20b@c.ics",
    ],
)
def test_one_resource_has_one_key_however_it_is_written(href: str) -> None:
    """D3."""
    assert path_of(href, BASE) == "/home/alice/a%20b@c.ics"


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("/a%2Fb.ics", "/a%2Fb.ics"),
        ("/a%2fb.ics", "/a%2Fb.ics"),
        ("/a/b.ics", "/a/b.ics"),
        ("/%E4%BD%A0.ics", "/%E4%BD%A0.ics"),
        ("/%e4%bd%a0.ics", "/%E4%BD%A0.ics"),
        ("/你.ics", "/%E4%BD%A0.ics"),
        ("/%FF.ics", "/%FF.ics"),
        ("/100%25.ics", "/100%25.ics"),
        ("/A.ics", "/A.ics"),
        ("/q%3F.ics", "/q%3F.ics"),
        ("local::2::48.ics", "/home/alice/local::2::48.ics"),
    ],
)
def test_different_resources_keep_different_keys(href: str, path: str) -> None:
    """D3, P7: an escaped slash is not a slash; case counts."""
    assert path_of(href, BASE) == path
    assert path_of(path, BASE) == path


@pytest.mark.parametrize("href", ["http://[bad/a.ics", "http://h:99999/a.ics", "tel://1/a.ics"])
def test_what_is_no_address_is_malformed(href: str) -> None:
    """P1, F2: who is named is not known."""
    for read in (path_of, calendar_key):
        with pytest.raises(MalformedReplyError, match="no address"):
            read(href, BASE)


def test_two_slashes_name_no_other_server() -> None:
    """RFC 4918 §8.3: some servers join their paths that way."""
    assert calendar_key("//home/alice/work", BASE) == "/home/alice/work/"


def test_a_calendar_on_another_server_keeps_the_whole_address() -> None:
    assert calendar_key("/c", BASE) == "/c/"
    assert calendar_key("https://dav.example.com/c/", BASE) == "/c/"
    assert calendar_key("https://p1.example.com/c", BASE) == "https://p1.example.com/c/"


def collection(href: str, **fields: object) -> wire.Collection:
    one = wire.Collection(
        href=href,
        status=None,
        kinds=frozenset({f"{wire.DAV}collection", wire.CALENDAR}),
        name=None,
        description=None,
        color=None,
        order=None,
        timezone=None,
        components=frozenset(),
        privileges=None,
        reports=None,
        default_calendar=None,
        ctag=None,
        sync_token=None,
    )
    return replace(one, **fields)  # type: ignore[arg-type]  # names are checked at run time


@pytest.mark.parametrize(
    ("privileges", "read_only"),
    [
        (None, False),
        ({"all"}, False),
        ({"write"}, False),
        ({"read", "write-content"}, False),
        ({"read", "bind"}, False),
        ({"read", "write-properties"}, True),
        ({"read"}, True),
        (set(), True),
    ],
)
def test_what_may_be_written_follows_from_privileges(
    privileges: set[str] | None, *, read_only: bool
) -> None:
    """D7."""
    told = None if privileges is None else frozenset(wire.DAV + one for one in privileges)
    (found,) = translate.calendars([collection("/c/", privileges=told)], BASE)
    assert found.read_only is read_only


def test_the_primary_one_is_where_invitations_go_else_the_first_by_name() -> None:
    listed = [collection("/b/", name="Beta"), collection("/a/", name="alpha")]
    for default, primary in ((None, "/a/"), ("/b", "/b/"), ("/gone/", "/a/")):
        found = translate.calendars(listed, BASE, default)
        assert [one.key for one in found if one.primary] == [primary]


def test_a_calendar_without_a_name_is_called_by_its_path() -> None:
    (found,) = translate.calendars([collection("/home/my%20own/")], BASE)
    assert (found.key, found.name) == ("/home/my%20own/", "my own")


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, True),
        ({"components": frozenset({"VEVENT", "VTODO"})}, True),
        ({"components": frozenset({"VTODO"})}, False),
        ({"kinds": frozenset({f"{wire.DAV}collection"})}, False),
        ({"status": 403}, False),
    ],
)
def test_only_collections_for_events_are_calendars(
    fields: dict[str, object], *, shown: bool
) -> None:
    """D4."""
    assert bool(translate.calendars([collection("/c/", **fields)], BASE)) is shown


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#ff8800FF", "#FF8800"),
        ("#ff8800", "#FF8800"),
        ("red", None),
        ("#f80", None),
        ("", None),
        (None, None),
    ],
)
def test_a_colour_is_six_digits(text: str | None, color: str | None) -> None:
    assert translate.color_of(text) == color


@pytest.mark.parametrize(("text", "order"), [("7", 7), ("-1", -1), ("x", None), (None, None)])
def test_an_order_is_a_number(text: str | None, order: int | None) -> None:
    assert translate.order_of(text) == order


def vtimezone(tzid: str) -> str:
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:{tzid}\r\n"
        "BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
        "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
        "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
        "TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
        "END:VCALENDAR\r\n"
    )


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        (vtimezone("Europe/Vienna"), "Europe/Vienna"),
        (vtimezone("W. Europe Standard Time"), "Europe/Berlin"),
        (vtimezone("My own"), "Europe/Berlin"),
        (vtimezone("Europe/Vienna").replace("\r\n", "\n"), "Europe/Vienna"),
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("nowhere", None),
        ("BEGIN:VTIMEZONE\r\nbroken", None),
        (None, None),
    ],
)
def test_a_calendars_zone_is_an_iana_name(text: str | None, zone: str | None) -> None:
    assert translate.zone_of(text) == zone


def test_a_body_out_of_xml_gets_its_line_ends_back() -> None:
    """P10: XML turns CRLF into LF."""
    raw = event("u", "Grüße")
    key = ResourceKey("/a.ics")
    assert body_of(key, "e", raw.replace("\r\n", "\n")).raw == raw.encode()
    assert body_of(key, "e", raw).raw == raw.encode()


def test_a_body_that_is_none_costs_only_itself() -> None:
    """I10, D16."""
    good, bad = ResourceKey("/good.ics"), ResourceKey("/bad.ics")
    page = read_bodies(
        [
            Body(key=bad, etag="1", raw=b"<html>oops</html>"),
            Body(key=good, etag="2", raw=event("u", "Good").encode()),
        ],
        None,
    )
    assert [one.key for one in page.upserts] == [good]
    assert page.unread.keys() == {bad}


def test_two_hrefs_with_one_uid_are_two_resources() -> None:
    """D20."""
    raw = event("same").encode()
    bodies = [Body(key=ResourceKey(key), etag="", raw=raw) for key in ("/a.ics", "/b.ics")]
    assert [one.key for one in read_bodies(bodies, None).upserts] == ["/a.ics", "/b.ics"]


def test_floating_times_count_in_the_calendars_zone() -> None:
    raw = event("u").replace("00Z", "00").encode()
    body = Body(key=ResourceKey("/a.ics"), etag="", raw=raw)
    (resource,) = read_bodies([body], "Asia/Tokyo").upserts
    assert resource.events[0].start.isoformat() == "2026-11-01T09:00:00+09:00"
