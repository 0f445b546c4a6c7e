"""iCalendar, recurrence rules and time zones: bytes to model and back, without I/O."""
