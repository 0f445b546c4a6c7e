"""The dashboard's page about feeds: what is published, by whom, and its end (N21)."""

import re
from datetime import timedelta

import pytest

from syncd.model.ids import ApplicationId, CalendarId
from syncd.model.published import Detail, Feed, SecretPath
from tests.api.serving import Api
from tests.api.test_feeds import path_of, polled, publish, read
from tests.web.desk import Operator, shown

LIST = "/dashboard/feeds"
REMOVE = re.compile(rf'href="{LIST}/(\w+)/remove"')


async def test_all_are_listed_with_what_they_publish_and_never_their_address(
    operator: Operator,
) -> None:
    api = operator.api
    _, calendar = await polled(api.ground)
    told = await publish(api, "primary", expires_at="2027-01-01T00:00:00Z")
    secret = told["ics_path"].rpartition("/")[2].removesuffix(".ics")
    name = (await api.ground.store.calendar(calendar)).calendar.name
    page = await operator.text(LIST)
    assert f'<a href="/dashboard/profiles/{api.account}">{name}</a>' in page
    assert f"Team All that events say · {name} · of user ada Served" in shown(page)
    assert "Made now Last news read never Expires in " in shown(page)
    await read(api, told)
    api.clock.advance(timedelta(hours=2))
    assert "Made 2 h ago Last news read 2 h ago" in shown(await operator.text(LIST))
    asked = await operator.text(f"{LIST}/{told['id']}/remove")
    assert "Remove Team?" in asked
    assert secret not in page + asked


async def test_what_is_not_served_is_said_to_be_so(operator: Operator) -> None:
    api = operator.api
    _, calendar = await polled(api.ground)
    soon = (api.clock.now() + timedelta(minutes=5)).isoformat()
    await publish(api, "primary", name="Old", detail="busy", expires_at=soon)
    await operator.post("/dashboard/applications", name="Desk")
    (desk,) = await api.ground.store.applications()
    await of_application(api, desk.id, calendar)
    page = await operator.text(LIST)
    assert f'of <a href="/dashboard/applications/{desk.id}">application Desk</a>' in page
    assert shown(page).count(" Served ") == 2
    api.clock.advance(timedelta(minutes=6))
    await operator.post(f"/dashboard/applications/{desk.id}/remove")
    page = shown(await operator.text(LIST))
    assert "Expired Made 6 min ago Last news read never Expired 1 min ago" in page
    assert "Withdrawn Made 6 min ago" in page
    assert " Served " not in page


async def test_many_calendars_are_counted_and_one_that_is_gone_is_said_to_be(
    operator: Operator,
) -> None:
    api = operator.api
    gone = [CalendarId(f"cal_gone_{number}") for number in range(8)]
    await of_application(api, None, *gone)
    page = shown(await operator.text(LIST))
    assert "cal_gone_4 (gone) and 3 more calendars · of an administrator Served" in page
    assert "cal_gone_5" not in page


async def test_one_is_removed_after_it_was_asked_for(operator: Operator) -> None:
    api = operator.api
    await polled(api.ground)
    told, other = await publish(api, "primary"), await publish(api, "primary", name="Other")
    place = f"{LIST}/{told['id']}/remove"
    assert (await operator.send(place, {"form": "no"})).status == 403
    assert (await api.get(path_of(told), token="")).status == 200
    answer = await operator.post(place)
    assert (answer.status, answer.headers["Location"]) == (303, f"{LIST}?done=unpublished")
    page = await operator.text(f"{LIST}?done=unpublished")
    assert "The feed is removed; its address leads nowhere any more." in page
    assert REMOVE.findall(page) == [other["id"]]
    assert (await api.get(path_of(told), token="")).status == 404
    for gone in (await operator.get(place), await operator.post(place)):
        assert gone.status == 404


async def test_there_are_pages_of_them(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.web.dashboard.feeds.PER_PAGE", 2)
    assert "Nothing is published" in await operator.text(LIST)
    made = sorted([(await of_application(operator.api, None)).id for _ in range(3)])
    first = await operator.text(LIST)
    assert REMOVE.findall(first) == made[:2]
    assert f'href="{LIST}?after={made[1]}" rel="next"' in first
    assert REMOVE.findall(await operator.text(f"{LIST}?after={made[1]}")) == made[2:]
    for odd in ("?after=%00", "?after=", "?after=%27"):
        assert REMOVE.findall(await operator.text(LIST + odd)) == made[:2]


async def of_application(
    api: Api, application: ApplicationId | None, *calendars: CalendarId
) -> Feed:
    """Publish for an application, or for administrators."""
    return await api.parts.feeds.add(
        Feed(
            id="",
            name="Shared",
            calendars=calendars,
            detail=Detail.BUSY,
            path=SecretPath(digest=b"", sealed=b""),
            created=api.clock.now(),
            application_id=application,
        )
    )
