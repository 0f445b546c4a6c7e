"""Pages spliced from stored bytes (api.md K35), and the tokens of pages (R11)."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.api.kloudless.examples import ACTIVITY
from syncd.api.pages import page_token, read_page, spliced, spliced_page
from syncd.model.errors import InvalidError
from syncd.model.ids import Cursor, Position

EPOCH = "w6ngfffc"
BODY = orjson.dumps({key: value for key, value in ACTIVITY.items() if key != "cursor"})


def by_splicing(bodies: list[bytes]) -> bytes:
    cursors = (Cursor(EPOCH, Position(place)) for place in range(len(bodies)))
    return spliced_page(bodies, cursors, "end")


def by_decoding(bodies: list[bytes]) -> bytes:
    """Do what splicing saves: decode every record and encode the page."""
    objects = [
        json.loads(body) | {"cursor": str(Cursor(EPOCH, Position(place)))}
        for place, body in enumerate(bodies)
    ]
    page = {"count": len(objects), "objects": objects, "cursor": "end"}
    return json.dumps(page | {"type": "object_list", "api": "events"}).encode()


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_spliced_page_is_what_decoding_and_encoding_gives(count: int) -> None:
    assert json.loads(by_splicing([BODY] * count)) == json.loads(by_decoding([BODY] * count))


def test_members_are_added_at_the_end_of_a_stored_object() -> None:
    assert spliced(b'{"a":1}', ("b", 2), ("c", None)) == b'{"a":1,"b":2,"c":null}'
    assert spliced(b"{}", ("b", 2)) == b'{"b":2}'


def test_a_page_token_names_its_place_in_its_own_list_only() -> None:
    """R11."""
    token = page_token(of="calendars|7", number=2, behind=[False, "work", "x"], cursor="c")
    place = read_page(token, of="calendars|7")
    assert (place.number, place.behind, place.cursor) == (2, (False, "work", "x"), "c")
    assert token.isascii()
    assert not set(token) & set("+/=&?%")
    for text, name in ((token, "calendars|8"), (token[:-2], "calendars|7"), ("x", "calendars|7")):
        with pytest.raises(InvalidError):
            read_page(text, of=name)


@given(st.text(max_size=40))
def test_text_that_no_page_told_is_refused(text: str) -> None:
    if text == "1":
        assert read_page(text, of="list") == read_page(None, of="list")
        return
    with pytest.raises(InvalidError) as refused:
        read_page(text, of="list")
    assert refused.value.field == "page"
