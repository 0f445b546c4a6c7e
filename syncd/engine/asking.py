"""Applications that ask people for a calendar: their requests become invitations (K6, C18, N7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import orjson
from oauthlib.common import Request
from oauthlib.oauth2 import FatalClientError, InvalidRequestError, OAuth2Error

from syncd.engine.browsers import Browsers
from syncd.engine.endings import Home, ending, refusal
from syncd.engine.invitations import Invitations
from syncd.engine.members import Members
from syncd.engine.oauth_rules import WORDS, AskingRules, request_of
from syncd.model import scope_words
from syncd.model.access import Application, Scope, Token
from syncd.model.brands import provider_by_cronofy
from syncd.model.errors import ForbiddenError, InvalidError, NotFoundError
from syncd.model.ids import ApplicationId, UserId
from syncd.model.invitation import OUT_OF_BAND, Ending, Ends, Invitation, Reach
from syncd.ports.clock import Clock
from syncd.ports.link import Linker
from syncd.ports.store import Store
from syncd.ports.vault import Vault

LONGEST = 2048  # characters of what a form is filled with
_WHOLE = frozenset({Scope.ALL})  # an application's key does everything with its profiles (R6)
_TRUE = frozenset({"true", "1"})
_TOKEN = "token"  # noqa: S105 - a response type


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for authorization, as a browser brings it.

    ``browser`` is the cookie that it has from now on, ``kept`` what it keeps of the application's
    user (``Browsers``).
    """

    query: Sequence[tuple[str, str]]
    browser: str
    kept: str = ""

    def member(self, name: str) -> str | None:
        """Return what the query says last; an empty text is nothing (RFC 6749 §3.1)."""
        return next((value for known, value in reversed(self.query) if known == name), "") or None


class Asking:
    """The authorization endpoints of two dialects, and the links of the third.

    At the endpoints a fault in the client or in the redirect URI raises InvalidError: only the
    person may be told. Of any other the application is told, by an ending.
    """

    def __init__(
        self, store: Store, invitations: Invitations, linker: Linker, vault: Vault, clock: Clock
    ) -> None:
        """Invite by ``invitations`` to connect what ``linker`` can."""
        self._store = store
        self._invitations = invitations
        self._linker = linker
        self._members = Members(store, clock)
        self._browsers = Browsers(vault, clock)

    async def kloudless(self, asked: Asked) -> Ending:
        """Return where the browser goes, as K6 says."""
        application = await self._application(asked)
        wanted = scope_words.kloudless(asked.member("scope") or "all")
        try:
            request = _checked(asked, known_scopes=bool(wanted.scopes), token=True)
            prefill = _prefill(asked.member("extra_data"))
        except OAuth2Error as error:
            return _refused(asked, error)
        path, _ = await self._invitations.invite(
            Ends.TOKEN if request.response_type == _TOKEN else Ends.CODE,
            application_id=application.id,
            scopes=wanted.scopes,
            providers=wanted.providers,
            return_to=request.redirect_uri,
            origin=asked.member("origin"),
            request_id=asked.member("request_id"),
            challenge=request.code_challenge,
            state=request.state,
            browser=asked.browser,
            url=prefill.get("url", ""),
            username=prefill.get("username", ""),
        )
        return Ending(connected=False, url=path)

    async def cronofy(self, asked: Asked) -> Ending:
        """Return where the browser goes, as C18 says."""
        application = await self._application(asked)
        wanted = scope_words.cronofy(asked.member("scope") or "")
        try:
            request = _checked(asked, known_scopes=bool(wanted.scopes), token=False)
        except OAuth2Error as error:
            return _refused(asked, error)
        avoids = (asked.member("avoid_linking") or "").lower() in _TRUE
        path, _ = await self._invitations.invite(
            Ends.CODE,
            application_id=application.id,
            companion_id=None if avoids else await self._companion(application, asked),
            reach=Reach.USER,
            scopes=wanted.scopes,
            preselected=provider_by_cronofy(asked.member("provider_name") or ""),
            return_to=request.redirect_uri,
            challenge=request.code_challenge,
            state=request.state,
            browser=asked.browser,
        )
        return Ending(connected=False, url=path)

    async def native(
        self,
        token: Token,
        *,
        user: str | None = None,
        provider: str | None = None,
        return_to: str | None = None,
        state: str | None = None,
    ) -> tuple[str, Invitation]:
        """Return ``/connect/…`` for a person whom an application, or a user, sends there (N7).

        ``user`` is the application's own name for its user. Raises InvalidError, ForbiddenError.
        """
        if token.user_id is None and not token.is_application:
            raise ForbiddenError("only an application's key and a user's token invite people")
        if user is not None and not token.is_application:
            raise InvalidError("only an application names its users", field="user")
        if provider is not None and provider not in {
            way.provider for way in await self._linker.ways()
        }:
            raise InvalidError(f"{provider} cannot be connected here", field="provider")
        home = (
            None
            if token.application_id is None
            else await self._store.application(token.application_id)
        )
        if return_to is not None and (
            home is None or return_to == OUT_OF_BAND or return_to not in home.redirect_uris
        ):
            raise InvalidError("the application has not registered this address", field="return_to")
        owner = token.user_id
        if home is not None and user is not None:
            owner = (await self._members.named(home.id, user)).id
        return await self._invitations.invite(
            Ends.RETURN,
            application_id=token.application_id,
            scopes=_WHOLE if home is not None else frozenset(),
            user_id=owner,
            preselected=provider,
            return_to=return_to,
            state=state,
        )

    async def _application(self, asked: Asked) -> Application:
        """Return who asks, if the answer goes where it may: compared letter by letter."""
        try:
            client = ApplicationId(asked.member("client_id") or "")
            application = await self._store.application(client)
        except NotFoundError:
            raise InvalidError("there is no such application", field="client_id") from None
        target = asked.member("redirect_uri")
        if target not in application.redirect_uris:
            raise InvalidError(
                f"{application.name} has not registered this address", field="redirect_uri"
            )
        if target == OUT_OF_BAND and asked.member("origin") not in application.origins:
            raise InvalidError(f"{application.name} has not registered it", field="origin")
        return application

    async def _companion(self, application: Application, asked: Asked) -> UserId | None:
        """Return the user that this browser connected before, for the same application."""
        user = self._browsers.user(application.id, asked.kept)
        try:
            return None if user is None else (await self._store.user(user)).id
        except NotFoundError:  # of a database before it was restored
            return None


def _checked(asked: Asked, *, known_scopes: bool, token: bool) -> Request:
    request = request_of(asked.query)
    try:
        AskingRules(known_scopes=known_scopes).check(request, token=token)
    except FatalClientError as error:  # a member twice: who knows which is meant
        raise InvalidError(error.description) from None
    return request


def _prefill(text: str | None) -> Mapping[str, str]:
    """Read ``extra_data``: a JSON object, URL-encoded once more by some clients."""
    if text is None:
        return {}
    try:
        told = orjson.loads(text if text.lstrip().startswith("{") else unquote(text))
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        raise InvalidRequestError("extra_data has to be a JSON object")
    known = {name: told[name] for name in ("url", "username") if isinstance(told.get(name), str)}
    return {name: value for name, value in known.items() if len(value) <= LONGEST}


def _refused(asked: Asked, error: OAuth2Error) -> Ending:
    word = str(error.error)
    home = Home(
        return_to=asked.member("redirect_uri"),
        origin=asked.member("origin"),
        request_id=asked.member("request_id"),
        fragment=asked.member("response_type") == _TOKEN,
    )
    description = error.description or WORDS.get(word, word)
    return ending(home, refusal(word, description, asked.member("state")), connected=False)
