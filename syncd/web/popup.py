"""The last page of a popup: it tells the window that opened it what came of it (api.md K6)."""

from aiohttp import web

from syncd.model.invitation import Popup
from syncd.web.page import page


def popup_page(request: web.Request, popup: Popup) -> web.Response:
    """Return the page; its script may speak to one origin only.

    It has no ``Cross-Origin-Opener-Policy``, which would part it from that window.
    """
    return page(
        request, "popup.html", script=True, origin=popup.origin, told=popup.message
    )
