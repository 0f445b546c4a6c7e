"""Who asks, and what their tokens cover (api.md R5-R7)."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta

from aiohttp import web

from syncd.api.parts import parts_of
from syncd.api.problems import Problem, ProblemError, invalid
from syncd.model.access import Scope, Token, grants, matches, split_token
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import NotFoundError, TransientError
from syncd.model.ids import PRIMARY, ProfileId, parse_profile, profile_of_calendar
from syncd.model.profile import Profile
from syncd.model.reach import reach_of
from syncd.ports.store import Store

MOST_TOKENS = 20
MOST_ACCOUNTS = 100  # in one path
_AT_ONCE = 1000
_NAMED = 100  # accounts in the refusal of an ambiguous ``me``
ME = "me"
_NO_CALENDAR = "there is no such calendar"
USE_IS_NOTED_AFTER = timedelta(minutes=10)
_CREDENTIALS = re.compile(r"(bearer|apikey) +(\S.*)", re.IGNORECASE)
_REALM = 'Bearer realm="syncd"'


async def authenticate(request: web.Request, *, client_secret: bool = False) -> tuple[Token, ...]:
    """Return the tokens of the ``Authorization`` header; 401 without one, or if one is dead.

    ``client_secret``: an application's secret may come as ``Bearer`` too, alone.
    """
    given = request.headers.getall("Authorization", [])
    if not given:
        raise unauthorized("send Authorization: Bearer with a token of syncd")
    found = _CREDENTIALS.fullmatch(given[0].strip())
    if len(given) > 1 or found is None:
        raise unauthorized("the Authorization header is not understood", sent=True)
    by_application = found[1].lower() == "apikey"
    texts = [text.strip() for text in found[2].split(",")]
    if len(texts) > (1 if by_application else MOST_TOKENS):
        raise unauthorized("the Authorization header names too many tokens", sent=True)
    tokens = [await _token(request, text) for text in texts]
    allowed = {by_application}  # whether a token is an application itself
    if client_secret and not by_application and len(texts) == 1:
        allowed = {False, True}
    live = tuple(token for token in tokens if token is not None and token.is_application in allowed)
    if len(live) < len(texts):
        raise unauthorized("the token is unknown, expired or revoked", sent=True)
    return live


async def account_named(store: Store, tokens: Sequence[Token], name: str) -> tuple[Token, Profile]:
    """Return an account and the first token that covers it; else 404.

    ``me`` is the only account that the only token covers.
    """
    if name == ME:
        return tokens[0], await _me(store, tokens)
    if not (name.isascii() and name.isdecimal()):
        raise NotFoundError("there is no such account")
    return await profile_named(store, tokens, name)


async def accounts_named(
    store: Store, tokens: Sequence[Token], names: str
) -> Sequence[tuple[Token, Profile]]:
    """Return the accounts of a comma list in its order, each once, with tokens that cover them.

    ``me`` at place n is the account of token n (R5). Raises NotFoundError if one is not covered.
    """
    listed = [name.strip() for name in names.split(",")]
    if len(listed) > MOST_ACCOUNTS:
        raise invalid(f"name at most {MOST_ACCOUNTS} accounts", field="account_id")
    if listed == [ME]:
        return [await account_named(store, tokens, ME)]
    found = dict[ProfileId, tuple[Token, Profile]]()
    for place, name in enumerate(listed):
        mine = tokens if name != ME or len(tokens) == 1 else tokens[place : place + 1]
        if not mine:
            raise invalid(f"me at place {place + 1} has no token of its own", field="account_id")
        token, profile = await account_named(store, mine, name)
        found.setdefault(profile.id, (token, profile))
    return list(found.values())


async def profile_named(store: Store, tokens: Sequence[Token], name: str) -> tuple[Token, Profile]:
    """Return a profile by either of its names and the first token that covers it; else 404."""
    number = parse_profile(name)
    with suppress(NotFoundError):  # told in the same words as another user's (R5)
        profile = None if number is None else await store.profile(number)
        for token in tokens:
            if profile is not None and covers(token, profile):
                return token, profile
    raise NotFoundError("there is no such profile")


def covers(token: Token, profile: Profile) -> bool:
    """Tell whether a profile is within a token's reach (R6)."""
    return reach_of([token]).covers(profile)


async def covered(
    store: Store, token: Token, *, after: ProfileId | None = None
) -> AsyncIterator[Profile]:
    """Yield the profiles that a token covers, by id, those behind ``after``."""
    if token.profile_id is not None:
        with suppress(NotFoundError):
            profile = await store.profile(token.profile_id)
            if after is None or profile.id > after:
                yield profile
        return
    while True:
        page = await store.profiles(user=token.user_id, after=after, limit=_AT_ONCE)
        for profile in page:
            if covers(token, profile):
                yield profile
        if len(page) < _AT_ONCE:
            return
        after = page[-1].id


async def all_covered(store: Store, tokens: Sequence[Token]) -> Sequence[Profile]:
    """Return every profile that any of the tokens covers, by id."""
    found = {one.id: one for token in tokens async for one in covered(store, token)}
    return [found[number] for number in sorted(found)]


def check_scope(tokens: Sequence[Token], wanted: Scope | None) -> tuple[Token, ...]:
    """Return the tokens that have the scope; 403 if none has. Without a scope all will do."""
    if wanted is None:
        return tuple(tokens)
    able = tuple(token for token in tokens if grants(token.scopes, wanted))
    if not able:
        challenge = f'{_REALM}, error="insufficient_scope", scope="{wanted}"'
        raise ProblemError(
            Problem(
                status=403,
                code="insufficient_scope",
                message=f"this needs a token with the scope {wanted}",
                headers={"WWW-Authenticate": challenge},
            )
        )
    return able


async def calendar_covered(
    store: Store, tokens: Sequence[Token], name: str
) -> tuple[Token, Profile, KnownCalendar]:
    """Return a calendar of any profile by its id, deleted ones too, and a token that covers it.

    ``primary`` is that of the only profile behind the tokens (R9). Raises NotFoundError.
    """
    if name == PRIMARY:
        profile = only_profile(await all_covered(store, tokens), field="calendar_id")
        token = next(one for one in tokens if covers(one, profile))
    else:
        try:
            token, profile = await profile_named(store, tokens, profile_of_calendar(name))
        except NotFoundError:
            raise NotFoundError(_NO_CALENDAR) from None
    for known in await store.calendars(profile.id, removed=True):
        usual = known.calendar.primary and known.removed_at is None
        if known.id == name or (name == PRIMARY and usual):
            return token, profile, known.as_of(profile.polled_at)
    raise NotFoundError(_NO_CALENDAR)


def only_profile(profiles: Sequence[Profile], *, field: str) -> Profile:
    """Return the one profile; with several or none ``primary`` is a problem of ``field`` (R9)."""
    if len(profiles) != 1:
        raise invalid(f"primary needs exactly one profile, here are {len(profiles)}", field=field)
    return profiles[0]


async def _me(store: Store, tokens: Sequence[Token]) -> Profile:
    if len(tokens) > 1:
        raise invalid("with several tokens, name the account instead of me", field="account_id")
    if tokens[0].is_application:
        raise invalid("an API key has no account of its own: name it", field="account_id")
    found = list[Profile]()
    async for profile in covered(store, tokens[0]):
        found.append(profile)
        if len(found) == _NAMED:
            break
    if not found:
        raise NotFoundError("this token has no account yet")
    if len(found) > 1:
        raise ProblemError(
            Problem(
                status=400,
                code="ambiguous_account",
                message="this token covers several accounts: name one instead of me",
                members={"accounts": [str(profile.id) for profile in found]},
            )
        )
    return found[0]


async def _token(request: web.Request, text: str) -> Token | None:
    parts = parts_of(request)
    split = split_token(text)
    token = None if split is None else await parts.store.token(split[0])
    now = parts.clock.now()
    if not matches(token, "" if split is None else split[1]) or token is None:
        return None
    if not token.alive(now):
        return None
    await note_use(request, token)
    return token


async def note_use(request: web.Request, token: Token) -> None:
    """Keep when a token was last used, coarsely."""
    parts = parts_of(request)
    now = parts.clock.now()
    if token.used_at is None or now - token.used_at >= USE_IS_NOTED_AFTER:
        with suppress(TransientError):  # a full store still reads
            await parts.store.touch_token(token.id, now)


def unauthorized(message: str, *, sent: bool = False) -> ProblemError:
    """Return a 401 with its challenge; ``sent`` if there was a token that is not valid."""
    challenge = f'{_REALM}, error="invalid_token"' if sent else _REALM
    return ProblemError(
        Problem(
            status=401,
            code="unauthorized",
            message=message,
            headers={"WWW-Authenticate": challenge},
        )
    )
