"""What a page means: tables of P4-P8, I6, I10 and K42."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.engine.diff import Ground, diff
from syncd.model.event import Event, Person
from syncd.model.ids import CalendarId, EventId, ProfileId, ResourceKey, Slot, event_id, slot_id
from syncd.model.resource import Change, KeptEvent, KnownResource, Resource, Seen
from syncd.ports.delta import Delta
from tests.engine.ground import all_day, event, exception, series

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
CALENDAR = CalendarId("cal_aaab_one")
GROUND = Ground(profile=ProfileId(1), calendar=CALENDAR, at=NOW, zone="Europe/Berlin")


class Snapshot:
    """What a store would keep of changes."""

    def __init__(self) -> None:
        self.resources = dict[ResourceKey, KnownResource]()
        self.events = dict[EventId, KeptEvent]()

    def take(self, page: Delta) -> Change:
        """Compare a page and keep what it means."""
        documents = {name: one.document for name, one in self.events.items()}
        change = diff(page, self.resources, documents, GROUND)
        for name in change.gone_events:
            del self.events[name]
        for key in change.gone:
            self.events = {name: one for name, one in self.events.items() if one.key != key}
            del self.resources[key]
        self.events |= {one.id: one for one in change.events}
        for one in change.kept:
            inside = {
                kept.slot: Seen(id=kept.id, content=kept.content)
                for kept in self.events.values()
                if kept.key == one.key
            }
            self.resources[one.key] = KnownResource(
                key=one.key, uid=one.uid, etag=one.etag, events=inside
            )
        return change


def body(key: str, *events: Event, etag: str = '"1"', faults: tuple[str, ...] = ()) -> Resource:
    return Resource(key=ResourceKey(key), events=events, etag=etag, faults=faults)


def page(*upserts: Resource, gone: tuple[str, ...] = (), **fields: Any) -> Delta:  # noqa: ANN401 - any field
    deleted = frozenset(ResourceKey(key) for key in gone)
    return Delta(upserts=upserts, deleted=deleted, **fields)


def told(change: Change) -> list[str]:
    return [f"{one.type} {orjson.loads(one.body)['metadata']['name']}" for one in change.records]


def changed(change: Change) -> Mapping[str, Any]:
    (record,) = change.records
    found: Mapping[str, Any] = orjson.loads(record.body)["changes"]
    return found


@pytest.fixture
def kept() -> Snapshot:
    """Hold a single event and a series with one exception."""
    made = Snapshot()
    late = exception("Late", 3, uid="Daily")
    made.take(page(body("one", event("One")), body("daily", series("Daily"), late)))
    return made


def test_what_is_unknown_is_an_add_with_the_whole_object() -> None:
    """K42."""
    change = Snapshot().take(page(body("one", event("One"))))
    record = orjson.loads(change.records[0].body)
    assert record["type"] == "add"
    assert record["action"] == "+"
    assert record["metadata"]["id"] == event_id(CALENDAR, ResourceKey("one"))
    assert "changes" not in record
    assert "initial" not in record


def test_an_update_names_old_and_new_of_each_field(kept: Snapshot) -> None:
    """K42's ``changes``."""
    change = kept.take(page(body("one", event("Uno", uid="One"))))
    assert changed(change) == {"name": {"old": "One", "new": "Uno"}}


def test_another_etag_is_no_activity_but_is_kept(kept: Snapshot) -> None:
    """I6, P6, F13."""
    change = kept.take(page(body("one", event("One", modified=NOW), etag='"2"')))
    assert told(change) == []
    assert change.kept[0].etag == '"2"'


def test_the_order_of_attendees_is_no_activity() -> None:
    """P6."""
    ada, bo = Person(email="ada@example.org"), Person(email="bo@example.org")
    made = Snapshot()
    made.take(page(body("one", event("One", attendees=(ada, bo)))))
    assert told(made.take(page(body("one", event("One", attendees=(bo, ada)))))) == []


def test_of_a_resource_named_twice_the_last_word_wins(kept: Snapshot) -> None:
    """P4."""
    twice = page(body("one", event("First", uid="One")), body("one", event("Last", uid="One")))
    assert told(kept.take(twice)) == ["update Last"]


def test_a_tombstone_for_what_was_never_known_means_nothing(kept: Snapshot) -> None:
    """P5."""
    change = kept.take(page(gone=("never",)))
    assert told(change) == []
    assert change.gone == ()


def test_a_deleted_series_takes_its_exceptions_first(kept: Snapshot) -> None:
    """P8."""
    assert told(kept.take(page(gone=("daily",)))) == ["delete Late", "delete Daily"]


def test_an_exception_that_left_its_resource_is_deleted(kept: Snapshot) -> None:
    """P8."""
    assert told(kept.take(page(body("daily", series("Daily"))))) == ["delete Late"]
    assert [one.slot for one in kept.events.values() if one.slot] == []


def test_an_exception_has_the_id_of_the_occurrence_it_replaces(kept: Snapshot) -> None:
    """P8, also when it was moved."""
    whole = event_id(CALENDAR, ResourceKey("daily"))
    moved = exception("Later", 9, uid="Daily", original_start=event("x", 3).start)
    change = kept.take(page(body("daily", series("Daily"), moved)))
    assert [one.object_id for one in change.records] == [f"{whole}_20261103T090000Z"]
    assert set(changed(change)) == {"name", "start", "end"}


def test_a_cancelled_occurrence_is_an_update_of_its_series(kept: Snapshot) -> None:
    """K42, P8."""
    without = replace(series("Daily"), recurrence=("RRULE:FREQ=DAILY", "EXDATE:20261105T090000Z"))
    late = exception("Late", 3, uid="Daily")
    change = kept.take(page(body("daily", without, late)))
    assert set(changed(change)) == {"recurrence"}


def test_what_comes_back_under_another_key_keeps_its_ids(kept: Snapshot) -> None:
    """P7."""
    before = set(kept.events)
    late = exception("Late", 3, uid="Daily")
    moved = page(body("new", series("Daily"), late), body("n", event("One")), gone=("daily", "one"))
    change = kept.take(moved)
    assert told(change) == []
    assert set(kept.events) == before
    assert {one.key for one in kept.events.values()} == {"new", "n"}
    assert change.gone == ("daily", "one")


def test_what_moved_and_changed_is_an_update(kept: Snapshot) -> None:
    """P7: an update at most, never add and delete."""
    change = kept.take(page(body("new", event("Uno", uid="One")), gone=("one",)))
    assert told(change) == ["update Uno"]


def test_of_two_with_the_same_uid_one_takes_the_place(kept: Snapshot) -> None:
    """P7."""
    pair = (body("n1", event("One")), body("n2", event("One")))
    change = kept.take(page(*pair, gone=("one",)))
    assert told(change) == ["add One"]
    assert change.records[0].object_id == event_id(CALENDAR, ResourceKey("n2"))


def test_the_key_of_what_has_moved_gives_a_fresh_id_to_another(kept: Snapshot) -> None:
    """No add on a present id."""
    kept.take(page(body("new", event("One")), gone=("one",)))
    change = kept.take(page(body("one", event("Two"))))
    assert told(change) == ["add Two"]
    assert len(kept.events) == 4
    assert change.records[0].object_id != event_id(CALENDAR, ResourceKey("one"))


def test_an_unread_body_leaves_everything_as_it_was(kept: Snapshot) -> None:
    """I10."""
    change = kept.take(page(unread={ResourceKey("one"): "no calendar"}))
    assert told(change) == []
    assert [(one.key, one.message) for one in change.faults] == [("one", "no calendar")]
    assert change.healed == ()


def test_what_a_partly_read_resource_does_not_name_stays(kept: Snapshot) -> None:
    """I10: one VEVENT is the unit of failure."""
    change = kept.take(page(body("daily", series("Daily 2", uid="Daily"), faults=("line 7",))))
    assert told(change) == ["update Daily 2"]
    assert change.gone_events == ()
    assert [one.key for one in change.faults] == ["daily"]
    whole = event_id(CALENDAR, ResourceKey("daily"))
    assert slot_id(whole, Slot("20261103T090000Z")) in kept.events


def test_the_ends_of_time_are_kept_like_any_other() -> None:
    """F21: an offset that leaves the first or last year stops nobody."""
    for year, hours in ((1, 9), (9999, -9)):
        day = 1 if year == 1 else 365
        there = timezone(timedelta(hours=hours))
        when = datetime(year, 1, 1, 23 if day > 1 else 0, tzinfo=there) + timedelta(days=day - 1)
        edge = event("Edge", start=when, end=when, created=when, original_start=when)
        assert told(Snapshot().take(page(body("edge", edge)))) == ["add Edge"]


def test_a_body_of_which_nothing_could_be_read_keeps_its_uid(kept: Snapshot) -> None:
    """I10, P7: so that it is known again under another key."""
    change = kept.take(page(body("one", faults=("line 1",))))
    assert told(change) == []
    assert [one.uid for one in change.kept] == ["One"]


def test_only_masters_are_series(kept: Snapshot) -> None:
    """K23: these are what a listing expands."""
    masters = {orjson.loads(one.document)["name"]: one.series for one in kept.events.values()}
    assert masters == {"One": False, "Daily": True, "Late": False}


def test_a_read_body_heals(kept: Snapshot) -> None:
    """N10: the profile's errors lose what is well again, and what is gone."""
    change = kept.take(page(body("one", event("One")), gone=("never",)))
    assert set(change.healed) == {"one", "never"}


def test_all_day_spans_begin_at_midnight_of_the_calendars_zone() -> None:
    """K18, P9."""
    change = Snapshot().take(page(body("day", all_day("Day", 5))))
    (stored,) = change.events
    assert stored.starts_at == datetime(2026, 11, 4, 23, tzinfo=UTC)
    assert stored.ends_at == datetime(2026, 11, 5, 23, tzinfo=UTC)


KEYS = st.sampled_from("abcdef")
BODIES = st.builds(
    lambda key, name, uid: body(key, event(name, uid=uid)),
    KEYS,
    st.sampled_from(["One", "Two"]),
    st.sampled_from(["u1", "u2", "u3"]),
)
PAGES = st.builds(
    lambda upserts, gone: page(
        *upserts, gone=tuple(key for key in gone if key not in {one.key for one in upserts})
    ),
    st.lists(BODIES, max_size=5),
    st.sets(KEYS, max_size=4),
)


@given(st.lists(PAGES, max_size=6))
def test_records_are_legal_and_rebuild_the_snapshot(pages: list[Delta]) -> None:
    """I2, I6: no add on a present id, no change of nothing, and the same again is nothing."""
    made, present = Snapshot(), dict[str, object]()
    for one in pages:
        for record in made.take(one).records:
            assert (record.type == "add") == (record.object_id not in present)
            if record.type == "delete":
                del present[record.object_id]
            else:
                present[record.object_id] = orjson.loads(record.body)["metadata"]
        assert present.keys() == made.events.keys()
        for name, kept in made.events.items():
            assert present[name] == orjson.loads(kept.document)
        again = replace(one, deleted=frozenset())
        assert told(made.take(again)) == []
