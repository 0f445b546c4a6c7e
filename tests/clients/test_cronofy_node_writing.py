"""W3: cronofy-node 3.8.4 writes."""

from typing import Any

import pytest

from tests.clients.node import NodeClient, RefusedError
from tests.clients.test_cronofy_node import WINDOW, Client, calendar_named
from tests.clients.world import Person, World
from tests.servers.dav_client import event


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    return world.person("work", "home")


@pytest.fixture
def client(node: NodeClient, world: World, ada: Person) -> Client:
    return Client(node, world, ada.token)


def an_event(event_id: str, summary: str = "Lunch") -> dict[str, Any]:
    start, end = "2026-12-01T12:00:00Z", "2026-12-01T13:00:00Z"
    return {"event_id": event_id, "summary": summary, "start": start, "end": end}


def managed(client: Client, calendar: str) -> dict[str, str]:
    told = client.ask("readEvents", **WINDOW, calendar_ids=[calendar], only_managed=True)
    return {one["event_id"]: one["summary"] for one in told["events"]}


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
