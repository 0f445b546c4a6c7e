"""The body and the answers of C13 and C14."""

from typing import Annotated, Any

from pydantic import Field

from syncd.api.cronofy.bodies import Text
from syncd.api.params import Flag
from syncd.api.route import Shape

_CHANNEL = {
    "channel_id": "chn_2f7xk4qz3mdgy",
    "callback_url": "https://app.example/callback",
    "filters": {"calendar_ids": ["cal_aaah_5qd2mnzxkz"], "only_managed": False},
}


class ChannelFilters(Shape, extra="allow"):
    """Which changes are told; other members are echoed and mean nothing."""

    calendar_ids: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()
    only_managed: Flag = False


class ChannelBody(
    Shape,
    json_schema_extra={"examples": [{"callback_url": _CHANNEL["callback_url"], "filters": {}}]},
):
    """Where to tell, and of what; without filters of every change."""

    callback_url: Annotated[Text, Field(max_length=2_048)]
    filters: ChannelFilters | None = None


class Channel(Shape, json_schema_extra={"examples": [_CHANNEL]}):
    """An address that is told, with its filters as they were asked for."""

    channel_id: str
    callback_url: str
    filters: dict[str, Any]


class ChannelAnswer(Shape, json_schema_extra={"examples": [{"channel": _CHANNEL}]}):
    """The channel."""

    channel: Channel


class ChannelsOfToken(Shape, json_schema_extra={"examples": [{"channels": [_CHANNEL]}]}):
    """The channels, the oldest first."""

    channels: tuple[Channel, ...]
