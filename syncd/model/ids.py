"""Typed ids, and the two kinds of position (api.md R8, R9; design invariants I3, I4)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NewType

from syncd.model.errors import MalformedCursorError

UserId = NewType("UserId", str)  # acc_…
ApplicationId = NewType("ApplicationId", str)
TokenId = NewType("TokenId", str)
GrantId = NewType("GrantId", str)
InvitationId = NewType("InvitationId", str)
ProfileId = NewType(
    "ProfileId", int
)  # the Kloudless account id; ``profile_name`` is the other name
CalendarId = NewType("CalendarId", str)  # cal_<profile part>_<short>, of a room room_…
EventId = NewType("EventId", str)
CalendarKey = NewType("CalendarKey", str)  # *their* id of a calendar: an href, an opaque id
ResourceKey = NewType(
    "ResourceKey", str
)  # *their* id of what holds an event: an href, an opaque id
Slot = NewType("Slot", str)  # which event of a resource: "" the whole, else its original start
SyncToken = NewType("SyncToken", str)  # a position in *their* change feed: opaque, may expire
Position = NewType("Position", int)  # a place in *our* stream of one profile: 1, 2, 3, no gaps

PRIMARY = "primary"  # alias of a profile's primary calendar wherever a calendar id is accepted (R9)
_ROOM = "room"
WHOLE = Slot("")  # the slot of a single event or of a series

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]
_PROFILE_NAME = re.compile(r"pro_([a-z2-7]{4,13})")
_NUMBER = "(0|[1-9][0-9]{0,17})"
CURSOR = re.compile(f"([a-z2-7]{{8}}){_NUMBER}", re.ASCII)
CURSOR_OF_ALL = re.compile(f"([a-z2-7]{{8}})-{_NUMBER}-{_NUMBER}-{_NUMBER}(-a)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position as clients carry it: ``str()`` is opaque, URL-safe text; see I4 for its limits."""

    epoch: str
    position: Position

    def __str__(self) -> str:
        """Return the text that clients keep."""
        return f"{self.epoch}{self.position}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read what ``str()`` wrote; raises MalformedCursorError for anything else."""
        found = CURSOR.fullmatch(text)
        if found is None:
            if CURSOR_OF_ALL.fullmatch(text):
                message = "this is a cursor of the stream of all profiles, not one of a profile"
                raise MalformedCursorError(message)
            raise MalformedCursorError("this is not a cursor of syncd")
        return cls(found[1], Position(int(found[2])))


def new_epoch(entropy: bytes) -> str:
    """Return an epoch, the part of a cursor that a restored database changes (I4)."""
    return short(entropy.hex(), length=8)


def short(*parts: str, length: int = 13) -> str:
    """Return a stable digest of the parts as lower-case base32, 5 bits a character."""
    digest = blake2b("\0".join(parts).encode(), digest_size=16).digest()
    number = int.from_bytes(digest, "big") << 2  # 130 bits: 26 characters
    pairs = [_PAIRS[number >> at & 1023] for at in range(120, 120 - 5 * length, -10)]
    return "".join(pairs)[:length]


def profile_part(profile: ProfileId) -> str:
    """Return the letters that stand for a profile inside other ids; reversible, at least four."""
    number, text = int(profile), ""
    while number:
        number, digit = divmod(number, 32)
        text = _DIGITS[digit] + text
    return text.rjust(4, _DIGITS[0])


def profile_name(profile: ProfileId) -> str:
    """Return a profile's other name, ``pro_…`` (R8)."""
    return f"pro_{profile_part(profile)}"


def parse_profile(text: str) -> ProfileId | None:
    """Read either name of a profile; None if it is neither a decimal id nor ``pro_…``."""
    if text.isascii() and text.isdecimal() and len(text) <= 18:  # noqa: PLR2004 - fits 63 bits
        return ProfileId(int(text))
    found = _PROFILE_NAME.fullmatch(text)
    if found is None:
        return None
    number = 0
    for digit in found[1]:
        number = number * 32 + _DIGITS.index(digit)
    profile = ProfileId(number)
    return profile if number < 2**63 and profile_name(profile) == text else None


def calendar_id(profile: ProfileId, key: CalendarKey) -> CalendarId:
    """Return our id of a calendar; the same for ever, as it depends on the provider's id only."""
    return CalendarId(f"cal_{profile_part(profile)}_{short(key, length=10)}")


def room_calendar_id(profile: ProfileId, key: CalendarKey) -> CalendarId:
    """Return the id under which a profile lists a room's calendar, which is not among its own."""
    return CalendarId(f"{_ROOM}_{profile_part(profile)}_{short(key, length=10)}")


def is_room_calendar(text: str, profile: ProfileId | None = None) -> bool:
    """Tell whether an id is that of a room's calendar, of this or of whatever profile."""
    return text.startswith(f"{_ROOM}_" if profile is None else f"{_ROOM}_{profile_part(profile)}_")


def profile_of_calendar(text: str) -> str:
    """Return the name of the profile that a calendar's id is of; no name if it is none of ours."""
    word, _, rest = text.partition("_")
    return f"pro_{rest.partition('_')[0]}" if word == "cal" else ""


@lru_cache(maxsize=4096)  # more than a transaction's: each is asked for several times over
def event_id(calendar: CalendarId, key: ResourceKey, slot: Slot = WHOLE) -> EventId:
    """Return our id of an event first seen under this key; an exception's names its slot (P8)."""
    return slot_id(EventId(short(calendar, key)), slot)


def slot_id(series: EventId, slot: Slot) -> EventId:
    """Return the id of an exception or occurrence of a series (design §8)."""
    return EventId(f"{series}_{slot}") if slot else series


def split_event_id(event: EventId) -> tuple[EventId, Slot]:
    """Return the series (or single event) and the slot that an event id names."""
    series, _, slot = event.partition("_")
    return EventId(series), Slot(slot)
