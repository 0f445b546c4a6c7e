"""One attempt to deliver: what was sent, what was answered, and once more."""

import orjson
from aiohttp import web

from syncd.model.subscription import message_id
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import Choices, away, show
from syncd.web.dashboard.subscriptions import path_of, subscription_named


async def retrieve(request: web.Request) -> web.Response:
    """Show one attempt."""
    found = await subscription_named(request)
    tried = await desk_of(request).subscriptions.tried(found, request.match_info["delivery"])
    delivery = tried.delivery
    return show(
        request,
        "delivery.html",
        subscription=found,
        delivery=delivery,
        message_id=message_id(found.id, delivery.profile_id, delivery.record_id),
        sent=None if tried.body is None else _readable(tried.body),
        answered=delivery.answer.decode("utf-8", "replace"),
        action=f"{path_of(found)}/deliveries/{delivery.id}/replay",
    )


async def replay(request: web.Request, _: Choices) -> web.Response:
    """Send it once more, with the same id."""
    found = await subscription_named(request)
    await desk_of(request).subscriptions.replay(found, request.match_info["delivery"])
    return away(f"{path_of(found)}?done=replayed")


def _readable(body: bytes) -> str:
    """Return a body as text, JSON with its parts on lines of their own."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        return body.decode("utf-8", "replace")
