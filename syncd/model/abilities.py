"""What a kind of provider can store, so that a write says beforehand what it will not (R13)."""

from dataclasses import dataclass

EVENT_MEMBERS = frozenset({
    *("name", "description", "location", "geo", "start", "start_time_zone", "end"),
    *("end_time_zone", "all_day", "organizer", "attendees", "use_default_reminder", "reminders"),
    *("recurrence", "custom_properties", "visibility", "transparent", "color", "url", "raw"),
})  # fmt: skip
CALENDAR_MEMBERS = frozenset({"name", "description", "location", "timezone", "color", "raw"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """The members are named as api.md names them (K17, K19, C10, and the table of calendars).

    A member that is not in ``event`` or ``calendar`` is ignored and told in ``X-Syncd-Ignored``.
    ``reminders`` is the most that an event may have (K27), None without limit; where
    ``reminder_texts`` each has the text or the e-mail that it shows (K17). ``any_rule`` says
    whether every RFC 5545 rule is taken, else only the patterns of K25. ``names_organizer`` says
    that who invites must be written down with those invited; ``organizer_moves`` that a new
    organizer is the owner of another calendar, to which the event goes (K26). ``contacts`` and
    ``rooms`` say whether the provider has such (K30), ``room_calendars`` whether it shows who may
    see them what the calendars of rooms hold, and when they are free (K18, K28). ``icalendar``
    says that its bodies are iCalendar objects, so that calendars can be published with all that
    they say (N21). ``push`` says that the provider calls when a calendar has changed (P16).
    """

    event: frozenset[str] = EVENT_MEMBERS
    calendar: frozenset[str] = CALENDAR_MEMBERS
    calendar_updates: bool = True
    reminders: int | None = None
    reminder_methods: frozenset[str] = frozenset({"popup", "email"})
    reminder_texts: bool = False
    any_rule: bool = True
    names_organizer: bool = False
    organizer_moves: bool = False
    unique_calendar_names: bool = False
    contacts: bool = False
    rooms: bool = False
    room_calendars: bool = False
    icalendar: bool = True
    push: bool = False
