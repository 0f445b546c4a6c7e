"""Where providers call when a calendar has changed (providers.md P16, G12, MG16).

A call is believed only with the secret of its channel, and means no more than "poll now".
"""

from contextlib import suppress
from typing import Annotated

from aiohttp import web
from pydantic import Field

from syncd.api.parts import parts_of
from syncd.api.route import Shape, route
from syncd.engine.hints import News
from syncd.model.errors import NotFoundError

_PLAIN = {"X-Content-Type-Options": "nosniff"}  # what is echoed is nobody's page
_CHANNEL, _TOKEN = "X-Goog-Channel-ID", "X-Goog-Channel-Token"


_NEWS = {"reauthorizationRequired": News.RENEW, "subscriptionRemoved": News.END}


class GraphQuery(Shape):
    """`validationToken` is there when a subscription is made: it is to be echoed."""

    validationToken: Annotated[str, Field(max_length=4096)] | None = None  # noqa: N815 - theirs


class GraphNotice(Shape):
    """One change, or one word about the subscription; what else Graph tells is not looked at.

    `lifecycleEvent`: `reauthorizationRequired` and `subscriptionRemoved` renew the subscription;
    `missed`, and any other word, means no more than a change does.
    """

    clientState: str | None = None  # noqa: N815 - theirs
    lifecycleEvent: str | None = None  # noqa: N815 - theirs


class GraphNotices(Shape):
    """What Graph sends: many notices of many subscriptions."""

    value: Annotated[tuple[GraphNotice, ...], Field(max_length=1000)] = ()


@route("POST", "/v1/push/google", scope=None, status=202, errors=(404,), takes=(_CHANNEL, _TOKEN))
async def hear_google(request: web.Request) -> web.Response:
    """Take a call of Google's: the calendar of the channel is polled now.

    For Google alone. Without a channel of ours and its token: 404.
    """
    headers = request.headers
    hints = parts_of(request).hints
    channel, secret = headers.get(_CHANNEL, ""), headers.get(_TOKEN, "")
    await hints.hear("google", channel, secret, News.CHANGE)
    return web.Response(status=202)


@route(
    "POST",
    "/v1/push/graph",
    scope=None,
    query=GraphQuery,
    body=GraphNotices,
    content_type="text/plain",
    more={202: None},
    errors=(404,),
)
async def hear_graph(request: web.Request, query: GraphQuery, body: GraphNotices) -> web.Response:
    """Take Microsoft Graph's notices: the calendars of their subscriptions are polled now.

    For Microsoft alone. A `validationToken` is echoed. Notices without the `clientState` of a
    subscription of ours are passed over; without any other it is 404.
    """
    if query.validationToken is not None:
        return web.Response(text=query.validationToken, headers=_PLAIN)
    hints, heard = parts_of(request).hints, False
    for notice in body.value:
        channel, _, secret = (notice.clientState or "").partition(".")
        news = _NEWS.get(notice.lifecycleEvent or "", News.CHANGE)
        with suppress(NotFoundError):
            await hints.hear("graph", channel, secret, news)
            heard = True
    if not heard:
        raise NotFoundError("there is no such channel")
    return web.Response(status=202)
