"""What tests of channels share: an application, its tokens, and what it is sent."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from syncd.engine.applications import Applications
from syncd.model.ids import UserId
from syncd.model.subscription import TEST, Format, Subscription
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.applications import KeyKind
from syncd.sinks.cronofy import CronofySink
from tests.api.serving import Api
from tests.api.test_webhooks import settled, sink_of
from tests.engine.ground import USER
from tests.fakes.sink import FakeSink
from tests.fakes.vault import FakeVault

CHANNELS = "/v1/channels"
URL = "https://app.example/callback"


class Desk:
    """An application with a token of ada's; what it does it does by that, or by its secret."""

    def __init__(self, api: Api, client: str, token: str, secret: str) -> None:
        self.api, self.client, self.token = api, client, token
        self.by_secret = {"Authorization": f"APIKey {secret}"}

    async def open(self, url: str = URL, **more: Any) -> Any:  # noqa: ANN401 - JSON
        """Open a channel; without ``filters`` the body has none."""
        filters = {"filters": more.pop("filters")} if "filters" in more else {}
        asked = {"token": self.token, **more}
        response = await self.api.send(
            "POST", CHANNELS, json={"callback_url": url, **filters}, **asked
        )
        assert response.status == 200, await response.text()
        channel = (await response.json())["channel"]
        await settled(self.api)
        return channel

    async def channels(self, **more: Any) -> list[Any]:  # noqa: ANN401 - of a request
        return list((await self.api.json(CHANNELS, **{"token": self.token, **more}))["channels"])

    async def told(self) -> None:
        """Let what was recorded be sent."""
        for profile in await self.api.ground.store.profiles():
            await self.api.parts.deliverer.wake(profile.id)
        await settled(self.api)

    def sent(self, url: str = URL) -> list[str]:
        return [one.word for one in sink_of(self.api).arrived[url]]


class Heard(FakeSink):
    """Keeps what Cronofy's sink makes of each message, and asks ``then`` before it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies = list[Any]()  # of what was delivered, verifications apart
        self.then: Callable[[Any], Awaitable[None]] | None = None
        self._sink = CronofySink(None, None)  # type: ignore[arg-type]  # they send, and sign

    def body(self, subscription: Subscription, message: Message) -> bytes:
        return self._sink.body(subscription, message)

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        receipt = await super().send(subscription, message)
        if receipt.error is None and message.word != TEST:
            told = orjson.loads(self.body(subscription, message))["notification"]
            if self.then is not None:
                await self.then(told)
            self.bodies.append(told)
        return receipt


def listen(api: Api) -> Heard:
    """Let channels be told through Cronofy's own bodies."""
    heard = Heard()
    sinks = api.parts.deliverer._sender.sinks
    assert isinstance(sinks, dict)
    sinks.update(dict.fromkeys(Format, heard))
    return heard


async def desk(api: Api, name: str = "Desk", user: UserId = USER) -> Desk:
    registered = await Applications(api.ground.store, FakeVault(), api.clock).add(name)
    client = registered.application.id
    token = await api.token(user_id=user, application_id=client)
    return Desk(api, client, token, registered.secrets[KeyKind.CLIENT_SECRET].reveal())


async def at_work(api: Api) -> Desk:
    """Return a desk whose user has two calendars."""
    api.ground.server.add("/work/", "Work", primary=True)
    api.ground.server.add("/team/", "Team")
    await api.ground.poll()
    return await desk(api)
