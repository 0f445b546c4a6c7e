"""Channels: an application is told when to look again (api.md C13-C15)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from aiohttp import web

from syncd.api.cronofy.answers import accepted, told
from syncd.api.cronofy.asking import chosen, reach
from syncd.api.cronofy.channel_shapes import (
    ChannelAnswer,
    ChannelBody,
    ChannelFilters,
    ChannelsOfToken,
)
from syncd.api.cronofy.refusals import refused
from syncd.api.keys import tokens_of
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.model.access import Scope, Token
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.ids import CalendarId
from syncd.model.subscription import Format, Subscription, Word, channel_document

_ALL = "/v1/channels"
_MOST_BYTES = 16 << 10  # of filters, which every push repeats
_NOT_TOLD = frozenset({Word.PROFILE_UPDATED, Word.PROFILE_REMOVED})
_WORDS = frozenset(
    word for word in Word if word not in _NOT_TOLD and not word.startswith("contact.")
)
_NO_APPLICATION = (
    "this token belongs to no application, whose client secret would sign the pushes: use a token "
    "that a person gave to an application (/oauth/authorize), or the application's secret as APIKey"
)


@route(
    "POST",
    _ALL,
    scope=Scope.READ_EVENTS,
    body=ChannelBody,
    answer=ChannelAnswer,
    errors=(409, 422),
    idempotent=True,
)
async def open_channel(request: web.Request, body: ChannelBody) -> web.Response:
    """Have an address told when events change, in all profiles that the token covers.

    The same request again returns the channel that there is. A verification is sent at once; what
    becomes of it changes nothing.
    """
    filters = body.filters or ChannelFilters()
    calendars = await _calendars(request, filters)
    token = tokens_of(request)[0]
    if token.application_id is None:
        raise refused("base", "not_supported", _NO_APPLICATION)
    asked = filters.model_dump(exclude_unset=True)
    if "calendar_ids" in asked:
        asked["calendar_ids"] = calendars
    if len(text := orjson.dumps(asked)) > _MOST_BYTES:
        raise refused("filters", "too_long", f"longer than {_MOST_BYTES} bytes")
    wish = _of(
        request,
        token,
        url=body.callback_url,
        calendars=frozenset(calendars),
        only_managed=filters.only_managed,
        asked=text,
    )
    with _refusals():
        channel = await parts_of(request).callbacks.open(wish)
    return told({"channel": channel_document(channel)})


@route("GET", _ALL, scope=Scope.READ_EVENTS, answer=ChannelsOfToken)
async def list_channels(request: web.Request) -> web.Response:
    """List the channels that this application opened with such tokens, the oldest first."""
    token = tokens_of(request)[0]
    found = []
    if token.application_id is not None:
        found = list(await parts_of(request).callbacks.listed(_of(request, token)))
    return told({"channels": [channel_document(one) for one in found]})


@route("DELETE", f"{_ALL}/{{channel_id}}", scope=Scope.READ_EVENTS, status=202, errors=(404,))
async def close_channel(request: web.Request) -> web.Response:
    """End a channel; what is being sent is broken off."""
    token = tokens_of(request)[0]
    if token.application_id is None:
        raise NotFoundError("there is no such channel")
    channel = request.match_info["channel_id"]
    await parts_of(request).callbacks.close(_of(request, token), channel)
    return accepted()


def _of(request: web.Request, token: Token, *, url: str = "", **fields: Any) -> Subscription:  # noqa: ANN401 - of a Subscription
    """Return a channel of what the token covers, and of the application that it belongs to."""
    return Subscription(
        id="",
        url=url,
        created=parts_of(request).clock.now(),
        secrets=(),
        format=Format.CRONOFY,
        words=_WORDS,
        profile_id=token.profile_id,
        user_id=None if token.profile_id else token.user_id,
        application_id=token.application_id if token.is_application else None,
        client=token.application_id,
        grant_id=token.grant_id,
        **fields,
    )


async def _calendars(request: web.Request, filters: ChannelFilters) -> list[CalendarId]:
    """Return the ids of the calendars in their order; 422 for one that the token lacks."""
    if not filters.calendar_ids:
        return []
    try:
        places = chosen(await reach(request), filters.calendar_ids)
    except NotFoundError as error:
        raise refused("calendar_ids", "unknown", str(error)) from error
    return [one.calendar.id for one in places]


@contextmanager
def _refusals() -> Iterator[None]:
    """Word what a channel is refused for."""
    try:
        yield
    except InvalidError as error:
        field = "callback_url" if error.field == "url" else error.field or "base"
        raise refused(field, error.fault, str(error)) from error
