"""The sinks that syncd pushes to, by the format of a subscription."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import ClientSession

from syncd.model.ids import ApplicationId
from syncd.model.subscription import Format
from syncd.ports.clock import Clock
from syncd.ports.sink import Sink
from syncd.ports.store.applications import ApplicationKey
from syncd.ports.vault import Vault
from syncd.sinks.cronofy import CronofySink
from syncd.sinks.kloudless import KloudlessSink
from syncd.sinks.post import Poster
from syncd.sinks.signing import Signer
from syncd.sinks.webhook import WebhookSink


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """What sinks need of the outside.

    ``session`` returns the guarded HTTP session (O1), ``keys`` what an application signs with.
    """

    session: Callable[[], ClientSession]
    keys: Callable[[ApplicationId], Awaitable[Sequence[ApplicationKey]]]
    vault: Vault
    clock: Clock


def sinks(rim: Rim) -> Mapping[Format, Sink]:
    """Return every sink."""
    poster, signer = Poster(rim.session, rim.clock), Signer(rim.keys, rim.vault, rim.clock)
    webhook = WebhookSink(poster, rim.vault, rim.clock)
    return {
        Format.STANDARD: webhook,
        Format.CLOUDEVENTS: webhook,
        Format.KLOUDLESS: KloudlessSink(poster, signer),
        Format.CRONOFY: CronofySink(poster, signer),
    }
