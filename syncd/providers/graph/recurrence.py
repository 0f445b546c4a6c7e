"""Microsoft Graph's patternedRecurrence is the form in which ``formats`` keeps patterns."""

from syncd.formats.outlook import read_recurrence, write_recurrence

__all__ = ["read_recurrence", "write_recurrence"]
