"""What was tried to deliver to a webhook (api.md N18, N20)."""

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.native.webhook_shapes import (
    DeliveriesQuery,
    DeliveryDetail,
    DeliveryList,
    Replayed,
)
from syncd.api.native.webhooks import ONE, webhook_named
from syncd.api.pages import cut, read_page
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.engine.webhook_documents import delivery_document
from syncd.model.access import Scope

_ALL = f"{ONE}/deliveries"
_ONE = f"{_ALL}/{{delivery_id}}"


@route("GET", _ALL, scope=Scope.MANAGE_WEBHOOKS, query=DeliveriesQuery, answer=DeliveryList)
async def list_deliveries(request: web.Request, query: DeliveriesQuery) -> web.Response:
    """List the attempts to deliver to a webhook, newest first."""
    found = await webhook_named(request)
    name = f"deliveries|{found.id}|{query.status}"
    place = read_page(query.page, of=name)
    listed = await parts_of(request).store.deliveries(
        found.id,
        outcome=query.status,
        before=None if place.behind is None else str(place.behind[0]),
        limit=query.page_size + 1,
    )
    shown, around = cut(listed, query.page_size, of=name, place=place)
    return answer(around | {"objects": [delivery_document(one) for one in shown]})


@route("GET", _ONE, scope=Scope.MANAGE_WEBHOOKS, answer=DeliveryDetail)
async def retrieve_delivery(request: web.Request) -> web.Response:
    """Return an attempt with what was sent and the first 1 KiB of what was answered."""
    tried = await parts_of(request).subscriptions.tried(
        await webhook_named(request), request.match_info["delivery_id"]
    )
    told = delivery_document(tried.delivery)
    told["request_body"] = None if tried.body is None else tried.body.decode()
    told["response_body"] = tried.delivery.answer.decode("utf-8", "replace")
    return answer(told)


@route(
    "POST",
    f"{_ONE}/replay",
    scope=Scope.MANAGE_WEBHOOKS,
    status=202,
    answer=Replayed,
    errors=(409, 410),
)
async def replay_delivery(request: web.Request) -> web.Response:
    """Send what an attempt was about once more, with the same id."""
    count = await parts_of(request).subscriptions.replay(
        await webhook_named(request), request.match_info["delivery_id"]
    )
    return answer({"count": count}, status=202)
