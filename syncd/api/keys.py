"""What earlier stages of a request leave for later ones."""

from aiohttp import web

from syncd.api.dialect import Dialect
from syncd.model.access import Token
from syncd.model.calendar import KnownCalendar
from syncd.model.profile import Profile

TOKENS = web.RequestKey("tokens", tuple[Token, ...])
PROFILE = web.RequestKey("profile", Profile)
PROFILES = web.RequestKey("profiles", tuple[Profile, ...])
CALENDAR = web.RequestKey("calendar", KnownCalendar)
DIALECT = web.RequestKey("dialect", Dialect)
REQUEST_ID = web.RequestKey("request_id", str)


def tokens_of(request: web.Request) -> tuple[Token, ...]:
    """Return the tokens that were sent and open this route, in their order."""
    return request[TOKENS]


def profile_of(request: web.Request) -> Profile:
    """Return the profile that the path names; the caller's token covers it."""
    return request[PROFILE]


def profiles_of(request: web.Request) -> tuple[Profile, ...]:
    """Return the profiles of a list of accounts in the path, in its order, each once."""
    return request[PROFILES]


def calendar_of(request: web.Request) -> KnownCalendar:
    """Return the calendar that a path without an account names, a deleted one too."""
    return request[CALENDAR]
