"""What an application will be able to do, in words for whoever allows it (api.md R7)."""

from collections.abc import Sequence

from syncd.model.access import Scope, grants

_WORDS = (
    (Scope.LIST_CALENDARS, "See the names of your calendars"),
    (Scope.READ_EVENTS, "Read your events, and learn when they change"),
    (Scope.READ_FREE_BUSY, "See when you are busy, and nothing else of your events"),
    (Scope.CREATE_EVENT, "Add and change events, and answer invitations for you"),
    (Scope.CHANGE_PARTICIPATION_STATUS, "Answer invitations for you"),
    (Scope.DELETE_EVENT, "Delete events"),
    (Scope.CREATE_CALENDAR, "Make, rename and delete calendars"),
    (Scope.READ_CONTACTS, "Read your contacts"),
    (Scope.MANAGE_FEEDS, "Publish calendars at secret addresses"),
    (Scope.RAW, "Do whatever else the calendar service lets you do"),
    (Scope.MANAGE_PROFILES, "Pause and disconnect this calendar"),
)
_WITHIN = {
    Scope.READ_FREE_BUSY: Scope.READ_EVENTS,
    Scope.CHANGE_PARTICIPATION_STATUS: Scope.CREATE_EVENT,
}


def powers(scopes: frozenset[Scope]) -> Sequence[str]:
    """Return a sentence for each power; what is part of another that is there is not repeated."""
    return [
        words
        for scope, words in _WORDS
        if grants(scopes, scope) and not (scope in _WITHIN and grants(scopes, _WITHIN[scope]))
    ]
