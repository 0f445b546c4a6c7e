"""W2: pycronofy 2.1.1 writes."""

from datetime import date
from typing import Any

import pycronofy
import pytest
from pycronofy.batch import BatchBuilder
from pycronofy.exceptions import PyCronofyPartialSuccessError, PyCronofyRequestError

from tests.clients.test_pycronofy_reading import calendar_named, client_of
from tests.clients.world import PASSWORD, Person, World
from tests.servers.dav_client import event

WINDOW = {"from_date": date(2026, 11, 1), "to_date": date(2027, 2, 1)}


@pytest.fixture(scope="module")
def ada(world: World) -> Person:
    files = {"theirs": event("theirs@example.org", "Theirs", day=2)}
    return world.person("work", "home", files=files)


@pytest.fixture
def client(ada: Person) -> pycronofy.Client:
    return client_of(ada)


@pytest.fixture
def work(client: pycronofy.Client) -> str:
    return calendar_named(client, "Work")


def an_event(event_id: str, summary: str = "Lunch", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "event_id": event_id,
        "summary": summary,
        "start": "2026-12-01T12:00:00Z",
        "end": "2026-12-01T13:00:00Z",
        **more,
    }


def managed(client: pycronofy.Client, work: str) -> dict[str, str]:
    """Return what the application made, by its own ids."""
    found = client.read_events(calendar_ids=(work,), only_managed=True, **WINDOW)
    return {one["event_id"]: one["summary"] for one in found}


def test_a_calendar_is_created(client: pycronofy.Client, ada: Person) -> None:
    """The whole body comes back."""
    made = client.create_calendar(ada.profile_id, "New Calendar")["calendar"]
    assert made["calendar_name"] == "New Calendar"
    assert made["profile_id"] == ada.profile_id
    assert made["calendar_readonly"] is False
    assert made["calendar_id"] == calendar_named(client, "New Calendar")


def test_a_calendar_needs_a_name(client: pycronofy.Client, ada: Person) -> None:
    """A 422 of ``name`` has the key that the client reads; it raises nothing itself then."""
    assert client.create_calendar(ada.profile_id, "") is None


def test_a_calendar_is_refused_without_the_scope(ada: Person) -> None:
    """Any other error shows as a KeyError that carries the real one."""
    narrow = client_of(ada, ada.narrow("list_calendars"))
    with pytest.raises(KeyError) as refused:
        narrow.create_calendar(ada.profile_id, "Never")
    cause = refused.value.__context__
    assert isinstance(cause, PyCronofyRequestError)
    assert cause.response.status_code == 403
    assert "create_calendar" in cause.response.headers["WWW-Authenticate"]


def test_a_calendar_is_refused_while_the_profile_is_disconnected(world: World) -> None:
    """423, with the URL where its person can mend it."""
    eve = world.person("work")
    world.lock_out(eve)
    with pytest.raises(KeyError) as refused:
        client_of(eve).create_calendar(eve.profile_id, "Never")
    cause = refused.value.__context__
    assert isinstance(cause, PyCronofyRequestError)
    assert cause.response.status_code == 423
    (listed,) = client_of(eve).list_profiles()
    assert listed["profile_connected"] is False
    assert cause.response.json()["profile_relink_url"] == listed["profile_relink_url"]
    assert PASSWORD not in cause.response.text


def test_an_event_is_upserted_under_the_applications_own_id(
    client: pycronofy.Client, work: str, ada: Person
) -> None:
    client.upsert_event(
        work, an_event("lunch", description="With Bo", location={"description": "Inn"})
    )
    assert managed(client, work)["lunch"] == "Lunch"
    client.upsert_event(work, an_event("lunch", "Late lunch"))
    found = [
        one
        for one in client.read_events(calendar_ids=(work,), **WINDOW)
        if one.get("event_id") == "lunch"
    ]
    assert [one["summary"] for one in found] == ["Late lunch"]
    ada.sync()
    assert managed(client, work)["lunch"] == "Late lunch"


def test_an_event_of_the_user_is_changed_by_its_uid(client: pycronofy.Client, work: str) -> None:
    (theirs,) = (
        one
        for one in client.read_events(calendar_ids=(work,), **WINDOW)
        if one["summary"].startswith("Theirs")
    )
    changed = an_event("unused", "Theirs, moved")
    del changed["event_id"]
    client.upsert_event(work, {**changed, "event_uid": theirs["event_uid"]})
    names = {
        one["event_uid"]: one["summary"]
        for one in client.read_events(calendar_ids=(work,), **WINDOW)
    }
    assert names[theirs["event_uid"]] == "Theirs, moved"


def test_an_event_is_deleted_by_either_id(client: pycronofy.Client, work: str, ada: Person) -> None:
    client.upsert_event(work, an_event("short-lived"))
    client.delete_event(work, "short-lived")
    assert "short-lived" not in managed(client, work)
    client.delete_event(work, "short-lived")  # gone is as good as deleted
    ada.put("work", "external", event("external@example.org", "External", day=9))
    ada.sync()
    (external,) = (
        one
        for one in client.read_events(calendar_ids=(work,), **WINDOW)
        if one["summary"] == "External"
    )
    client.delete_external_event(work, external["event_uid"])
    left = {one["summary"] for one in client.read_events(calendar_ids=(work,), **WINDOW)}
    assert "External" not in left


def test_an_invitation_is_answered(client: pycronofy.Client, work: str, ada: Person) -> None:
    people = (
        f"ORGANIZER:mailto:bo@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{ada.name}\r\n"
    )
    ada.put("work", "invited", event("invited@example.org", "Invited", day=12, extra=people))
    ada.sync()

    def invited() -> Any:  # noqa: ANN401 - JSON
        (one,) = (
            each
            for each in client.read_events(calendar_ids=(work,), **WINDOW)
            if each["summary"] == "Invited"
        )
        return one

    assert invited()["participation_status"] == "needs_action"
    assert invited()["options"]["change_participation_status"] is True
    for status in ("tentative", "declined", "accepted"):
        client.change_participation_status(work, invited()["event_uid"], status)
        assert invited()["participation_status"] == status


def test_everything_managed_is_deleted_at_once(client: pycronofy.Client, ada: Person) -> None:
    """Only the application's own events go, of one calendar or of all."""
    calendars = [
        client.create_calendar(ada.profile_id, name)["calendar"]["calendar_id"]
        for name in ("First", "Second")
    ]
    for calendar in calendars:
        client.upsert_event(calendar, an_event("one"))
    client.delete_all_events(calendar_ids=(calendars[0],))
    assert [len(managed(client, calendar)) for calendar in calendars] == [0, 1]
    ada.put("home", "kept", event("kept@example.org", "Kept", day=3))
    ada.sync()
    client.delete_all_events()
    assert [len(managed(client, calendar)) for calendar in calendars] == [0, 0]
    assert "Kept" in {one["summary"] for one in client.read_events(**WINDOW)}


def test_a_batch_is_done_in_order(client: pycronofy.Client, ada: Person) -> None:
    """Each entry answers 202: the client counts any other number as failure."""
    calendar = client.create_calendar(ada.profile_id, "Batch")["calendar"]["calendar_id"]
    batch = BatchBuilder()
    batch.upsert_event(calendar, an_event("one", "One"))
    batch.upsert_event(calendar, an_event("two", "Two"))
    batch.upsert_event(calendar, an_event("one", "One again"))
    batch.delete_event(calendar, "two")
    result = client.batch(batch)
    assert [entry.status() for entry in result.entries] == [202] * 4
    assert managed(client, calendar) == {"one": "One again"}


def test_a_batch_tells_which_entry_failed(client: pycronofy.Client, work: str) -> None:
    batch = BatchBuilder()
    batch.upsert_event(work, an_event("good"))
    batch.upsert_event("cal_none_nothing", an_event("bad"))
    batch.delete_event(work, "good")
    with pytest.raises(PyCronofyPartialSuccessError) as failed:
        client.batch(batch)
    (wrong,) = failed.value.batch_response.errors()
    assert wrong.request["relative_url"] == "/v1/calendars/cal_none_nothing/events"
    assert wrong.status() in {404, 422}
    assert "good" not in managed(client, work)


def test_a_profile_is_given_up(world: World) -> None:
    eve = world.person("work")
    client = client_of(eve)
    client.revoke_profile(eve.profile_id)
    assert client.list_profiles() == []


def test_validation_of_the_client_knows_our_calls(client: pycronofy.Client, work: str) -> None:
    """``validate`` is what applications call before a request; nothing of it is switched off."""
    whole = an_event("checked", description="", tzid="Etc/UTC")
    client.validate("upsert_event", work, whole)
    client.upsert_event(work, whole)
    assert "checked" in managed(client, work)


def test_rooms_are_a_list(client: pycronofy.Client) -> None:
    assert client.resources() == []
