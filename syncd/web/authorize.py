"""Where applications send people first: from here they are led to the connect page (K6, C18)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from syncd.engine.asking import Asked, Asking
from syncd.model.errors import InvalidError
from syncd.model.ids import ApplicationId
from syncd.model.invitation import Ending
from syncd.ports.clock import Clock
from syncd.web.ending import ended, remembered_name
from syncd.web.page import page
from syncd.web.sign_in import FormTokens, Tries, too_many

PER_MINUTE = 100  # from one address: each is kept for an hour


class AuthorizePages:
    """Two addresses; what is asked there is bound to the browser, by the cookie of our forms."""

    def __init__(self, asking: Asking, clock: Clock) -> None:
        """Have ``asking`` decide."""
        self._asking = asking
        self._asked = Tries(clock, most=PER_MINUTE, within=timedelta(minutes=1))

    async def kloudless(self, request: web.Request) -> web.StreamResponse:
        """Lead to the connect page, or back with an error; a page where nobody may be told."""
        return await self._answer(request, self._asking.kloudless)

    async def cronofy(self, request: web.Request) -> web.StreamResponse:
        """Do the same in the other dialect."""
        return await self._answer(request, self._asking.cronofy)

    async def _answer(
        self, request: web.Request, decide: Callable[[Asked], Awaitable[Ending]]
    ) -> web.StreamResponse:
        wait = self._asked.begin(request.remote or "")
        if wait is not None:
            return too_many(request, wait)
        cookie = FormTokens.cookie_of(request)
        client = ApplicationId(request.query.get("client_id", ""))
        kept = request.cookies.get(remembered_name(request, client), "")
        asked = Asked(query=list(request.query.items()), browser=cookie, kept=kept)
        try:
            ending = await decide(asked)
        except InvalidError as error:
            why = f"{error.field or 'query'}: {str(error).rstrip('.')}"  # oauthlib ends with one
            return page(
                request,
                "message.html",
                status=400,
                title="This link cannot be used",
                message="The application that sent you here made a mistake, so you are not sent "
                f"back to it. Please tell whoever runs it: {why}.",
            )
        shown = ended(request, ending)
        FormTokens.issue(request, shown, cookie)
        return shown
