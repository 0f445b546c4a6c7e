"""How a connection ends for the browser: back to the application, or told to its popup (K6, N5)."""

from aiohttp import web

from syncd.model.ids import ApplicationId
from syncd.model.invitation import Ending
from syncd.web.page import HEADERS, gone_to, page
from syncd.web.sign_in import cookie_name, keep

_SCRIPTED = HEADERS["Content-Security-Policy"] + "; script-src 'self'"


def ended(request: web.Request, ending: Ending) -> web.StreamResponse:
    """Return what the browser gets of an ending."""
    shown = _shown(request, ending)
    if ending.remembered is not None:
        name = remembered_name(request, ending.remembered.application_id)
        keep(request, shown, name, ending.remembered.sealed)
    return shown


def remembered_name(request: web.Request, application: ApplicationId) -> str:
    """Return the name of the cookie with the user of an application in this browser (C18)."""
    return cookie_name(request, f"syncd-user-{application}")


def _shown(request: web.Request, ending: Ending) -> web.Response:
    if ending.url is not None:
        return gone_to(ending.url)
    if ending.popup is not None:
        shown = page(request, "popup.html", popup=ending.popup)
        shown.headers["Content-Security-Policy"] = _SCRIPTED
        return shown
    if not ending.connected:
        title, message = "Nothing was connected", "You can close this page."
        return page(request, "message.html", title=title, message=message)
    return page(
        request,
        "done.html",
        title="Your calendar is connected",
        message="It is being read now. You can close this page.",
    )
