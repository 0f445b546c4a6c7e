"""What CalDAV adds to the contract of every provider: files, and what is said in iCalendar."""

from dataclasses import replace

import orjson
import pytest

from syncd.model.ids import SyncToken
from syncd.model.resource import Change
from tests.contract.rig import Rig
from tests.contract.stages.caldav import DavStage
from tests.formats.written import vcalendar, vevent
from tests.servers.caldav import CalDavServer

pytestmark = pytest.mark.timeout(120)
FORGED_TOKENS = {
    "radicale": "http://radicale.org/ns/sync/" + "0" * 64,
    "xandikos": "0" * 40,
    "icloud": "http://radicale.org/ns/sync/" + "0" * 64,
}
SERIES = ("DTSTART;TZID=Europe/Berlin:20261124T100000", "DTEND;TZID=Europe/Berlin:20261124T110000")
WEEKLY = (*SERIES, "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;COUNT=8")


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


async def connected(rig: Rig[DavStage]) -> CalDavServer:
    await rig.connect()
    assert (await rig.poll()).error is None
    await rig.agree()
    return rig.stage.server


async def test_exceptions_come_and_go_with_what_their_file_says(dav: Rig[DavStage]) -> None:
    server = await connected(dav)
    await server.put("work", "w.ics", series())
    await dav.step(add=1)
    await server.put("work", "w.ics", series(exception(1, 14, "SUMMARY:Later")))
    await dav.step(add=1)
    await server.put("work", "w.ics", series(exception(1, 16, "SUMMARY:Later"), exception(2, 12)))
    await dav.step(add=1, update=1)
    await server.put("work", "w.ics", series(exception(2, 12)))
    await dav.step(delete=1)
    await server.delete("work", "w.ics")
    await dav.step(delete=2)


async def test_a_series_that_is_split_loses_its_later_exceptions(dav: Rig[DavStage]) -> None:
    await dav.stage.server.put("work", "w.ics", series(exception(3, 15)))
    server = await connected(dav)
    first = (*SERIES, "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;UNTIL=20261201T090000Z")
    rest = tuple(line.replace("20261124", "20261208") for line in WEEKLY)
    await server.put("work", "w.ics", series(lines=first))
    await server.put("work", "w2.ics", series(uid="weekly-2", lines=rest))
    await dav.step(add=1, update=1, delete=1)


async def test_tokens_that_a_server_never_gave_cost_a_full_read_each_i8(
    dav: Rig[DavStage],
) -> None:
    for number in range(5):
        body = single(f"u{number}", f"SUMMARY:{number}")
        await dav.stage.server.put("work", f"{number}.ics", body)
    server = await connected(dav)
    forgotten = await forget_tokens(dav)
    assert forgotten > 0
    await server.put("work", "0.ics", single("u0", "SUMMARY:changed"))
    await server.delete("work", "1.ics")
    await server.put("work", "5.ics", single("u5"))
    if dav.stage.name == "icloud":  # lists everything again, without what is gone (IC5, D12)
        assert (await dav.poll()).error is None
        assert await dav.drain() == {"add": 1, "update": 1, "delete": 0}
        await dav.step(delete=1)
        forgotten = 0  # no token was refused
    else:
        await dav.step(add=1, update=1, delete=1)
    assert dav.meter.counts["full_reads_total"] == forgotten
    await dav.step()
    assert dav.meter.counts["full_reads_total"] == forgotten


async def forget_tokens(dav: Rig[DavStage]) -> int:
    """Let the snapshot hold tokens that this server never gave, as after its history was lost.

    Return of how many calendars.
    """
    forgotten = 0
    profile = await dav.profile()
    for one in await dav.store.calendars(profile.id):
        if one.token is None:
            continue
        state = orjson.loads(one.token)
        state["s"] = FORGED_TOKENS[dav.stage.name]
        forged = replace(one, token=SyncToken(orjson.dumps(state).decode()))
        await dav.store.record(forged, Change(), generation=profile.generation)
        forgotten += 1
    return forgotten


@pytest.mark.parametrize("day", ["20260329", "20261025"])
async def test_days_zones_and_changes_of_the_clock_agree(dav: Rig[DavStage], day: str) -> None:
    """With a duration, and with no end at all, where the neutral suite always has an end."""
    server = await connected(dav)
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
        await server.put("work", f"{name}.ics", body)
    await dav.step(add=len(written))
    daily = (f"DTSTART;TZID=Europe/Berlin:{day}T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    await server.put("work", "s.ics", series(lines=daily))
    await dav.step(add=1)


async def test_a_renamed_file_keeps_its_event_p7(dav: Rig[DavStage]) -> None:
    body = single("a", "SUMMARY:Moved file")
    await dav.stage.server.put("work", "a.ics", body)
    server = await connected(dav)
    known = set(dav.replay.events)
    await server.delete("work", "a.ics")
    await server.put("work", "b.ics", body)
    await dav.step()
    assert set(dav.replay.events) == known
