"""Free time of accounts in Kloudless' words (K28, R5, R9, R21)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from syncd.model.access import Scope
from syncd.model.event import Answer, Person, Status
from tests.api.free import PATH, asked, free, hours, on, refused, window
from tests.api.serving import Api
from tests.engine.ground import all_day, event, series


async def test_the_documents_own_answer_comes_out(api: Api) -> None:
    """The seed: two windows, the first from 09:00 to 11:15, the second from 09:30 to 11:25."""
    work = api.ground.server.add("/work/", primary=True)
    for number, (day, start, end) in enumerate(
        [(20, "00:30", "02:00"), (20, "04:15", "05:00"), (21, "01:00", "02:30"),
         (21, "04:25", "04:40")]
    ):  # fmt: skip
        begin, until = (datetime.fromisoformat(f"2017-05-{day}T{one}:00Z") for one in (start, end))
        work.put(f"{number}.ics", event(f"{number}", start=begin, end=until))
    await api.ground.poll()
    (known,) = await api.ground.store.calendars(api.ground.profile_id)
    told = await free(
        api,
        f"/v1/accounts/{api.account}/cal/availability",
        calendars=[known.id],
        time_windows=[
            {"start": "2017-05-20T08:00:00+07:00", "end": "2017-05-20T12:00:00+07:00"},
            {"start": "2017-05-21T08:00:00+07:00", "end": "2017-05-21T12:00:00+07:00"},
        ],
    )
    assert told == [
        *on("2017-05-20", "+07:00", "09:00-11:15"),
        *on("2017-05-21", "+07:00", "09:30-11:25"),
    ]


async def test_slots_begin_on_the_windows_grid_and_are_wholly_free(api: Api) -> None:
    """K28's example: every 30 minutes, counted from the window's start, not the gap's."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", event("Review", **hours(24, 5, 5.25)))
    await api.ground.poll()
    window = {"start": "2026-11-24T10:00:00+07:00", "end": "2026-11-24T12:00:00+07:00"}
    told = await free(api, time_windows=[window], time_slot_increment=30)
    assert told == on("2026-11-24", "+07:00", "10:00-11:00", "10:30-11:30", "11:00-12:00")
    later = {"start": "2026-11-24T12:00:00+07:00", "end": "2026-11-24T14:00:00+07:00"}
    told = await free(api, time_windows=[later], time_slot_increment=30)
    assert told == on("2026-11-24", "+07:00", "12:30-13:30", "13:00-14:00")
    assert await free(api, time_windows=[later], time_slot_increment=0) == on(
        "2026-11-24", "+07:00", "12:15-14:00"
    )


async def test_what_keeps_nobody_busy_is_free(api: Api) -> None:
    me = Person(email="Ada@example.org", answer=Answer.DECLINED)
    bo = Person(email="bo@example.org", answer=Answer.DECLINED)
    work = api.ground.server.add("/work/", primary=True)
    work.put("1.ics", event("Transparent", transparent=True, **hours(24, 8, 9)))
    work.put("2.ics", event("Cancelled", status=Status.CANCELLED, **hours(24, 8, 9)))
    work.put("3.ics", event("Declined", attendees=(me,), **hours(24, 8, 9)))
    work.put("4.ics", event("Moment", **hours(24, 9, 9)))
    work.put("5.ics", event("Tentative", status=Status.TENTATIVE, **hours(24, 10, 11)))
    work.put("6.ics", event("He declined", attendees=(bo,), **hours(24, 12, 13)))
    work.put("7.ics", event("Short gap", **hours(24, 13.5, 14)))
    await api.ground.poll()
    assert await free(api) == on(
        "2026-11-24", "+01:00", "08:00-11:00", "12:00-13:00", "15:00-18:00"
    )


async def test_a_day_lasts_from_midnight_to_midnight_in_the_calendars_zone(api: Api) -> None:
    """K28; a calendar that moves to another zone takes its days along."""
    work = api.ground.server.add("/work/", primary=True, timezone="America/New_York")
    work.put("a.ics", all_day("Fair", 24))
    dates: dict[str, Any] = {"start": date(1990, 11, 26), "end": date(1990, 11, 27)}
    work.put("b.ics", event("Born", recurrence=("RRULE:FREQ=YEARLY",), **dates))
    work.put("b.ics", event("Born", recurrence=("RRULE:FREQ=YEARLY",), **dates))
    await api.ground.poll()
    await api.ground.poll()
    window = {"start": "2026-11-24T00:00:00Z", "end": "2026-11-27T12:00:00Z"}
    midnight = "2026-11-{}T05:00:00Z"
    assert await free(api, time_windows=[window]) == [
        ("2026-11-24T00:00:00Z", midnight.format(24)),
        (midnight.format(25), midnight.format(26)),
        (midnight.format(27), "2026-11-27T12:00:00Z"),
    ]
    api.ground.server.add("/work/", primary=True, timezone="Asia/Tokyo").resources = work.resources
    await api.ground.poll(after=timedelta(minutes=10))
    assert await free(api, time_windows=[window]) == [
        ("2026-11-24T15:00:00Z", "2026-11-25T15:00:00Z"),
        ("2026-11-26T15:00:00Z", "2026-11-27T12:00:00Z"),
    ]


async def test_series_are_busy_at_each_occurrence_and_exceptions_where_they_went(api: Api) -> None:
    work = api.ground.server.add("/work/", primary=True)
    rule = ("RRULE:FREQ=DAILY", "EXDATE:20261126T090000Z")
    daily = event("Stand-up", 20, **hours(20, 9, 10), recurrence=rule)
    moved, off = (
        event(name, uid="Stand-up", original_start=hours(day, 9, 10)["start"], **fields)
        for name, day, fields in [
            ("Later", 25, hours(25, 14, 15)),
            ("Off", 27, hours(27, 9, 10) | {"status": Status.CANCELLED}),
        ]
    )
    work.put("a.ics", daily, moved, off)
    await api.ground.poll()
    days = [
        {"start": f"2026-11-{day}T09:00:00+01:00", "end": f"2026-11-{day}T17:00:00+01:00"}
        for day in (24, 25, 26, 27)
    ]
    assert await free(api, time_windows=days) == [
        *on("2026-11-24", "+01:00", "09:00-10:00", "11:00-17:00"),
        *on("2026-11-25", "+01:00", "09:00-15:00", "16:00-17:00"),
        *on("2026-11-26", "+01:00", "09:00-17:00"),
        *on("2026-11-27", "+01:00", "09:00-17:00"),
    ]


async def test_windows_are_answered_each_by_itself_in_their_order(api: Api) -> None:
    """They may overlap, and each keeps its own offset."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", event("Review", **hours(24, 9, 10)))
    await api.ground.poll()
    told = await free(
        api,
        time_windows=[
            {"start": "2026-11-24T14:00:00+05:30", "end": "2026-11-24T20:00:00+05:30"},
            {"start": "2026-11-24T08:00:00Z", "end": "2026-11-24T12:00:00Z"},
        ],
    )
    assert told == [
        ("2026-11-24T15:30:00+05:30", "2026-11-24T20:00:00+05:30"),
        ("2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"),
        ("2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"),
    ]


async def two_accounts(api: Api) -> tuple[Any, Any]:
    """One busy from 9 to 10, the other, of another user, from 11 to 12, both UTC."""
    eve = await api.another()
    for here, start in ((api.ground, 9), (eve, 11)):
        main = here.server.add("/main/", "Main", primary=True)
        main.put("a.ics", event("Review", **hours(24, start, start + 1)))
        here.server.add("/other/", "Other").put("b.ics", event("Gym", **hours(24, 13, 14)))
        await here.poll()
    return api.ground, eve


async def test_accounts_of_several_tokens_are_searched_together(api: Api) -> None:
    """R5: tokens in any order; ``me`` at place n is the account of token n."""
    _, eve = await two_accounts(api)
    mine, hers = await api.token(profile_id=api.ground.profile_id), await api.token(
        profile_id=eve.profile_id)  # fmt: skip
    both = on("2026-11-24", "+01:00", "08:00-10:00", "11:00-12:00", "13:00-18:00")
    one, two = api.account, int(eve.profile_id)
    for path, token in [
        (f"{one},{two}", f"{mine},{hers}"),
        (f"{two},{one}", f"{mine}, {hers}"),
        ("me,me", f"{mine},{hers}"),
        (f"{two},me", f"{mine},{hers}"),
        (f"{two},{one},{two}", f"{mine},{hers}"),
    ]:
        if path == f"{two},me":
            expected = on("2026-11-24", "+01:00", "08:00-12:00", "13:00-18:00")
        else:
            expected = both
        assert await free(api, f"/v1/accounts/{path}/cal/availability", token) == expected, path
    for path, token, status in [
        (f"{one},{two}", mine, 404),
        (f"{one},{two}", hers, 404),
        ("me", f"{mine},{hers}", 400),
        ("me,me,me", f"{mine},{hers}", 400),
        (f"{one},", mine, 404),
        (f"{one},999", mine, 404),
        (",".join(["1"] * 101), mine, 400),
    ]:
        refused = await asked(api, f"/v1/accounts/{path}/cal/availability", token)
        assert refused.status == status, path


async def test_each_token_needs_the_scope_of_its_own_account(api: Api) -> None:
    _, eve = await two_accounts(api)
    mine = await api.token(Scope.READ_FREE_BUSY, profile_id=api.ground.profile_id)
    hers = await api.token(Scope.LIST_CALENDARS, profile_id=eve.profile_id)
    path = f"/v1/accounts/{api.account},{eve.profile_id}/cal/availability"
    assert (await asked(api, path, f"{mine},{hers}")).status == 403
    assert (await asked(api, PATH, mine)).status == 200
    assert (await asked(api, PATH, await api.token(Scope.READ_EVENTS))).status == 200


async def test_calendars_are_named_by_account_and_the_rest_is_primary(api: Api) -> None:
    _, eve = await two_accounts(api)
    token = f"{api.everything},{await api.token(profile_id=eve.profile_id)}"
    path = f"/v1/accounts/{api.account},{eve.profile_id}/cal/availability"
    mine = {one.calendar.name: one.id for one in await api.ground.store.calendars(
        api.ground.profile_id)}  # fmt: skip
    named = {str(api.account): ["primary", mine["Other"]]}
    assert await free(api, path, token, calendars=named) == on(
        "2026-11-24", "+01:00", "08:00-10:00", "11:00-12:00", "13:00-14:00", "15:00-18:00"
    )
    only = {str(api.account): [mine["Other"]], str(eve.profile_id): []}
    assert await free(api, path, token, calendars=only) == on(
        "2026-11-24", "+01:00", "08:00-12:00", "13:00-14:00", "15:00-18:00"
    )
    assert await free(api, calendars={"me": [mine["Other"]]}) == on(
        "2026-11-24", "+01:00", "08:00-14:00", "15:00-18:00"
    )
    (hers, _) = await eve.store.calendars(eve.profile_id)
    wrongs: list[Any] = [
        [mine["Main"]],
        {"999": []},
        {"me": []},
        {str(api.account): [hers.id]},
        {str(api.account): ["cal_none"]},
    ]
    for wrong in wrongs:
        response = await asked(api, path, token, calendars=wrong)
        await refused(response, "calendars")


async def test_an_account_without_a_primary_calendar_must_name_one(api: Api) -> None:
    api.ground.server.add("/work/")
    await api.ground.poll()
    await refused(await asked(api), "calendars")


async def test_an_answer_tells_its_age(api: Api) -> None:
    """R21: one cursor, or one for each profile; the oldest poll and the worst state."""
    ground, eve = await two_accounts(api)
    alone = await asked(api)
    assert alone.headers["X-Syncd-Cursor"] == str((await ground.store.stream(
        ground.profile_id)).latest)  # fmt: skip
    assert alone.headers["X-Syncd-State"] == "connected"
    assert "X-Syncd-Truncated" not in alone.headers
    await api.disconnect()
    token = f"{api.everything},{await api.token(profile_id=eve.profile_id)}"
    path = f"/v1/accounts/{api.account},{eve.profile_id}/cal/availability"
    both = await asked(api, path, token)
    first, second = both.headers["X-Syncd-Cursor"].split(", ")
    assert first.startswith((await ground.profile()).public_name + "=")
    assert second.startswith((await eve.profile()).public_name + "=")
    assert both.headers["X-Syncd-State"] == "disconnected"
    assert "X-Syncd-Polled-At" in both.headers


async def test_where_an_expansion_is_cut_the_rest_is_busy_and_told(api: Api) -> None:
    """K23, K28: each window by itself, so what fits into one is not cut by another."""
    work = api.ground.server.add("/work/", primary=True)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    begin: dict[str, Any] = {"start": first, "end": first + timedelta(minutes=30)}
    work.put("a.ics", series("Pulse", rule="RRULE:FREQ=HOURLY", **begin))
    await api.ground.poll()
    long = window("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z")
    short = window("2026-03-31T22:00:00Z", "2026-04-01T00:00:00Z")
    response = await asked(api, time_windows=[long, short], meeting_duration="PT30M")
    told = (await response.json(content_type=None))["time_windows"]
    assert response.headers["X-Syncd-Truncated"] == "true"
    assert len(told) == 1999 + 2
    assert told[1998]["end"] == "2026-03-25T07:00:00Z"
    assert told[1999:] == [
        {"start": "2026-03-31T22:30:00Z", "end": "2026-03-31T23:00:00Z"},
        {"start": "2026-03-31T23:30:00Z", "end": "2026-04-01T00:00:00Z"},
    ]
    response = await asked(api, time_windows=[short], meeting_duration="PT30M")
    assert "X-Syncd-Truncated" not in response.headers


async def test_a_rule_that_is_not_expanded_is_busy_while_it_lasts(api: Api) -> None:
    work = api.ground.server.add("/work/", primary=True)
    rule = "RRULE:FREQ=MINUTELY;UNTIL=20261124T120000Z"
    work.put("a.ics", series("Pulse", rule=rule, **hours(24, 10, 10.01)))
    await api.ground.poll()
    response = await asked(api)
    (before, after) = (await response.json(content_type=None))["time_windows"]
    assert response.headers["X-Syncd-Truncated"] == "true"
    assert before["end"] == "2026-11-24T11:00:00+01:00"
    assert "2026-11-24T13:00:00+01:00" <= after["start"] < "2026-11-24T13:02:00+01:00"


async def test_an_answer_has_at_most_ten_thousand_slots(api: Api) -> None:
    api.ground.server.add("/work/", primary=True)
    await api.ground.poll()
    quarter = window("2026-01-01T00:00:00Z", "2026-04-03T00:00:00Z")
    response = await asked(api, time_windows=[quarter] * 3, time_slot_increment=1)
    told = (await response.json(content_type=None))["time_windows"]
    assert len(told) == 10_000
    assert told[-1]["start"] == "2026-01-07T22:39:00Z"
    assert response.headers["X-Syncd-Truncated"] == "true"


@pytest.mark.parametrize(
    ("start", "end"),
    [("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00+14:00"),
     ("9999-12-30T23:59:59-12:00", "9999-12-31T23:59:59-14:00")],
)  # fmt: skip
async def test_the_ends_of_time_are_searched_too(api: Api, start: str, end: str) -> None:
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", series("Stand-up"))
    await api.ground.poll()
    response = await asked(api, time_windows=[window(start, end)])
    assert response.status == 200
