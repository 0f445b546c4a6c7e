"""W2: pycronofy 2.1.1 reads; only ``API_BASE_URL`` and ``APP_BASE_URL`` are ours."""

from datetime import UTC, date, datetime

import pycronofy
import pytest
from pycronofy import settings
from pycronofy.exceptions import PyCronofyRequestError

from tests.clients.world import Person, World
from tests.servers.dav_client import event

MANY = 205  # events, so that pages of 200 are two
BUSY_DAY = "2026-11-20"
DAILY = f"RRULE:FREQ=DAILY;COUNT={MANY}\r\n"


def client_of(person: Person, token: str = "") -> pycronofy.Client:
    settings.API_BASE_URL = settings.APP_BASE_URL = person.world.address
    return pycronofy.Client(access_token=token or person.token)


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    files = {f"e{day}": event(f"e{day}@example.org", f"Event {day}", day=day) for day in (19, 20)}
    files["e20"] = in_berlin(files["e20"])
    person = world.person("work", "home", files=files)
    person.put("home", "daily", event("daily@example.org", "Daily", day=1, extra=DAILY))
    world.another_login(person, "club")
    person.sync()
    return person


@pytest.fixture
def client(ada: Person) -> pycronofy.Client:
    return client_of(ada)


def in_berlin(ics: str) -> str:
    """Write the same instants in a zone of winter time."""
    for name, hour in (("DTSTART", 9), ("DTEND", 10)):
        told = f"{name};TZID=Europe/Berlin:20261120T{hour + 1}0000"
        ics = ics.replace(f"{name}:20261120T{hour:02}0000Z", told)
    return ics


def calendar_named(client: pycronofy.Client, name: str) -> str:
    (found,) = (
        one["calendar_id"] for one in client.list_calendars() if one["calendar_name"] == name
    )
    return str(found)


def test_profiles_of_the_user_are_listed(client: pycronofy.Client, ada: Person) -> None:
    listed = client.list_profiles()
    assert len(listed) == 2
    assert listed[0]["profile_id"] == ada.profile_id
    assert listed[0]["profile_name"] == ada.name
    assert listed[0]["provider_name"] == "caldav"
    assert all(one["profile_connected"] is True for one in listed)
    assert all("profile_relink_url" not in one for one in listed)


def test_calendars_of_all_profiles_are_listed(client: pycronofy.Client) -> None:
    listed = client.list_calendars()
    assert {one["calendar_name"] for one in listed} == {"Work", "Home", "Club"}
    for one in listed:
        assert one["calendar_readonly"] is False
        assert one["calendar_deleted"] is False
        assert one["profile_id"] in {profile["profile_id"] for profile in client.list_profiles()}


def test_the_account_and_its_claims(client: pycronofy.Client, ada: Person) -> None:
    account = client.account()
    assert account["account_id"] == ada.user_id
    claims = client.userinfo()
    assert claims["sub"] == ada.user_id
    profiles = claims["cronofy.data"]["profiles"]
    assert {one["calendar_name"] for each in profiles for one in each["profile_calendars"]} == {
        "Work",
        "Home",
        "Club",
    }


def test_events_are_read_over_several_pages(client: pycronofy.Client) -> None:
    """``next_page`` is followed while ``current`` is below ``total``."""
    window = {"from_date": date(2026, 11, 1), "to_date": date(2027, 7, 1)}
    pages = client.read_events(**window)
    assert pages.current == 1
    assert pages.total > 1
    assert pages.next_page_url.startswith(settings.API_BASE_URL)
    assert len(pages) == 200
    everything = list(pages)
    assert len(everything) == MANY + 2
    assert len({one["event_uid"] for one in everything}) == MANY + 2
    assert [one["start"] for one in everything] == sorted(one["start"] for one in everything)
    assert len(client.read_events(**window).all()) == MANY + 2
    assert pages.current == pages.total


def test_a_reader_turns_pages_by_itself(client: pycronofy.Client) -> None:
    pages = client.read_events(
        from_date=date(2026, 11, 1), to_date=date(2027, 7, 1), automatic_pagination=False
    )
    assert len(list(pages)) == 200
    pages.fetch_next_page()
    assert len(list(pages)) == MANY + 2 - 200


def test_events_of_one_calendar_and_one_day(client: pycronofy.Client) -> None:
    work = calendar_named(client, "Work")
    (one,) = client.read_events(
        calendar_ids=(work,), from_date=date(2026, 11, 20), to_date=date(2026, 11, 21)
    )
    assert one["summary"] == "Event 20"
    assert one["calendar_id"] == work
    assert (one["start"], one["end"]) == ("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z")
    assert one["deleted"] is False
    assert one["options"] == {"delete": True, "update": True, "change_participation_status": False}


def test_localized_times_name_their_zone(client: pycronofy.Client) -> None:
    (one,) = client.read_events(
        calendar_ids=(calendar_named(client, "Work"),),
        from_date=date(2026, 11, 20),
        to_date=date(2026, 11, 21),
        localized_times=True,
    )
    assert one["start"] == {"time": "2026-11-20T10:00:00+01:00", "tzid": "Europe/Berlin"}


def test_changes_since_a_moment_with_deleted_events(
    client: pycronofy.Client, ada: Person, world: World
) -> None:
    """``last_modified`` with ``include_deleted``: what a change notification leads to."""
    work = calendar_named(client, "Work")
    ada.put("work", "gone", event("gone@example.org", "Gone", day=25))
    ada.sync()
    since = datetime.now(tz=UTC).replace(microsecond=0)
    world.do(ada.device.delete("work", "gone.ics"))
    ada.sync()
    (deleted,) = client.read_events(calendar_ids=(work,), last_modified=since, include_deleted=True)
    assert (deleted["summary"], deleted["deleted"]) == ("Gone", True)
    assert not list(client.read_events(calendar_ids=(work,), last_modified=since))


def test_busy_time_has_no_titles(client: pycronofy.Client) -> None:
    work = calendar_named(client, "Work")
    blocks = client.read_free_busy(
        calendar_ids=(work,), from_date=date(2026, 11, 20), to_date=date(2026, 11, 21)
    ).all()
    assert blocks == [
        {
            "calendar_id": work,
            "start": "2026-11-20T09:00:00Z",
            "end": "2026-11-20T10:00:00Z",
            "free_busy_status": "busy",
        }
    ]


def test_busy_time_is_read_over_several_pages(client: pycronofy.Client) -> None:
    pages = client.read_free_busy(from_date=date(2026, 11, 1), to_date=date(2027, 7, 1))
    assert pages.total > 1
    assert len(list(pages)) >= MANY


def test_common_free_time(client: pycronofy.Client, ada: Person) -> None:
    """``availability`` reads ``available_periods``, or ``available_slots`` for slots."""
    asked = {
        "participants": [
            {
                "members": [
                    {"sub": ada.user_id, "calendar_ids": [calendar_named(client, "Work")]},
                ],
                "required": "all",
            }
        ],
        "required_duration": {"minutes": 60},
    }

    def day() -> list[dict[str, str]]:
        return [{"start": f"{BUSY_DAY}T08:00:00Z", "end": f"{BUSY_DAY}T12:00:00Z"}]

    periods = client.availability(**asked, available_periods=day())
    assert [(one["start"], one["end"]) for one in periods] == [
        (f"{BUSY_DAY}T08:00:00Z", f"{BUSY_DAY}T09:00:00Z"),
        (f"{BUSY_DAY}T10:00:00Z", f"{BUSY_DAY}T12:00:00Z"),
    ]
    assert periods[0]["participants"] == [{"sub": ada.user_id}]
    slots = client.availability(**asked, available_periods=day(), response_format="slots")
    assert [one["start"] for one in slots] == [
        f"{BUSY_DAY}T{hour:02}:00:00Z" for hour in (8, 10, 11)
    ]
    overlapping = client.availability(
        **asked,
        available_periods=day(),
        response_format="overlapping_slots",
        start_interval=30,
    )
    assert [one["start"][11:16] for one in overlapping] == ["08:00", "10:00", "10:30", "11:00"]


def test_a_stranger_is_told_apart(world: World, ada: Person) -> None:
    with pytest.raises(PyCronofyRequestError) as refused:
        client_of(ada, "nobody's").list_calendars()
    assert refused.value.response.status_code == 401
    with pytest.raises(PyCronofyRequestError) as lacking:
        client_of(ada, ada.narrow("read_account")).list_calendars()
    assert lacking.value.response.status_code == 403
    assert world.address in str(lacking.value)
