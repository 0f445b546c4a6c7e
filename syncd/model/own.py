"""Who a profile is among the people of an event: the attendee whose answer is its own."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from syncd.model.event import Answer
from syncd.model.profile import Profile

ADDRESSES = "addresses"  # of Profile.settings; blanks between the person's further addresses
_SCHEME = "mailto:"


def own_addresses(profile: Profile) -> frozenset[str]:
    """Return every address that names the profile's person, as ``is_own`` compares them.

    That is the login, and what the adapter found at sign-in: for CalDAV the
    ``calendar-user-address-set`` (RFC 6638 §2.4.1), URIs that are no mail addresses among them.
    """
    named = (profile.login, *profile.settings.get(ADDRESSES, "").split())
    return frozenset(_folded(one) for one in named if one.strip())


def own_address(address: str) -> str:
    """Return an address as ``is_own`` compares it."""
    return _folded(address)


def own_email(profile: Profile) -> str | None:
    """Return the address that a person signs with: the login, else the first that is told."""
    named = (profile.login, *profile.settings.get(ADDRESSES, "").split())
    plain = (one.strip()[len(_SCHEME) :] if _is_mail(one) else one.strip() for one in named)
    return next((one for one in plain if "@" in one and "/" not in one), None)


def is_own(address: str | None, own: AbstractSet[str]) -> bool:
    """Tell whether an attendee's address is one of ``own``; letter case never matters."""
    return address is not None and _folded(address) in own


def has_declined(answers: Iterable[tuple[str | None, str | None]], own: AbstractSet[str]) -> bool:
    """Tell whether the profile itself has declined: (address, answer) of every attendee.

    Who is invited at two addresses has declined only with both.
    """
    mine = [answer for address, answer in answers if is_own(address, own)]
    return bool(mine) and all(answer == Answer.DECLINED for answer in mine)


def _folded(address: str) -> str:
    plain = address.strip()
    return (plain[len(_SCHEME) :] if _is_mail(plain) else plain).casefold()


def _is_mail(address: str) -> bool:
    return address.strip()[: len(_SCHEME)].lower() == _SCHEME
