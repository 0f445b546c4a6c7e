"""The table of qualities says what the registry declares, and no stage says otherwise."""

from dataclasses import replace
from pathlib import Path

import pytest

from syncd.ports.link import SignIn
from syncd.providers.registry import KINDS
from tests.contract.quality import COLUMNS, DOCUMENT, table, written
from tests.contract.stage import Stage
from tests.contract.stages import STAGES

SIGN_IN = {kind.name: kind.sign_in for kind in KINDS}


def test_the_document_shows_what_the_registry_declares() -> None:
    """``python -m tests.contract.quality`` writes it anew."""
    assert written(DOCUMENT.read_text()) == table(KINDS)


def test_a_power_that_changes_changes_the_table() -> None:
    """Negative control."""
    kind = KINDS[0]
    able = kind.abilities
    for other in (
        replace(able, contacts=not able.contacts),
        replace(able, rooms=not able.rooms),
        replace(able, room_calendars=not able.room_calendars),
        replace(able, push=not able.push),
        replace(able, any_rule=not able.any_rule),
        replace(able, event=able.event - {"name"}),
        replace(able, calendar_updates=not able.calendar_updates),
        replace(able, reminders=1),
        replace(able, unique_calendar_names=True),
        replace(able, icalendar=not able.icalendar),
    ):
        told = table([replace(kind, abilities=other)])
        assert told != table([kind])
        assert all(line.count("|") == len(COLUMNS) + 1 for line in told.splitlines())


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
async def test_a_stage_signs_in_as_its_provider_declares(
    stage: type[Stage], tmp_path: Path
) -> None:
    login = stage(tmp_path).login()
    granted = SIGN_IN[stage.provider] is SignIn.GRANT
    assert (login.refresh_token is not None) == granted
    assert bool(login.password.reveal()) != granted
