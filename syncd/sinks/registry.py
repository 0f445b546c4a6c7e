"""The sinks that syncd pushes to, by the format of a subscription."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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
from syncd.sinks.letters import Target
from syncd.sinks.nats import NatsSink
from syncd.sinks.post import Poster
from syncd.sinks.signing import Signer
from syncd.sinks.webhook import WebhookSink


@dataclass(frozen=True, slots=True, kw_only=True)
class Rim:
    """What sinks need of the outside.

    ``session`` returns the guarded HTTP session (O1), ``keys`` what an application signs with.
    ``nats`` is the operator's server, None without one.
    """

    session: Callable[[], ClientSession]
    keys: Callable[[ApplicationId], Awaitable[Sequence[ApplicationKey]]]
    vault: Vault
    clock: Clock
    nats: Target | None = None


@asynccontextmanager
async def sinks(rim: Rim) -> AsyncIterator[Mapping[Format, Sink]]:
    """Yield every sink; leaving ends their connections."""
    poster, signer = Poster(rim.session, rim.clock), Signer(rim.keys, rim.vault, rim.clock)
    webhook = WebhookSink(poster, rim.vault, rim.clock)
    async with AsyncExitStack() as stack:
        nats = NatsSink(None, rim.clock)
        if rim.nats is not None:
            from syncd.sinks.jetstream import JetStream  # noqa: PLC0415 - an extra

            postbox = JetStream(rim.nats)
            stack.push_async_callback(postbox.close)
            nats = NatsSink(postbox, rim.clock, subject=rim.nats.subject)
        yield {
            Format.STANDARD: webhook,
            Format.CLOUDEVENTS: webhook,
            Format.KLOUDLESS: KloudlessSink(poster, signer),
            Format.CRONOFY: CronofySink(poster, signer),
            Format.NATS: nats,
        }
