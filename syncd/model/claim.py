"""What an event claims of its person's time, as far as it can be told without asking who reads."""

from enum import IntEnum

from syncd.model.event import Answer, Event, Status


class Claim(IntEnum):
    """Stored beside an event, so that looking for free time decodes few documents (K28)."""

    FREE = 0  # transparent or cancelled
    BUSY = 1  # from ``starts_at`` to ``ends_at``; a series at each of its occurrences
    ASK = 2  # its document tells all: somebody declined, dates await their zone, or it is old


def claim_of(event: Event) -> Claim:
    """Return what an event claims; tentative claims too, no length claims nothing by itself."""
    if event.transparent or event.status is Status.CANCELLED:
        return Claim.FREE
    for one in event.attendees:  # by hand: ``any`` takes three times as long
        if one.answer is Answer.DECLINED:
            return Claim.ASK
    return Claim.ASK if event.all_day and not event.recurrence else Claim.BUSY
