"""What events claim of time."""

from typing import Any

import pytest

from syncd.model.claim import Claim, claim_of
from syncd.model.event import Answer, Person, Status
from tests.engine.ground import all_day, event, series

DECLINED = (Person(email="bo@example.org", answer=Answer.DECLINED),)


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        (event("plain"), Claim.BUSY),
        (series("series"), Claim.BUSY),
        (event("tentative", status=Status.TENTATIVE), Claim.BUSY),
        (event("transparent", transparent=True), Claim.FREE),
        (event("cancelled", status=Status.CANCELLED, attendees=DECLINED), Claim.FREE),
        (event("declined by somebody", attendees=DECLINED), Claim.ASK),
        (series("series declined by somebody", attendees=DECLINED), Claim.ASK),
        (all_day("holiday", 1), Claim.ASK),
        (all_day("birthday", 1, recurrence=("RRULE:FREQ=YEARLY",)), Claim.BUSY),
        (all_day("anniversary", 1, transparent=True), Claim.FREE),
    ],
    ids=lambda one: getattr(one, "name", None),
)
def test_an_event_claims(told: Any, claim: Claim) -> None:  # noqa: ANN401 - an event
    assert claim_of(told) is claim
