"""Common free time of several users (C16)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.model.access import Scope
from tests.api.free import hours
from tests.api.serving import Api
from tests.api.test_authorization import application
from tests.engine.ground import Ground, event, series

ADA, EVE = "acc_ada", "acc_eve"
HOUR = {"minutes": 60}
NINE_TO_FIVE = {"start": "2026-11-24T09:00:00Z", "end": "2026-11-24T17:00:00Z"}
Found = list[tuple[str, str, str]]


def group(*subs: str, required: Any = "all") -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"members": [{"sub": sub} for sub in subs], "required": required}


async def asked(api: Api, token: str | None = None, **body: Any) -> Any:  # noqa: ANN401 - JSON
    plain: dict[str, Any] = {"participants": [group(ADA)], "required_duration": HOUR}
    if not {"query_periods", "available_periods", "query_slots"} & body.keys():
        plain["query_periods"] = [NINE_TO_FIVE]
    return await api.send("POST", "/v1/availability", token=token, json={**plain, **body})


async def found(api: Api, token: str | None = None, **body: Any) -> Found:  # noqa: ANN401 - JSON
    """Return ``09:00``, ``10:00``, ``ada eve``."""
    response = await asked(api, token, **body)
    told = await response.json(content_type=None)
    assert response.status == 200, told
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    slots = body.get("response_format", "periods") != "periods" or "query_slots" in body
    assert told.keys() == {"available_slots" if slots else "available_periods"}
    (listed,) = told.values()
    for one in listed:
        assert one.keys() == {"start", "end", "participants"}
        assert one["start"].startswith("2026-11-24T")
        assert one["end"].endswith(":00Z")
    return [
        (
            one["start"][11:16],
            one["end"][11:16],
            " ".join(each["sub"].removeprefix("acc_") for each in one["participants"]),
        )
        for one in listed
    ]


async def users(api: Api) -> tuple[Ground, Ground, str]:
    """Ada is busy 10-11 and 14-15, and 16-17 in another calendar; Eve 10:30-13. And a key."""
    eve = await api.another()
    work = api.ground.server.add("/work/", "Work", primary=True)
    work.put("a.ics", event("Review", **hours(24, 10, 11)))
    work.put("b.ics", series("Stand-up", **hours(20, 14, 15)))
    api.ground.server.add("/home/", "Home").put("c.ics", event("Gym", **hours(24, 16, 17)))
    eve.server.add("/work/", primary=True).put("a.ics", event("Trip", **hours(24, 10.5, 13)))
    await api.ground.poll()
    await eve.poll()
    return api.ground, eve, await application(api, "one")


async def test_periods_of_one_user_with_their_own_token(api: Api) -> None:
    await users(api)
    assert await found(api) == [
        ("09:00", "10:00", "ada"),
        ("11:00", "14:00", "ada"),
        ("15:00", "16:00", "ada"),
    ]


async def test_both_names_of_periods_mean_the_same(api: Api) -> None:
    await users(api)
    assert await found(api, available_periods=[NINE_TO_FIVE]) == await found(api)


async def test_all_of_a_group_must_be_free(api: Api) -> None:
    *_, key = await users(api)
    expected = [("09:00", "10:00", "ada eve"), ("13:00", "14:00", "ada eve"),
                ("15:00", "16:00", "ada eve")]  # fmt: skip
    assert await found(api, key, participants=[group(ADA, EVE)]) == expected
    assert await found(api, key, participants=[group(ADA), group(EVE)]) == expected


async def test_some_of_a_group_suffice_and_the_answer_names_who_is_free(api: Api) -> None:
    """The longest times in which the same people are free; they may overlap."""
    *_, key = await users(api)
    one = [group(ADA, EVE, required=1)]
    assert await found(api, key, participants=one) == [
        ("09:00", "10:30", "eve"),
        ("11:00", "14:00", "ada"),
        ("13:00", "17:00", "eve"),
    ]
    slots = await found(api, key, participants=one, response_format="slots")
    assert slots == [
        ("09:00", "10:00", "ada eve"),
        ("11:00", "12:00", "ada"),
        ("12:00", "13:00", "ada"),
        ("13:00", "14:00", "ada eve"),
        ("14:00", "15:00", "eve"),
        ("15:00", "16:00", "ada eve"),
        ("16:00", "17:00", "eve"),
    ]


async def test_every_group_must_be_met(api: Api) -> None:
    *_, key = await users(api)
    both = [group(EVE), group(ADA, EVE, required=1)]
    assert await found(api, key, participants=both) == [
        ("09:00", "10:30", "eve"),
        ("13:00", "17:00", "eve"),
    ]


async def test_slots_lie_apart_and_overlapping_ones_begin_at_each_interval(api: Api) -> None:
    await users(api)
    morning = [{"start": "2026-11-24T11:00:00Z", "end": "2026-11-24T14:00:00Z"}]
    long = {"minutes": 90}

    async def slots(form: str, **more: Any) -> list[str]:  # noqa: ANN401 - JSON
        given = {"query_periods": morning, "required_duration": long, **more}
        return [start for start, _, _ in await found(api, response_format=form, **given)]

    assert await slots("slots") == ["11:00", "12:30"]
    assert await slots("slots", start_interval={"minutes": 20}) == ["11:00"]
    assert await slots("slots", start_interval={"minutes": 15}) == ["11:00", "12:30"]
    assert await slots("overlapping_slots") == ["11:00", "11:30", "12:00", "12:30"]
    assert await slots("overlapping_slots", start_interval={"minutes": 45}) == ["11:00", "11:45",
                                                                               "12:30"]  # fmt: skip
    assert await slots("overlapping_slots", max_results=2) == ["11:00", "11:30"]


async def test_slots_that_are_asked_for_are_answered_one_by_one(api: Api) -> None:
    *_, key = await users(api)
    slots = [{"start": f"2026-11-24T{hour}:00Z"} for hour in ("13:00", "09:30", "09:00", "12:00")]
    assert await found(api, key, participants=[group(ADA, EVE)], query_slots=slots) == [
        ("09:00", "10:00", "ada eve"),
        ("13:00", "14:00", "ada eve"),
    ]


async def test_a_buffer_keeps_free_what_lies_around_a_meeting(api: Api) -> None:
    """``before`` is free time before the meeting, so behind what was there; also at the rim."""
    await users(api)
    before, after = {"before": {"minutes": 30}}, {"after": {"minutes": 15}}
    assert await found(api, buffer=before) == [
        ("09:00", "10:00", "ada"),
        ("11:30", "14:00", "ada"),
    ]
    assert await found(api, buffer=after) == [("11:00", "13:45", "ada")]
    late = [{"start": "2026-11-24T17:00:00Z", "end": "2026-11-24T19:00:00Z"}]
    assert await found(api, buffer=before, query_periods=late) == [("17:30", "19:00", "ada")]
    early = [{"start": "2026-11-24T08:00:00Z", "end": "2026-11-24T10:00:00Z"}]
    assert await found(api, buffer=after, query_periods=early) == [("08:00", "09:45", "ada")]
    assert await found(api, buffer={}) == await found(api)


async def test_members_may_limit_their_calendars_and_their_time(api: Api) -> None:
    ada, *_ = await users(api)
    named = {one.calendar.name: one.id for one in await ada.store.calendars(ada.profile_id)}

    async def alone(**member: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
        people = [{"members": [{"sub": ADA, **member}]}]
        return [(start, end) for start, end, _ in await found(api, participants=people)]

    assert await alone(calendar_ids=[named["Home"]]) == [("09:00", "16:00")]
    assert await alone(calendar_ids=["primary"]) == [
        ("09:00", "10:00"), ("11:00", "14:00"), ("15:00", "17:00")]  # fmt: skip
    noon = [{"start": "2026-11-24T12:30:00Z", "end": "2026-11-24T15:30:00Z"}]
    assert await alone(available_periods=noon) == [("12:30", "14:00")]


async def test_overlapping_periods_tell_nothing_twice(api: Api) -> None:
    await users(api)
    assert await found(api, query_periods=[NINE_TO_FIVE, NINE_TO_FIVE]) == await found(api)


async def test_users_beyond_the_token_are_unknown(api: Api) -> None:
    _, _, key = await users(api)
    for token, sub, status in [
        (None, EVE, 422),
        (None, "acc_none", 422),
        (key, "acc_none", 422),
        (key, EVE, 200),
        (await api.token(Scope.LIST_CALENDARS), ADA, 403),
        ("syncd_none_x", ADA, 401),
    ]:
        response = await asked(api, token, participants=[group(sub)])
        assert response.status == status
        if status == 422:
            (fault,) = (await response.json(content_type=None))["errors"]["participants"]
            assert fault["key"] == "errors.unknown"


@pytest.mark.parametrize(
    ("field", "key", "body"),
    [
        ("participants", "errors.invalid", {"participants": []}),
        ("participants", "errors.invalid", {"participants": [group()]}),
        ("participants", "errors.too_long", {"participants": [group(ADA)] * 11}),
        ("participants", "errors.invalid", {"participants": [group(ADA, required=2)]}),
        ("participants", "errors.invalid", {"participants": [group(ADA, required=0)]}),
        ("participants", "errors.invalid", {"participants": [group(ADA, required="some")]}),
        ("participants", "errors.unknown",
         {"participants": [{"members": [{"sub": ADA, "calendar_ids": ["cal_none"]}]}]}),
        ("required_duration", "errors.invalid", {"required_duration": {"minutes": 0}}),
        ("required_duration", "errors.invalid", {"required_duration": 60}),
        ("query_periods", "errors.required", {"query_periods": None}),
        ("query_periods", "errors.invalid", {"query_periods": []}),
        ("query_periods", "errors.too_long", {"query_periods": [NINE_TO_FIVE] * 101}),
        ("query_periods", "errors.invalid",
         {"query_periods": [NINE_TO_FIVE], "available_periods": [NINE_TO_FIVE]}),
        ("query_slots", "errors.invalid", {"query_slots": [{"start": "soon"}]}),
        ("buffer", "errors.invalid", {"buffer": {"before": {"minutes": -1}}}),
        ("max_results", "errors.invalid", {"max_results": 0}),
        ("max_results", "errors.invalid", {"max_results": 1001}),
        ("response_format", "errors.invalid", {"response_format": "holes"}),
        ("start_interval", "errors.invalid", {"start_interval": {"minutes": 0}}),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_by_field(
    api: Api, field: str, key: str, body: dict[str, Any]
) -> None:
    await users(api)
    response = await asked(api, **body)
    told = await response.json(content_type=None)
    assert response.status == 422, told
    assert {one["key"] for one in told["errors"][field]} == {key}


async def test_all_that_is_missing_is_told_at_once(api: Api) -> None:
    response = await api.send("POST", "/v1/availability", json={})
    told = await response.json(content_type=None)
    assert response.status == 422
    assert told["errors"].keys() == {"participants", "required_duration"}


async def test_an_answer_tells_its_age(api: Api) -> None:
    *_, key = await users(api)
    response = await asked(api, key, participants=[group(ADA, EVE)])
    assert response.headers["X-Syncd-Cursor"].count("pro_") == 2
    assert response.headers["X-Syncd-State"] == "connected"
    assert datetime.fromisoformat(response.headers["X-Syncd-Polled-At"]).tzinfo == UTC
