"""Drafts, and what they are settled against."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.engine.draft import EventDraft
from syncd.engine.settle import Scene, Settled, settle
from syncd.model.abilities import Abilities
from syncd.model.edit import EventEdit
from syncd.model.errors import InvalidError
from syncd.model.event import (
    Event,
    Person,
)

BERLIN = ZoneInfo("Europe/Berlin")
OWN = frozenset({"ada@example.org"})
ADA, BO = Person(email="ada@example.org", name="Ada"), Person(email="bo@example.org", name="Bo")
TIMED = Event(
    uid="a",
    name="Review",
    start=datetime(2026, 11, 24, 10, tzinfo=BERLIN),
    end=datetime(2026, 11, 24, 11, tzinfo=BERLIN),
    start_zone="Europe/Berlin",
    end_zone="Europe/Berlin",
)
DAYS = Event(uid="b", name="Fair", start=date(2026, 11, 24), end=date(2026, 11, 26))


def scene(before: Event | None = None, **fields: Any) -> Scene:  # noqa: ANN401 - of a Scene
    plain = {"abilities": Abilities(), "calendar_zone": "Europe/Berlin", "own": OWN}
    return Scene(**{**plain, "before": before, **fields})


def made(**fields: Any) -> Settled:  # noqa: ANN401 - of a draft
    return settle(draft(**fields), scene())


def draft(**fields: Any) -> EventDraft:  # noqa: ANN401 - of a draft
    """Return what makes a new event, one hour of local time."""
    plain = {"name": "Review", "start": wall(2026, 11, 24, 10), "end": wall(2026, 11, 24, 11)}
    return EventDraft(**{**plain, **fields})


def changed(before: Event, **fields: Any) -> EventEdit:  # noqa: ANN401 - of a draft
    return settle(EventDraft(**fields), scene(before)).edit


def wall(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - local on purpose


def refused(
    field: str,
    before: Event | None = None,
    where: Scene | None = None,
    **fields: Any,  # noqa: ANN401 - of a draft
) -> InvalidError:
    """Return the refusal of a new event, or of a change of ``before``."""
    wanted = EventDraft(**fields) if before else draft(**fields)
    with pytest.raises(InvalidError) as told:
        settle(wanted, where or scene(before))
    assert told.value.field == field
    return told.value
