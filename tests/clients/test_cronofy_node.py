"""W3: cronofy-node 3.8.4; only ``urls.api`` is ours."""

from typing import Any

import pytest

from tests.clients.node import NodeClient, RefusedError
from tests.clients.world import Person, World
from tests.servers.dav_client import event


class Client:
    """What an application writes: ``new Cronofy({access_token})``."""

    def __init__(self, node: NodeClient, world: World, token: str) -> None:
        self._node, self._base, self._token = node, world.address, token

    def ask(self, method: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        return self._node.ask(self._base, method, {"access_token": self._token}, **options)


WINDOW = {"from": "2026-11-01", "to": "2027-07-01", "tzid": "Etc/UTC"}
DAILY = "RRULE:FREQ=DAILY;COUNT=205\r\n"


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    files = {"daily": event("daily@example.org", "Daily", day=1, extra=DAILY)}
    return world.person("work", "home", files=files)


@pytest.fixture
def client(node: NodeClient, world: World, ada: Person) -> Client:
    return Client(node, world, ada.token)


def calendar_named(client: Client, name: str) -> str:
    listed = client.ask("listCalendars")["calendars"]
    (found,) = (one["calendar_id"] for one in listed if one["calendar_name"] == name)
    return str(found)


def an_event(event_id: str, summary: str = "Lunch") -> dict[str, Any]:
    start, end = "2026-12-01T12:00:00Z", "2026-12-01T13:00:00Z"
    return {"event_id": event_id, "summary": summary, "start": start, "end": end}


def managed(client: Client, calendar: str) -> dict[str, str]:
    told = client.ask("readEvents", **WINDOW, calendar_ids=[calendar], only_managed=True)
    return {one["event_id"]: one["summary"] for one in told["events"]}


def test_profiles_are_listed(client: Client, ada: Person) -> None:
    (listed,) = client.ask("profileInformation")["profiles"]
    assert listed["profile_id"] == ada.profile_id
    assert listed["profile_name"] == ada.name
    assert listed["profile_connected"] is True


def test_the_account_and_its_claims(client: Client, ada: Person) -> None:
    assert client.ask("accountInformation")["account"]["account_id"] == ada.user_id
    assert client.ask("userInfo")["sub"] == ada.user_id


def test_an_error_tells_its_status_and_body(node: NodeClient, world: World) -> None:
    stranger = Client(node, world, "nobody's")
    with pytest.raises(RefusedError) as refused:
        stranger.ask("profileInformation")
    assert refused.value.status == 401
    assert refused.value.entity["error"]


def test_a_calendar_is_created_with_its_color(client: Client, ada: Person) -> None:
    made = client.ask(
        "createCalendar", profile_id=ada.profile_id, name="New Calendar", color="#49BED8"
    )
    assert made["calendar"]["calendar_name"] == "New Calendar"
    assert made["calendar"]["calendar_id"] == calendar_named(client, "New Calendar")


def test_faults_of_a_body_are_told_by_field(client: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        client.ask("createCalendar")
    assert refused.value.status == 422
    required = [{"key": "errors.required", "description": "required"}]
    assert refused.value.entity == {"errors": {"profile_id": required, "name": required}}


def test_pages_are_followed_by_their_url(client: Client) -> None:
    """Parameters in brackets first, then ``next_page`` as it was told, for both lists."""
    home = calendar_named(client, "Work")
    for method, member in (("readEvents", "events"), ("freeBusy", "free_busy")):
        told = client.ask(method, **WINDOW, calendar_ids=[home])
        assert len(told[member]) == 200
        rest = client.ask(method, next_page=told["pages"]["next_page"])
        assert len(rest[member]) == 5
        assert rest["pages"]["current"] == rest["pages"]["total"] == 2
        assert "next_page" not in rest["pages"]


def test_events_are_written_and_deleted(client: Client) -> None:
    home = calendar_named(client, "Home")
    for summary in ("Lunch", "Late lunch"):
        client.ask("createEvent", calendar_id=home, **an_event("lunch", summary))
        assert managed(client, home) == {"lunch": summary}
    client.ask("deleteEvent", calendar_id=home, event_id="lunch")
    assert managed(client, home) == {}


def test_events_of_the_user_are_changed_and_deleted(client: Client, ada: Person) -> None:
    home = calendar_named(client, "Home")
    ada.put("home", "theirs", event("theirs@example.org", "Theirs", day=4))
    ada.sync()

    def theirs() -> list[Any]:
        told = client.ask("readEvents", **WINDOW, calendar_ids=[home])
        return [one for one in told["events"] if one["summary"].startswith("Theirs")]

    (one,) = theirs()
    changed = {**an_event("", "Theirs, moved"), "event_uid": one["event_uid"]}
    del changed["event_id"]
    client.ask("updateExternalEvent", calendar_id=home, **changed)
    assert [each["summary"] for each in theirs()] == ["Theirs, moved"]
    client.ask("deleteExternalEvent", calendar_id=home, event_uid=one["event_uid"])
    assert theirs() == []


def test_what_the_application_made_is_deleted_in_bulk(client: Client) -> None:
    """``bulkDeleteEvents`` sends JSON with its DELETE."""
    home = calendar_named(client, "Home")
    client.ask("createEvent", calendar_id=home, **an_event("one"))
    client.ask("bulkDeleteEvents", calendar_ids=[home])
    assert managed(client, home) == {}
    client.ask("createEvent", calendar_id=home, **an_event("one"))
    client.ask("bulkDeleteEvents", delete_all=True)
    assert managed(client, home) == {}


def test_common_free_time(client: Client, ada: Person) -> None:
    member = {"sub": ada.user_id, "calendar_ids": [calendar_named(client, "Work")]}
    found = client.ask(
        "availability",
        participants=[{"members": [member], "required": "all"}],
        required_duration={"minutes": 60},
        available_periods=[{"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T12:00:00Z"}],
    )
    assert [(one["start"], one["end"]) for one in found["available_periods"]] == [
        ("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"),
        ("2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"),
    ]


def test_a_profile_is_given_up(node: NodeClient, world: World) -> None:
    """The body repeats ``profile_id``."""
    eve = world.person("work")
    client = Client(node, world, eve.token)
    client.ask("revokeProfileAuthorization", profile_id=eve.profile_id)
    assert client.ask("profileInformation")["profiles"] == []
