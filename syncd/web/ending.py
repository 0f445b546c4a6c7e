"""How a connection ends for the browser: back to the application, or told to its popup (K6, N5)."""

from aiohttp import web

from syncd.model.invitation import Ending
from syncd.web.page import HEADERS, gone_to, page

_SCRIPTED = HEADERS["Content-Security-Policy"] + "; script-src 'self'"


def ended(request: web.Request, ending: Ending) -> web.StreamResponse:
    """Return what the browser gets of an ending."""
    if ending.url is not None:
        return gone_to(ending.url)
    if ending.popup is None:
        return page(
            request,
            "done.html",
            title="Your calendar is connected",
            message="It is being read now. You can close this page.",
        )
    shown = page(request, "popup.html", popup=ending.popup)
    shown.headers["Content-Security-Policy"] = _SCRIPTED
    return shown
