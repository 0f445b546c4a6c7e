"""What a complete calendar list means against the calendars that are known (F4): pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncd.engine.brake import AGREEING, observed
from syncd.engine.records import calendar_record, calendar_update
from syncd.model.activity import Record, Type
from syncd.model.calendar import Calendar, Holds, KnownCalendar
from syncd.model.ids import ProfileId, calendar_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Rows to write with the records that tell of them, and calendars that are gone."""

    saved: tuple[KnownCalendar, ...]
    records: tuple[Record, ...]
    gone: tuple[KnownCalendar, ...]


def compare(  # noqa: PLR0913 - the case
    profile: ProfileId,
    known: Iterable[KnownCalendar],
    listed: Sequence[Calendar],
    *,
    now: datetime,
    interval: timedelta,
    initial: bool = False,
) -> Roster:
    """Compare a complete list with the known calendars, removed ones among them.

    A calendar is gone when three complete lists, at least ``interval`` apart, have not named it;
    one that is named again after that begins anew, with its old id.
    """
    former = {one.key: one for one in known}
    saved, records, gone = list[KnownCalendar](), list[Record](), list[KnownCalendar]()
    present = {one.key: one for one in listed}
    for calendar in present.values():
        before = former.get(calendar.key)
        if before is None or before.removed_at is not None:
            fresh = KnownCalendar(
                id=calendar_id(profile, calendar.key),
                profile_id=profile,
                calendar=calendar,
                revision=before.revision if before else 0,
            )
            saved.append(fresh)
            if fresh.holds is Holds.EVENTS:  # address books have no records of their own
                records.append(calendar_record(Type.ADD, fresh, now, initial=initial))
        elif before.calendar != calendar or before.missing:
            after = replace(before, calendar=calendar, missing=0, missing_at=None)
            told = calendar_update(before, after, now) if after.holds is Holds.EVENTS else None
            saved.append(after)
            records += [] if told is None else [told]
    for before in former.values():
        if before.removed_at is not None or before.key in present:
            continue
        if observed(before.missing, before.missing_at, now, interval):
            before = replace(before, missing=before.missing + 1, missing_at=now)  # noqa: PLW2901
            saved.append(before)
        if before.missing >= AGREEING:
            gone.append(before)
    return Roster(saved=tuple(saved), records=tuple(records), gone=tuple(gone))
