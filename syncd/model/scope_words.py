"""What applications ask for, in the words of either OAuth (api.md K9, C18, R7)."""

from collections.abc import Mapping
from dataclasses import dataclass

from syncd.model.access import Scope
from syncd.model.brands import provider_of_service

_BROAD = {  # they hold what M2 may add one day
    *(Scope.MYTOKENS, Scope.READ_MYTOKENS, Scope.SETTINGS, Scope.READ_SETTINGS),
}
EVERYTHING = frozenset(Scope) - {Scope.ALL, Scope.MANAGE_PROFILES} - _BROAD
READING = frozenset({
    *(Scope.READ_ACCOUNT, Scope.LIST_CALENDARS, Scope.READ_FREE_BUSY),
    *(Scope.READ_EVENTS, Scope.READ_CONTACTS),
})  # fmt: skip
_ANY = frozenset({"all", "any"})
_READ_ONLY = READING - {Scope.READ_CONTACTS}
_GROUPS: Mapping[str, frozenset[Scope]] = {  # Cronofy's own names for several
    "read_only": _READ_ONLY,
    "read_write": _READ_ONLY
    | {
        *(Scope.CREATE_CALENDAR, Scope.CREATE_EVENT, Scope.DELETE_EVENT),
        Scope.CHANGE_PARTICIPATION_STATUS,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Scopes, none if no word was known; ``providers`` limits which may be connected."""

    scopes: frozenset[Scope]
    providers: frozenset[str]  # empty: all


def kloudless(text: str) -> Wanted:
    """Read words of K9: services with a role, ``all``, or scopes as they are."""
    scopes, providers, anywhere = set[Scope](), set[str](), False
    for word in text.split():
        head, _, role = word.partition(":")
        provider = provider_of_service(head)
        if head in _ANY or provider is not None:
            scopes |= READING if role.partition(".")[0] == "read" else EVERYTHING
            anywhere |= provider is None
            providers |= set() if provider is None else {provider}
        else:
            scopes |= _named(word)
    return Wanted(
        scopes=frozenset(scopes), providers=frozenset() if anywhere else frozenset(providers)
    )


def cronofy(text: str) -> Wanted:
    """Read scopes as they are, and Cronofy's own groups of them."""
    words = text.split()
    found = [_GROUPS.get(word) or _named(word) for word in words]
    return Wanted(scopes=frozenset().union(*found), providers=frozenset())


def _named(word: str) -> frozenset[Scope]:
    if word == Scope.ALL:
        return EVERYTHING
    return frozenset({Scope(word)}) if word in set(Scope) else frozenset()
