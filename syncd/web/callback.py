"""Where providers send people back to (api.md N3)."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from syncd.engine.consents import Back
from syncd.model.errors import NotFoundError
from syncd.web.journeys import Journeys
from syncd.web.outcome import Told, failed
from syncd.web.page import page

Returned = Callable[[web.Request, Back, str, str | None], Awaitable[web.StreamResponse]]
_CANCELLED = frozenset({"access_denied", "consent_required", "interaction_required"})
_CANCEL = Told(
    status=400,
    calm=True,
    message="The sign-in was cancelled, or not allowed. That is all right: nothing was changed. "
    "You can begin again whenever you like.",
)
_TROUBLE = Told(
    status=400,
    message="The provider could not sign you in. Nothing was changed: please try again later, or "
    "tell whoever gave you the link.",
)


class CallbackPage:
    """Takes a person back and hands them to the page that sent them; ``pages`` are by prefix.

    Neither code nor state is shown, and no page of ours is opened with them in its address:
    what follows is another page, or one that tells no other where it was (``no-referrer``).
    """

    def __init__(self, journeys: Journeys, pages: Mapping[str, Returned]) -> None:
        """Know the pages that send people away."""
        self._journeys = journeys
        self._pages = pages

    async def show(self, request: web.Request) -> web.StreamResponse:
        """End a journey: once, in the browser that began it."""
        try:
            back = await self._journeys.end(request)
        except NotFoundError:
            return page(
                request,
                "message.html",
                status=400,
                title="This sign-in cannot go on here",
                message="It was begun in another browser or at another address, took longer than "
                "ten minutes, or was finished already. Open the link that you were given again.",
            )
        response = await self._ended(request, back)
        self._journeys.forget(request, response)
        return response

    async def _ended(self, request: web.Request, back: Back) -> web.StreamResponse:
        error, code = request.query.get("error"), request.query.get("code", "")
        if error in _CANCELLED:
            return failed(request, back, title="Nothing was connected", told=_CANCEL)
        if error is not None or not code:
            return failed(request, back, title="The sign-in did not work", told=_TROUBLE)
        returned = next(self._pages[one] for one in self._pages if back.path.startswith(one))
        return await returned(request, back, code, request.query.get("iss"))
