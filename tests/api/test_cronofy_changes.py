"""What changed since, what was deleted, what moved away; free and busy (api.md C6, C8)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from syncd.model.access import Scope
from syncd.model.event import Answer, Person, Status
from tests.api.serving import Api
from tests.api.test_cronofy_events import NOVEMBER, every, managed, names
from tests.engine.ground import all_day, event, exception, series


async def told(api: Api, flags: str) -> list[tuple[str, bool]]:
    found = await every(api, f"/v1/events?{NOVEMBER}&{flags}")
    return [(one["summary"], one["deleted"]) for one in found]


def now(api: Api) -> str:
    return api.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_only_what_was_recorded_since_is_listed(api: Api) -> None:
    """C6: by our recording, at or after it; a series that changed lists all its occurrences."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", event("Old", 1))
    calendar.put("b.ics", event("Changed", 2))
    calendar.put("c.ics", series("Still", 3, rule="RRULE:FREQ=DAILY;COUNT=2"))
    calendar.put("d.ics", series("Moving", 4, rule="RRULE:FREQ=DAILY;COUNT=2"))
    await api.ground.poll()
    api.clock.advance(timedelta(hours=1))
    since = now(api)
    assert await told(api, f"last_modified={since}") == []
    calendar.put("b.ics", replace(event("Changed", 2), name="Changed!"))
    calendar.put("d.ics", series("Moving", 4, rule="RRULE:FREQ=DAILY;COUNT=2", location="Room"))
    calendar.put("e.ics", event("New", 6))
    await api.ground.poll()
    at = now(api)
    wanted = [("Changed!", False), ("Moving", False), ("Moving", False), ("New", False)]
    assert await told(api, f"last_modified={since}") == wanted
    assert await told(api, f"last_modified={at}") == wanted
    api.clock.advance(timedelta(seconds=1))
    assert await told(api, f"last_modified={now(api)}") == []
    assert len(await told(api, "last_modified=2020-01-01")) == 7


async def test_beyond_what_the_stream_retains_everything_counts_as_recorded_since(
    api: Api,
) -> None:
    """C6: rather once more than not at all."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", event("Old", 1))
    await api.ground.poll()
    since = now(api)
    api.clock.advance(timedelta(days=31))
    calendar.put("b.ics", event("New", 2))
    await api.ground.poll()
    assert await told(api, f"last_modified={since}") == [("Old", False), ("New", False)]
    api.clock.advance(timedelta(minutes=1))
    assert await told(api, f"last_modified={now(api)}") == []
    store = api.ground.store
    await store.prune(api.ground.profile_id, before=api.clock.now() - timedelta(days=30), keep=None)
    assert await told(api, f"last_modified={since}") == [("Old", False), ("New", False)]
    assert await told(api, f"last_modified={now(api)}") == []


async def test_deleted_events_are_listed_as_they_were_last(api: Api) -> None:
    """C6: single events, series with each occurrence, and exceptions."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", event("Single", 1))
    calendar.put(
        "b.ics",
        series("Daily", 2, rule="RRULE:FREQ=DAILY;COUNT=3"),
        exception("Late", 3, uid="Daily"),
    )
    calendar.put(
        "c.ics",
        event(
            "Elsewhere",
            start=datetime(2027, 3, 1, tzinfo=UTC),
            end=datetime(2027, 3, 2, tzinfo=UTC),
        ),
    )
    calendar.put("d.ics", event("Stays", 9))
    await api.ground.poll()
    before = {one["event_uid"] for one in await every(api, f"/v1/events?{NOVEMBER}")}
    for key in ("a.ics", "b.ics", "c.ics"):
        calendar.remove(key)
    await api.ground.poll()
    assert await told(api, "include_deleted=false") == [("Stays", False)]
    found = await every(api, f"/v1/events?{NOVEMBER}&include_deleted=True")
    assert {one["event_uid"] for one in found} == before
    assert [(one["summary"], one["deleted"]) for one in found] == [
        ("Single", True),
        ("Daily", True),
        ("Late", True),
        ("Daily", True),
        ("Stays", False),
    ]
    assert not found[0]["options"]["update"]


async def test_occurrences_that_a_rule_no_longer_gives_are_deleted(api: Api) -> None:
    """C6: a reader that keeps occurrences by their ids learns which to drop."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", series("Daily", 1, rule="RRULE:FREQ=DAILY;COUNT=4"))
    await api.ground.poll()
    before = await every(api, f"/v1/events?{NOVEMBER}")
    since = now(api)
    calendar.put(
        "a.ics",
        replace(
            series("Daily", 1),
            recurrence=("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20261102T090000Z"),
        ),
    )
    await api.ground.poll()
    found = await every(api, f"/v1/events?{NOVEMBER}&include_deleted=1&last_modified={since}")
    dropped = {one["event_uid"] for one in found if one["deleted"]}
    assert dropped == {before[1]["event_uid"], before[3]["event_uid"]}
    kept = {one["event_uid"] for one in found if not one["deleted"]}
    assert kept == {before[0]["event_uid"], before[2]["event_uid"]}


async def test_an_occurrence_that_is_usual_again_is_told_since(api: Api) -> None:
    """C6: the exception in its place was deleted, nothing else about the series changed."""
    calendar = api.ground.server.add("/work/")
    whole = series("Daily", 1, rule="RRULE:FREQ=DAILY;COUNT=3")
    calendar.put("a.ics", whole, exception("Late", 2, uid="Daily"))
    await api.ground.poll()
    api.clock.advance(timedelta(hours=1))
    since = now(api)
    calendar.put("a.ics", whole)
    await api.ground.poll()
    assert await told(api, f"last_modified={since}&include_deleted=true") == [("Daily", False)]


async def test_what_moved_out_of_the_window_is_listed_if_asked_for(api: Api) -> None:
    """C6: as it is now."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", event("Moved", 1))
    calendar.put("b.ics", event("Within", 2))
    calendar.put("c.ics", event("Changed", 3))
    await api.ground.poll()
    march = datetime(2027, 3, 1, 9, tzinfo=UTC)
    calendar.put("a.ics", event("Moved", start=march, end=march + timedelta(hours=1)))
    calendar.put("b.ics", replace(event("Within", 4)))
    calendar.put("c.ics", replace(event("Changed", 3), location="Room"))
    await api.ground.poll()
    assert await told(api, "") == [("Changed", False), ("Within", False)]
    found = await every(api, f"/v1/events?{NOVEMBER}&include_moved=true")
    assert names(found) == ["Changed", "Within", "Moved"]
    assert found[2]["start"] == "2027-03-01T09:00:00Z"
    assert await told(api, "include_deleted=true") == [("Changed", False), ("Within", False)]


async def test_deleted_managed_events_keep_their_own_ids(api: Api) -> None:
    """C6: and are left out with the others that this application made."""
    calendar = api.ground.server.add("/work/")
    calendar.put("a.ics", event("Mine", 1))
    await api.ground.poll()
    await managed(api, "Mine", "mine-1")
    calendar.remove("a.ics")
    await api.ground.poll()
    assert await told(api, "include_deleted=true") == []
    flags = "include_deleted=true&only_managed=true"
    (one,) = await every(api, f"/v1/events?{NOVEMBER}&{flags}")
    assert (one["event_id"], one["deleted"]) == ("mine-1", True)


async def test_events_of_a_deleted_calendar_are_deleted(api: Api) -> None:
    """C6."""
    server = api.ground.server
    server.add("/work/", "Work").put("a.ics", event("Kept", 1))
    server.add("/team/", "Team").put("b.ics", event("Lost", 2))
    await api.ground.poll()
    del server.calendars["/team/"]  # type: ignore[arg-type]  # a plain str
    for _ in range(3):
        await api.ground.poll(after=timedelta(minutes=10))
    assert await told(api, "") == [("Kept", False)]
    assert await told(api, "include_deleted=true") == [("Kept", False), ("Lost", True)]


async def test_free_and_busy_times_have_no_titles(api: Api) -> None:
    """C8."""
    calendar = api.ground.server.add("/work/")
    me = Person(email="ada@example.org")
    shown: dict[str, dict[str, Any]] = {
        "busy": {},
        "tentative": {"status": Status.TENTATIVE},
        "perhaps": {"attendees": (replace(me, answer=Answer.TENTATIVE),)},
        "free": {"transparent": True},
        "declined": {"attendees": (replace(me, answer=Answer.DECLINED),)},
        "off": {"status": Status.CANCELLED},
    }
    for day, (name, fields) in enumerate(shown.items(), 1):
        calendar.put(f"{name}.ics", event(name, day, **fields))
    calendar.put("z.ics", all_day("Fair", 9))
    await api.ground.poll()
    narrow = await api.token(Scope.READ_FREE_BUSY)
    body = await api.json(f"/v1/free_busy?{NOVEMBER}", token=narrow)
    assert body["pages"] == {"current": 1, "total": 1}
    statuses = [one["free_busy_status"] for one in body["free_busy"]]
    assert statuses == ["busy", "tentative", "tentative", "free", "free", "busy"]
    assert body["free_busy"][0] == {
        "calendar_id": body["free_busy"][0]["calendar_id"],
        "start": "2026-11-01T09:00:00Z",
        "end": "2026-11-01T10:00:00Z",
        "free_busy_status": "busy",
    }
    assert body["free_busy"][-1]["start"] == "2026-11-09"
