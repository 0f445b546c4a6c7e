"""Tokens and applications: who may ask syncd for what."""

from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from syncd.engine.applications import Registered
from syncd.model.access import DEFAULT_USER, Scope, Token
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import ProfileId, TokenId, UserId, parse_profile
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import Choices, away, one, sentence_of, session_of, show
from syncd.web.dashboard.people import names_of, whose

REACHES = {
    "user": "a user's profiles",
    "profile": "one profile",
    "admin": "everything (administrator)",
}
LIFETIMES = {"": "Never", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
OVERLAPS = {"86400": "A day", "604800": "A week", "0": "Nothing: they end now"}
SHOWN_SCOPES = tuple(one for one in Scope if one is not Scope.ALL)
_FRESH: Mapping[str, object] = {"expires": "90"}  # in the form for a token
_MOST = 200  # tokens on the page
_PAGE = "/dashboard/access"


async def access(request: web.Request) -> web.Response:
    """Show who has access."""
    return await _page(request)


async def create_token(request: web.Request, given: Choices) -> web.Response:
    """Make a token and show it, this once."""
    try:
        user, profile = await _whose(request, given)
        token, text = await desk_of(request).tokens.issue(
            scopes=_scopes(given),
            user_id=user,
            profile_id=profile,
            admin=one(given, "reach") == "admin",
            name=one(given, "name") or None,
            lifetime=_lifetime(given),
        )
    except (InvalidError, NotFoundError) as error:
        return await _page(request, problem=("token", sentence_of(error)), typed=given)
    return show(
        request,
        "secrets.html",
        title="The token is made",
        name=token.name or "Token without a name",
        secrets=(("Token", text.reveal()),),
        until=None,
    )


async def revoke_token(request: web.Request, _: Choices) -> web.Response:
    """End a token."""
    desk = desk_of(request)
    await desk.store.revoke_token(TokenId(request.match_info["token"]), desk.clock.now())
    return away(f"{_PAGE}?done=revoked")


async def add_application(request: web.Request, given: Choices) -> web.Response:
    """Register an application and show its secrets, this once."""
    try:
        made = await desk_of(request).applications.add(
            one(given, "name"),
            origins=one(given, "origins").split(),
            redirect_uris=one(given, "redirect_uris").split(),
        )
    except (InvalidError, ConflictError) as error:
        return await _page(request, problem=("application", sentence_of(error)), typed=given)
    return _registered(request, made, "The application is registered")


async def rotate_application(request: web.Request, given: Choices) -> web.Response:
    """Give an application new secrets and show them, this once."""
    seconds = one(given, "overlap")
    if seconds not in OVERLAPS:
        raise InvalidError("choose how long the old secrets live on", field="overlap")
    made = await desk_of(request).applications.rotate(
        request.match_info["application"], overlap=timedelta(seconds=int(seconds))
    )
    return _registered(request, made, "The secrets are new")


async def remove_application(request: web.Request, _: Choices) -> web.Response:
    """End an application."""
    await desk_of(request).applications.remove(request.match_info["application"])
    return away(f"{_PAGE}?done=removed")


async def ask_application(request: web.Request) -> web.Response:
    """Ask before an application's secrets are replaced or ended."""
    found = await desk_of(request).applications.named(request.match_info["application"])
    return show(request, "application.html", application=found, overlaps=OVERLAPS)


async def ask_token(request: web.Request) -> web.Response:
    """Ask before a token is revoked."""
    found = await desk_of(request).store.token(TokenId(request.match_info["token"]))
    if found is None:
        raise NotFoundError("there is no such token")
    mine = session_of(request).token_id == found.id
    return show(request, "revoke.html", token=found, mine=mine)


async def _page(
    request: web.Request,
    *,
    problem: tuple[str, str] | None = None,
    typed: Choices | None = None,
) -> web.Response:
    """Show all; ``problem`` is the form that was refused and why, ``typed`` what it held."""
    desk, every = desk_of(request), request.query.get("all") == "1"
    filled = {name: one(typed or {}, name) for name in typed or {}}
    now, names = desk.clock.now(), await names_of(desk.store)
    tokens = [token for token in await desk.store.tokens() if not token.is_application]
    listed = [token for token in tokens if every or token.alive(now)]
    return show(
        request,
        "access.html",
        status=200 if problem is None else 422,
        problem=problem,
        typed={"token": _FRESH, "application": {}} | ({problem[0]: filled} if problem else {}),
        tokens=listed[:_MOST],
        hidden=len(listed) - min(len(listed), _MOST),
        dead=len(tokens) - len([token for token in tokens if token.alive(now)]),
        every=every,
        users={user.id: whose(user, names) for user in await desk.store.users()},
        names=names,
        applications=await desk.store.applications(),
        scopes=SHOWN_SCOPES,
        ticked=(typed or {}).get("scope", []),
        reaches=REACHES,
        lifetimes=LIFETIMES,
        mine=session_of(request).token_id,
    )


async def _whose(request: web.Request, given: Choices) -> tuple[UserId | None, ProfileId | None]:
    store, reach, named = desk_of(request).store, one(given, "reach"), one(given, "whose")
    if reach == "admin":
        return None, None
    if reach == "profile":
        number = parse_profile(named)
        if number is None:
            raise InvalidError("name the profile by its number or its pro_… name", field="whose")
        return None, (await store.profile(number)).id
    if reach != "user":
        raise InvalidError("choose whom the token is for", field="reach")
    user = await store.user_named(named or DEFAULT_USER)
    if user is None:
        raise InvalidError(f"there is no user {named or DEFAULT_USER}", field="whose")
    return user.id, None


def _scopes(given: Choices) -> frozenset[Scope]:
    try:
        return frozenset(map(Scope, given.get("scope", [])))
    except ValueError:
        raise InvalidError("there is no such scope", field="scope") from None


def _lifetime(given: Choices) -> timedelta | None:
    days = one(given, "expires")
    if days not in LIFETIMES:
        raise InvalidError("choose when the token expires", field="expires")
    return timedelta(days=int(days)) if days else None


def _registered(request: web.Request, made: Registered, title: str) -> web.Response:
    words = {"api_key": "API key", "client_secret": "Client secret"}
    told = tuple((words[kind.value], secret.reveal()) for kind, secret in made.secrets.items())
    return show(
        request,
        "secrets.html",
        title=title,
        name=made.application.name,
        secrets=(("Client id", made.application.id), *told),
        until=made.old_secrets_end_at,
    )


def reach_of(token: Token) -> str:
    """Return what a token covers, in a word."""
    if token.admin:
        return "Everything"
    return "A profile" if token.profile_id is not None else "A user"
