"""The sinks that syncd pushes to, by the format of a subscription."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import ClientSession

from syncd.model.subscription import Format
from syncd.ports.clock import Clock
from syncd.ports.sink import Sink
from syncd.ports.vault import Vault
from syncd.sinks.webhook import WebhookSink


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """What sinks need of the outside; ``session`` returns the guarded HTTP session (O1)."""

    session: Callable[[], ClientSession]
    vault: Vault
    clock: Clock


def sinks(rim: Rim) -> Mapping[Format, Sink]:
    """Return every sink."""
    webhook = WebhookSink(rim.session, rim.vault, rim.clock)
    return {Format.STANDARD: webhook, Format.CLOUDEVENTS: webhook}
