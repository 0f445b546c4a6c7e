"""How the daemon itself is doing."""

from aiohttp import web

from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import show


async def system(request: web.Request) -> web.Response:
    """Show versions, checks, sizes and times, and what is configured."""
    facts = await desk_of(request).facts()
    return show(
        request, "system.html", facts=facts, ill=[name for name, why in facts.checks if why]
    )
