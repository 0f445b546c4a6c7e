"""Writes to Radicale behind each switch of the quirk proxy, and what refusals mean."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import WHOLE, ResourceKey, Slot
from syncd.providers.answers import UnansweredError
from tests.providers.follow import signed_in
from tests.providers.pen import NAME, Pen, names, new, raw, refusing
from tests.servers.caldav import Radicale
from tests.servers.dav_client import event
from tests.servers.quirk_proxy import Switches


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param(Switches(), id="none"),
        pytest.param(Switches(no_put_etag=True), id="D18 no_put_etag"),
        pytest.param(Switches(no_get_etag=True), id="D18 no_get_etag"),
        pytest.param(Switches(no_get_etag=True, no_multiget=True), id="D18 no etag but listed"),
        pytest.param(Switches(weak_etags=True), id="D18 weak_etags"),
        pytest.param(Switches(gzip_etags=True), id="D18 gzip_etags"),
        pytest.param(Switches(rewrite_body=True), id="D18 rewrite_body"),
        pytest.param(Switches(ignore_if_none_match=True), id="D17 ignore_if_none_match"),
        pytest.param(Switches(drop_keepalive=True), id="drop_keepalive"),
    ],
)
async def test_what_a_write_tells_is_what_the_next_poll_finds(pen: Pen, switches: Switches) -> None:
    follower = await pen.desk.follow()
    await follower.read()
    pen.proxy.switches = switches
    made = (await pen.create()).upserts[0]
    changed = (await pen.update(made)).upserts[0]
    assert changed.events[0].name == "Changed"
    before = await pen.read()
    wrote = await pen.delete(before)
    assert wrote.deleted == {before.key}
    read = await follower.read()
    assert (read.changed, read.deleted) == ({f"{NAME}.ics"}, {"e0.ics"})
    (told,) = (one for page in read.pages for one in page.upserts if one.key == made.key)
    assert told.events == changed.events
    if not (switches.weak_etags or switches.no_multiget):
        assert told.etag == changed.etag
    assert (b"X-SERVER" in changed.raw) is switches.rewrite_body


async def test_a_create_costs_two_requests_and_an_update_too(pen: Pen) -> None:
    made = await pen.create()
    await pen.update(made.upserts[0])
    assert pen.asked("PUT", "GET", "PROPFIND", "REPORT") == ["PUT", "GET", "PUT", "GET"]
    assert [one.if_match for one in pen.proxy.asked] == ["", "", made.upserts[0].etag, ""]


async def test_a_weak_etag_is_never_a_condition_d18(pen: Pen) -> None:
    pen.proxy.switches.weak_etags = True
    before = await pen.read()
    assert before.etag.startswith("W/")
    await pen.proxy.put("work", "e0.ics", event("u0", "Of another"))
    for write in (pen.update(before), pen.delete(before)):
        with pytest.raises(ConflictError):
            await write
    assert names(await pen.update(await pen.read())) == ["Changed"]
    assert {one.if_match for one in pen.proxy.asked} == {""}


@pytest.mark.parametrize("ignored", [False, True])
async def test_the_same_name_makes_one_event_d17(pen: Pen, ignored: bool) -> None:  # noqa: FBT001 - a switch
    pen.proxy.switches.ignore_if_none_match = ignored
    first = await pen.create()
    again = await pen.create()
    assert [one.key for one in again.upserts] == [one.key for one in first.upserts]
    follower = await pen.desk.follow()
    assert len((await follower.read()).upserts) == 11


@pytest.mark.parametrize("lose", ["before", "after"])
@pytest.mark.parametrize("weak", [False, True])
async def test_a_lost_answer_is_resolved_by_what_is_there_p11(
    pen: Pen,
    lose: str,
    weak: bool,  # noqa: FBT001 - a switch
) -> None:
    """An unconditional write is not sent again; any other is done once, whatever was lost."""
    pen.proxy.switches.weak_etags = weak
    pen.proxy.switches.lose = lose
    made = (await pen.create()).upserts[0]
    pen.proxy.switches.lose = lose
    if weak and lose == "before":
        with pytest.raises(UnansweredError):
            await pen.update(made)
        assert (await pen.read(f"{NAME}.ics")).events[0].name == "New"
    else:
        assert names(await pen.update(made)) == ["Changed"]
    before = await pen.read(f"{NAME}.ics")
    pen.proxy.switches.lose = lose
    if weak and lose == "before":
        with pytest.raises(UnansweredError):
            await pen.delete(before)
    else:
        assert (await pen.delete(before)).deleted == {made.key}
    follower = await pen.desk.follow()
    left = 11 if weak and lose == "before" else 10
    assert len((await follower.read()).upserts) == left


async def test_a_lost_answer_of_a_version_that_moved_on_is_a_conflict(pen: Pen) -> None:
    before = await pen.read()
    await pen.proxy.put("work", "e0.ics", event("u0", "Of another"))
    pen.proxy.switches.lose = "after"
    with pytest.raises(ConflictError):
        await pen.update(before)
    assert (await pen.read()).events[0].name == "Of another"


async def test_what_was_wanted_and_is_there_already_is_no_conflict(pen: Pen) -> None:
    """Another device was first, with the same words."""
    before = await pen.read()
    await pen.update(before)
    assert names(await pen.update(before)) == ["Changed"]


async def test_two_resources_of_one_uid_are_two_events_d20(pen: Pen) -> None:
    body = event(NAME, "Theirs").encode()
    await pen.proxy.put("work", "theirs.ics", body)
    with pytest.raises(ConflictError, match="no-uid-conflict"):
        await pen.create()
    pen.proxy.switches.duplicate_uid_ok = True
    assert names(await pen.create()) == ["New"]
    follower = await pen.desk.follow()
    assert {"theirs.ics", f"{NAME}.ics"} <= (await follower.read()).changed


async def test_an_edit_that_changes_nothing_writes_nothing(pen: Pen) -> None:
    wrote = await pen.update(await pen.read(), name="Event 0")
    assert names(wrote) == ["Event 0"]
    assert pen.asked("PUT") == []


def condition(name: str, space: str = "urn:ietf:params:xml:ns:caldav") -> str:
    return f'<D:error xmlns:D="DAV:"><x:{name} xmlns:x="{space}"/></D:error>'


REFUSALS: list[tuple[int, str, type[SyncdError]]] = [
    (400, "", InvalidError),
    (400, condition("valid-calendar-data"), InvalidError),
    (401, "", RelinkRequiredError),
    (402, "", InvalidError),
    (403, "", ForbiddenError),
    (403, condition("need-privileges", "DAV:"), ForbiddenError),
    (403, condition("max-resource-size"), InvalidError),
    (403, condition("no-uid-conflict"), ConflictError),
    (404, "", NotFoundError),
    (405, "", UnsupportedError),
    (408, "", TransientError),
    (409, "", ConflictError),
    (409, condition("no-uid-conflict"), ConflictError),
    (410, "", NotFoundError),
    (412, "", ConflictError),
    (412, condition("no-uid-conflict"), ConflictError),
    (413, "", InvalidError),
    (415, "", InvalidError),
    (425, "", TransientError),
    (429, "", TransientError),
    (500, "", TransientError),
    (501, "", UnsupportedError),
    (503, "", TransientError),
    (507, "", TransientError),
    (599, "", TransientError),
]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    REFUSALS,
    ids=[
        f"{status}{' named' if body else ''}-{number}"
        for number, (status, body, _) in enumerate(REFUSALS)
    ],
)
async def test_a_refusal_is_one_error_of_the_tree_and_sent_once(
    pen: Pen, status: int, body: str, error: type[SyncdError]
) -> None:
    before = await pen.read()
    pen.proxy.fault = lambda request, _: (
        refusing(status, body) if request.method in ("PUT", "DELETE") else None
    )
    writes = [pen.create(), pen.update(before)]
    if error is NotFoundError:
        await pen.delete(before)  # P5
    else:
        writes.append(pen.delete(before))
    for write in writes:
        pen.proxy.forget()
        with pytest.raises(error):
            await write
        assert len(pen.asked("PUT", "DELETE")) == 1


@pytest.mark.parametrize("locked", [3, 9])
@pytest.mark.parametrize("kind", ["create", "update", "delete"])
async def test_a_write_to_a_locked_calendar_is_tried_again(
    pen: Pen, kind: str, locked: int
) -> None:
    """423 says that nothing was done (RFC 4918 §11.3)."""
    before, left = await pen.read(), locked
    writes = {"create": pen.create(), "update": pen.update(before), "delete": pen.delete(before)}

    def lock(request: web.Request, _: bytes) -> web.StreamResponse | None:
        nonlocal left
        if request.method not in {"PUT", "DELETE"} or not left:
            return None
        left -= 1
        return refusing(423)

    pen.proxy.fault = lock
    with pytest.raises(TransientError) if locked == 9 else nullcontext():
        await writes.pop(kind)
    assert len(pen.asked("PUT", "DELETE")) == 4
    for other in writes.values():
        other.close()


async def test_a_refusal_is_told_in_the_servers_words(pen: Pen) -> None:
    body = condition("need-privileges", "DAV:").replace(
        "/></D", ">may not bind</x:need-privileges></D"
    )
    pen.proxy.fault = lambda *_: refusing(403, body)
    with pytest.raises(ForbiddenError, match=r"need-privileges; may not bind"):
        await pen.create()
    pen.proxy.fault = lambda *_: refusing(400, "SUMMARY\nis too long")
    with pytest.raises(InvalidError, match="SUMMARY is too long"):
        await pen.create()
    pen.proxy.fault = lambda *_: refusing(429, **{"Retry-After": "7"})
    with pytest.raises(TransientError) as error:
        await pen.create()
    assert error.value.retry_after == timedelta(seconds=7)


async def test_a_calendar_that_is_gone_takes_no_event(pen: Pen) -> None:
    before = await pen.read()
    await pen.proxy.delete("work")
    for write in (pen.create(), pen.update(before), pen.delete(before)):
        with pytest.raises(NotFoundError):
            await write


async def test_an_event_that_is_gone_cannot_change_and_need_not_go_p5(pen: Pen) -> None:
    before = await pen.read()
    await pen.proxy.delete("work", "e0.ics")
    with pytest.raises(NotFoundError):
        await pen.update(before)
    assert (await pen.delete(before)).deleted == {before.key}
    weak = replace(before, etag="")
    assert (await pen.delete(weak)).deleted == {before.key}
    read = await pen.desk.provider.resources(pen.key, [before.key, ResourceKey(f"{pen.key}e1.ics")])
    assert read.deleted == {before.key}
    assert [one.uid for one in read.upserts] == ["u1"]


async def test_a_body_that_cannot_be_changed_safely_is_left_alone(pen: Pen) -> None:
    before = await pen.read()
    broken = replace(before, raw=before.raw.replace(b"END:VEVENT\r\n", b""))
    with pytest.raises(InvalidError):
        await pen.update(broken)
    with pytest.raises(InvalidError):
        await pen.desk.provider.delete_event(pen.key, raw(broken), Slot("20261101T090000Z"))
    assert pen.asked("PUT") == []


async def test_a_calendar_of_others_is_read_only_d7(tmp_path: Path) -> None:
    async with Radicale(tmp_path, read_only="public") as server, signed_in(server) as desk:
        server.place("public", "a.ics", event("u1"))
        calendar = await desk.calendar("public")
        assert calendar.read_only
        key = ResourceKey(f"{calendar.key}a.ics")
        held = (await desk.provider.resources(calendar.key, [key])).upserts[0]
        for write in (
            desk.provider.create_event(calendar.key, new(), name=NAME),
            desk.provider.update_event(calendar.key, raw(held), WHOLE, EventEdit(name="Mine")),
            desk.provider.delete_event(calendar.key, raw(held), WHOLE),
            desk.provider.update_calendar(calendar.key, CalendarEdit(name="Mine")),
            desk.provider.delete_calendar(calendar.key),
        ):
            with pytest.raises(ForbiddenError):
                await write
        assert (await desk.provider.resources(calendar.key, [key])).upserts == (held,)
