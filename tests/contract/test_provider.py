"""What every provider must do, over real servers that know nothing of syncd.

After each step the stream, replayed from its first activity, must say exactly what the server
holds, as an independent client (the ``caldav`` package, in a process of its own) reads it (I2).
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from syncd.model.activity import Filter
from syncd.model.ids import Position, SyncToken
from syncd.model.profile import Reason, State
from syncd.model.resource import Change
from tests.contract.rig import Rig, rigged
from tests.formats.written import vcalendar, vevent
from tests.servers.caldav import CalDavServer, Radicale, Xandikos
from tests.servers.icloud import Icloud
from tests.servers.seeding import ics, seed
from tests.witness import Witness

pytestmark = pytest.mark.timeout(120)
SERVERS: tuple[type[CalDavServer], ...] = (Radicale, Xandikos, Icloud)
FORGED_TOKENS = {
    "radicale": "http://radicale.org/ns/sync/" + "0" * 64,
    "xandikos": "0" * 40,
    "icloud": "http://radicale.org/ns/sync/" + "0" * 64,
}
SERIES = ("DTSTART;TZID=Europe/Berlin:20261124T100000", "DTEND;TZID=Europe/Berlin:20261124T110000")
WEEKLY = (*SERIES, "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;COUNT=8")


@pytest.fixture(params=SERVERS, ids=lambda kind: kind.name)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with request.param(tmp_path / "server") as server, Witness.running() as witness:
        await server.mkcalendar("work", name="Work")
        (tmp_path / "store").mkdir()
        async with rigged(server, tmp_path / "store", witness) as ready:
            yield ready


def single(uid: str, *lines: str, day: int = 24) -> bytes:
    times = (f"DTSTART:202611{day:02}T090000Z", f"DTEND:202611{day:02}T100000Z")
    return vcalendar(vevent("DTSTAMP:20261101T000000Z", *times, *lines, uid=uid))


def series(*exceptions: str, uid: str = "weekly", lines: tuple[str, ...] = WEEKLY) -> bytes:
    return vcalendar(vevent("DTSTAMP:20261101T000000Z", *lines, uid=uid), *exceptions)


def exception(week: int, hour: int, *lines: str, uid: str = "weekly") -> str:
    day = f"2026{('1124', '1201', '1208', '1215')[week]}"
    return vevent(
        "DTSTAMP:20261101T000000Z",
        f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T100000",
        f"DTSTART;TZID=Europe/Berlin:{day}T{hour:02}0000",
        f"DTEND;TZID=Europe/Berlin:{day}T{hour + 1:02}0000",
        *lines,
        uid=uid,
    )


async def connected(rig: Rig) -> Rig:
    await rig.connect()
    assert (await rig.poll()).error is None
    await rig.agree()
    return rig


async def test_the_first_read_tells_everything_and_the_next_one_nothing(rig: Rig) -> None:
    await rig.server.put("work", "a.ics", single("a", "SUMMARY:First"))
    await rig.server.put("work", "b.ics", series(exception(1, 14)))
    await connected(rig)
    assert (await rig.profile()).state is State.CONNECTED
    stream = await rig.store.stream(rig.profile_id)
    assert stream.after_auth == stream.head
    await rig.step()
    await rig.step()


async def test_single_events_come_change_move_and_go(rig: Rig) -> None:
    await connected(rig)
    await rig.server.put("work", "a.ics", single("a", "SUMMARY:First"))
    await rig.step(add=1)
    await rig.server.put("work", "a.ics", single("a", "SUMMARY:Second", "LOCATION:Room 1"))
    await rig.step(update=1)
    await rig.server.put("work", "a.ics", single("a", "SUMMARY:Second", "LOCATION:Room 1", day=26))
    await rig.step(update=1)
    await rig.server.delete("work", "a.ics")
    await rig.step(delete=1)


async def test_a_series_and_each_of_its_exceptions_are_told_apart(rig: Rig) -> None:
    await connected(rig)
    await rig.server.put("work", "w.ics", series())
    await rig.step(add=1)
    await rig.server.put("work", "w.ics", series(exception(1, 14, "SUMMARY:Later")))
    await rig.step(add=1)
    await rig.server.put(
        "work", "w.ics", series(exception(1, 16, "SUMMARY:Later"), exception(2, 12))
    )
    await rig.step(add=1, update=1)
    await rig.server.put("work", "w.ics", series(exception(2, 12)))
    await rig.step(delete=1)
    await rig.server.delete("work", "w.ics")
    await rig.step(delete=2)


async def test_a_cancelled_occurrence_changes_its_series_p8(rig: Rig) -> None:
    await rig.server.put("work", "w.ics", series())
    await connected(rig)
    cancelled = (*WEEKLY, "EXDATE;TZID=Europe/Berlin:20261201T100000")
    await rig.server.put("work", "w.ics", series(lines=cancelled))
    await rig.step(update=1)


async def test_a_series_that_is_split_is_a_shorter_one_and_a_new_one(rig: Rig) -> None:
    await rig.server.put("work", "w.ics", series(exception(3, 15)))
    await connected(rig)
    first = (*SERIES, "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;UNTIL=20261201T090000Z")
    rest = tuple(line.replace("20261124", "20261208") for line in WEEKLY)
    await rig.server.put("work", "w.ics", series(lines=first))
    await rig.server.put("work", "w2.ics", series(uid="weekly-2", lines=rest))
    await rig.step(add=1, update=1, delete=1)


async def test_calendars_come_are_renamed_and_go_with_their_events(rig: Rig) -> None:
    await connected(rig)
    await rig.server.mkcalendar("private", name="Private")
    await rig.server.put("private", "a.ics", single("a"))
    await rig.server.put("private", "b.ics", single("b"))
    await rig.step(add=3)
    await rig.server.set_name("private", "Very private")
    await rig.step(update=1)
    await rig.server.delete("private")
    polled = [await rig.poll() for _ in range(3)]
    assert [one.error for one in polled] == [None, None, None]
    assert await rig.drain() == {"add": 0, "update": 0, "delete": 3}
    await rig.agree()


@pytest.mark.parametrize("rig", SERVERS[:2], indirect=True, ids=lambda kind: kind.name)
async def test_a_thousand_events_are_read_and_followed(rig: Rig) -> None:
    """Not over iCloud's stand-in: it would be Radicale's reading again, and slow."""
    await rig.server.stop()
    seed(rig.server.held, "work", 1000)
    await rig.server.start()
    await connected(rig)
    assert rig.replay.counts["add"] >= 1001
    for number in range(10):
        await rig.server.put("work", f"bench-{number}.ics", ics(number, "Changed"))
    await rig.step(update=10)


async def test_an_expired_token_costs_one_full_read_and_no_activity_i8(rig: Rig) -> None:
    for number in range(5):
        await rig.server.put("work", f"{number}.ics", single(f"u{number}", f"SUMMARY:{number}"))
    await connected(rig)
    forgotten = await forget_tokens(rig)
    assert forgotten > 0
    await rig.server.put("work", "0.ics", single("u0", "SUMMARY:changed"))
    await rig.server.delete("work", "1.ics")
    await rig.server.put("work", "5.ics", single("u5"))
    if rig.server.name == "icloud":  # lists everything again, without what is gone (IC5, D12)
        assert (await rig.poll()).error is None
        assert await rig.drain() == {"add": 1, "update": 1, "delete": 0}
        await rig.step(delete=1)
        forgotten = 0  # no token was refused
    else:
        await rig.step(add=1, update=1, delete=1)
    assert rig.meter.counts["full_reads_total"] == forgotten
    await rig.step()
    assert rig.meter.counts["full_reads_total"] == forgotten


async def forget_tokens(rig: Rig) -> int:
    """Let the snapshot hold tokens that this server never gave, as after its history was lost.

    Return of how many calendars.
    """
    forgotten = 0
    profile = await rig.profile()
    for one in await rig.store.calendars(profile.id):
        if one.token is None:
            continue
        state = orjson.loads(one.token)
        state["s"] = FORGED_TOKENS[rig.server.name]
        forged = replace(one, token=SyncToken(orjson.dumps(state).decode()))
        await rig.store.record(forged, Change(), generation=profile.generation)
        forgotten += 1
    return forgotten


async def test_a_server_that_restarts_costs_no_activity(rig: Rig) -> None:
    await rig.server.put("work", "a.ics", single("a"))
    await connected(rig)
    await rig.server.stop()
    polled = await rig.poll()
    assert polled.error is not None
    assert polled.error.code == "upstream_error"
    assert (await rig.profile()).state is State.CONNECTED
    await rig.server.start()
    await rig.step()


async def test_a_wrong_password_disconnects_by_proof_and_the_right_one_heals(rig: Rig) -> None:
    await rig.server.put("work", "a.ics", single("a"))
    before = await (await connected(rig)).profile()
    right = rig.server.password
    rig.server.set_password("another")
    await rig.poll(20)
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.CREDENTIALS_REFUSED)
    rig.server.set_password(right)
    await rig.server.put("work", "b.ics", single("b"))
    back = await rig.linking.relink(dead, rig.login())
    assert (back.id, back.state) == (before.id, State.CONNECTED)
    await rig.step(add=1)
    assert await account_states(rig) == ["initial", "connected", "disconnected", "connected"]


async def account_states(rig: Rig) -> list[str]:
    _, found = await rig.store.read(rig.profile_id, after=Position(0), limit=500, wanted=Filter())
    records = [orjson.loads(one.body) for one in found]
    return [one["metadata"]["state"] for one in records if one["metadata"]["type"] == "account"]


async def test_an_event_with_a_broken_line_costs_nothing_else_i10(rig: Rig) -> None:
    await connected(rig)
    await rig.server.put("work", "ok.ics", single("ok", "SUMMARY:Sound"))
    await rig.server.put(
        "work", "odd.ics", single("odd", "SUMMARY:Odd", "X-ODD;X-P=a b:;;\\,", "PRIORITY:much")
    )
    await rig.step(add=2)


@pytest.mark.parametrize("day", ["20260329", "20261025"])
async def test_days_zones_and_changes_of_the_clock_agree(rig: Rig, day: str) -> None:
    await connected(rig)
    written = {
        "day": ("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126", "SUMMARY:Fair"),
        "one": ("DTSTART;VALUE=DATE:20261124", "SUMMARY:Holiday"),
        "dst": (f"DTSTART;TZID=Europe/Berlin:{day}T013000", "DURATION:PT3H", "SUMMARY:Night"),
        "york": (f"DTSTART;TZID=America/New_York:{day}T100000", "DURATION:PT1H", "SUMMARY:York"),
        "utc": (f"DTSTART:{day}T100000Z", f"DTEND:{day}T110000Z", "SUMMARY:Zulu"),
        "howe": (f"DTSTART;TZID=Australia/Lord_Howe:{day}T100000", "DURATION:PT1H"),
    }
    for name, lines in written.items():
        body = vcalendar(vevent("DTSTAMP:20261101T000000Z", *lines, uid=name))
        await rig.server.put("work", f"{name}.ics", body)
    await rig.step(add=len(written))
    weekly = (f"DTSTART;TZID=Europe/Berlin:{day}T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    await rig.server.put("work", "s.ics", series(lines=weekly))
    await rig.step(add=1)


async def test_a_renamed_file_keeps_its_event_p7(rig: Rig) -> None:
    body = single("a", "SUMMARY:Moved file")
    await rig.server.put("work", "a.ics", body)
    await connected(rig)
    known = set(rig.replay.events)
    await rig.server.delete("work", "a.ics")
    await rig.server.put("work", "b.ics", body)
    await rig.step()
    assert set(rig.replay.events) == known
