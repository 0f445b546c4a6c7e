"""Calendars: row ⇄ value."""

from syncd.model.calendar import Calendar, Holds, KnownCalendar, Mode
from syncd.store.rows import AnyRow, Values, instant_of, stamp


def calendar_values(known: KnownCalendar) -> Values:
    """Return a calendar's columns, all but the generation."""
    listed = known.calendar
    return {
        "calendar_id": known.id,
        "profile_id": known.profile_id,
        "revision": known.revision,
        "calendar_key": listed.key,
        "name": listed.name,
        "description": listed.description,
        "location": listed.location,
        "timezone": listed.timezone,
        "color": listed.color,
        "place": listed.order,
        "is_primary": listed.primary,
        "read_only": listed.read_only,
        "holds": listed.holds,
        "sync_token": known.token,
        "mode": known.mode,
        "polled_at": stamp(known.polled_at),
        "reconciled_at": stamp(known.reconciled_at),
        "reconcile_due_at": stamp(known.reconcile_due_at),
        "first_read_at": stamp(known.first_read_at),
        "missing": known.missing,
        "missing_at": stamp(known.missing_at),
        "full_reads": known.full_reads,
        "full_reads_at": stamp(known.full_reads_at),
        "corrections": known.corrections,
        "failures": known.failures,
        "retry_at": stamp(known.retry_at),
        "last_error": known.last_error,
        "removed_at": stamp(known.removed_at),
    }


def calendar_of(row: AnyRow) -> KnownCalendar:
    """Return the calendar of a row with all columns."""
    return KnownCalendar(
        id=row.calendar_id,
        profile_id=row.profile_id,
        revision=row.revision,
        calendar=Calendar(
            key=row.calendar_key,
            name=row.name,
            description=row.description,
            location=row.location,
            timezone=row.timezone,
            color=row.color,
            order=row.place,
            primary=row.is_primary,
            read_only=row.read_only,
            holds=Holds(row.holds),
        ),
        token=row.sync_token,
        mode=Mode(row.mode),
        polled_at=instant_of(row.polled_at),
        reconciled_at=instant_of(row.reconciled_at),
        reconcile_due_at=instant_of(row.reconcile_due_at),
        first_read_at=instant_of(row.first_read_at),
        missing=row.missing,
        missing_at=instant_of(row.missing_at),
        full_reads=row.full_reads,
        full_reads_at=instant_of(row.full_reads_at),
        corrections=row.corrections,
        failures=row.failures,
        retry_at=instant_of(row.retry_at),
        last_error=row.last_error,
        removed_at=instant_of(row.removed_at),
    )
