"""Their XML as structs, and what is refused while it streams (reliability.md §4, D5, D25)."""

import time

import pytest
from lxml.etree import _Element

from syncd.model.errors import MalformedReplyError
from syncd.providers.answers import IllegibleError, OversizeError
from syncd.providers.caldav import multistatus, wire
from syncd.providers.caldav.multistatus import SHORT, Answer, Multistatus, conditions, whole

MEMBER = (
    "<D:response><D:href>/c/{0}.ics</D:href><D:propstat><D:prop><D:getetag>&quot;{0}&quot;"
    "</D:getetag><C:calendar-data>BEGIN:VCALENDAR\r\nX:&lt;{0}&gt;\r\n</C:calendar-data></D:prop>"
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)
OPEN = '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
CLOSE = "</D:multistatus>"


def parse(text: str | bytes, *, step: int = 64 * 2**10) -> Answer[wire.Entry]:
    body = text.encode() if isinstance(text, str) else text
    parsing = Multistatus(wire.entry)
    for at in range(0, len(body), step):
        parsing.feed(body[at : at + step])
    return parsing.close()


@pytest.mark.parametrize("step", [1, 7, 64, 10**6])
def test_an_answer_reads_the_same_however_it_is_cut_into_chunks(step: int) -> None:
    token = "<D:sync-token> t1 </D:sync-token>"  # noqa: S105 - XML
    members = "".join(MEMBER.format(number) for number in range(5))
    for text in (OPEN + members + token + CLOSE, OPEN + token + members + CLOSE):
        answer = parse('<?xml version="1.0"?>\n<!-- hello -->' + text, step=step)
        assert answer.sync_token == "t1"  # noqa: S105 - a word
        assert [one.href for one in answer.items] == [f"/c/{n}.ics" for n in range(5)]
        assert answer.items[3].etag == '"3"'
        assert answer.items[3].body == "BEGIN:VCALENDAR\nX:<3>\n"


def test_a_sync_token_inside_a_response_is_not_the_answers() -> None:
    inner = (
        "<D:response><D:href>/c/</D:href><D:propstat><D:prop><D:sync-token>own</D:sync-token>"
        "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
    answer = parse(OPEN + inner + CLOSE)
    assert answer.sync_token is None
    assert answer.items[0].sync_token == "own"  # noqa: S105 - a word


def test_only_good_propstats_count() -> None:
    """D5: in whatever order they come, and whatever values the others hold."""
    bad = (
        "<D:propstat><D:prop><D:getetag>old</D:getetag><C:calendar-data>x</C:calendar-data>"
        "</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
    )
    good = (
        "<D:propstat><D:prop><D:getetag>new</D:getetag></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
    )
    for both in (bad + good, good + bad):
        (one,) = parse(f"{OPEN}<D:response><D:href>/a</D:href>{both}</D:response>{CLOSE}").items
        assert (one.etag, one.body, one.status) == ("new", None, None)


def test_a_response_of_its_own_status_is_read() -> None:
    """D11."""
    text = "<D:response><D:href>/a</D:href><D:status>HTTP/1.1 404 Gone</D:status></D:response>"
    (one,) = parse(OPEN + text + CLOSE).items
    assert (one.href, one.status) == ("/a", 404)


def test_a_status_of_success_beside_propstats_says_nothing_more() -> None:
    good = "<D:status>HTTP/1.1 200 OK</D:status>"
    propstat = f"<D:propstat><D:prop><D:getetag>1</D:getetag></D:prop>{good}</D:propstat>"
    (one,) = parse(
        f"{OPEN}<D:response><D:href>/a</D:href>{propstat}{good}</D:response>{CLOSE}"
    ).items
    assert (one.etag, one.status) == ("1", None)


NAMED = "<D:href>/a.ics</D:href>"
DEEP = "<x>" * 70 + "</x>" * 70


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("hello", id="no XML"),
        pytest.param('{"items": []}', id="JSON"),
        pytest.param("<html><body>Sign in</body></html>", id="HTML"),
        pytest.param('<multistatus xmlns="other"/>', id="another namespace"),
        pytest.param(OPEN + MEMBER.format(1), id="cut after a response"),
        pytest.param(OPEN + MEMBER.format(1)[:90], id="cut inside a response"),
        pytest.param(f"{OPEN}{CLOSE}x", id="more behind the end"),
        pytest.param('<!DOCTYPE x [<!ENTITY a "b">]>' + OPEN + CLOSE, id="DOCTYPE"),
        pytest.param(OPEN + "<D:response>&a;</D:response>" + CLOSE, id="unknown entity"),
        pytest.param(f"{OPEN}<D:response>{NAMED}{DEEP}</D:response>{CLOSE}", id="deep"),
        pytest.param(OPEN + "<x>" * 300, id="deeper than the parser goes"),
        pytest.param(f"{OPEN}<D:response><D:href> </D:href></D:response>{CLOSE}", id="no href"),
        pytest.param(" " * 200_000 + OPEN + CLOSE, id="late root"),
    ],
)
def test_what_is_no_whole_multistatus_is_refused(text: str) -> None:
    with pytest.raises(MalformedReplyError):
        parse(text)


def test_a_doctype_in_another_encoding_is_refused() -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x []>{OPEN}{CLOSE}'
    with pytest.raises(MalformedReplyError, match="DOCTYPE"):
        parse(text.encode("utf-16"))


@pytest.mark.parametrize("inside", ["<x/>", "<D:response><D:href>/a</D:href><x/><x/></D:response>"])
def test_elements_are_counted_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.setattr(multistatus, "MOST_ELEMENTS", 5000)
    parse(OPEN + inside * 1000 + CLOSE)
    with pytest.raises(MalformedReplyError, match="elements"):
        parse(OPEN + inside * 6000 + CLOSE)


def test_bytes_are_counted_and_a_smaller_answer_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(multistatus, "LARGEST", 1000)
    with pytest.raises(OversizeError):
        parse(OPEN + MEMBER.format(1) * 5 + CLOSE)


def test_a_text_beyond_the_parsers_limit_asks_for_a_smaller_answer() -> None:
    with pytest.raises(OversizeError):
        parse(OPEN + "<D:response><D:href>" + "x" * 11_000_000)


@pytest.mark.parametrize("text", [b"\x0b", b"&#11;", b"&#x1F;", b"\xe9", b"\xed\xa0\x80"])
def test_a_text_that_no_xml_can_hold_asks_for_a_smaller_answer(text: bytes) -> None:
    """I10: of several bodies it is one."""
    whole = (OPEN + MEMBER.format("TEXT") + CLOSE).encode()
    with pytest.raises(IllegibleError):
        parse(whole.replace(b"TEXT", text))


def test_a_thousand_entries_take_a_few_milliseconds() -> None:
    body = (OPEN + "".join(MEMBER.format(number) for number in range(1000)) + CLOSE).encode()
    started = time.process_time()
    assert len(parse(body).items) == 1000
    assert time.process_time() - started < 0.15  # measured: 0.016 s


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'<error xmlns="DAV:"><valid-sync-token/></error>', {wire.VALID_SYNC_TOKEN}),
        (b'<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>', {wire.VALID_SYNC_TOKEN}),
        (b'<error xmlns="DAV:"><supported-report/></error>', {wire.SUPPORTED_REPORT}),
        (b"<error><valid-sync-token/></error>", set()),
        (b"", set()),
        (b"<html/>", set()),
        (b"<!DOCTYPE x []><error/>", set()),
        (b"valid-sync-token", set()),
    ],
)
def test_preconditions_are_told_by_qualified_names(body: bytes, named: set[str]) -> None:
    """D12, D25."""
    assert conditions(body) == named


def test_requests_escape_what_they_carry() -> None:
    assert b"<sync-token>a&lt;&amp;b</sync-token>" in wire.sync_collection("a<&b", bodies=False)
    assert b"<href>/a&amp;b.ics</href>" in wire.multiget(["/a&b.ics"])
    assert b"calendar-data" not in wire.sync_collection("", bodies=False)
    assert b"limit" not in wire.sync_collection("", bodies=True)


def test_a_short_answer_is_read_once_and_a_broken_one_is_refused_each_time() -> None:
    read = list[str]()

    def shape(response: _Element) -> str:
        read.append(wire.href_of(response))
        return read[-1]

    body = b'<multistatus xmlns="DAV:"><response><href>/%s</href></response></multistatus>'
    for href in (b"a", b"a", b"b", b"a"):
        assert whole(body % href, shape).items == (f"/{href.decode()}",)
    assert read == ["/a", "/b"]
    assert len(body) < SHORT
    for _ in range(2):
        with pytest.raises(MalformedReplyError):
            whole(body[:-9], wire.entry)
