"""The HTTP side over a rig's own store: what an application is told of the profile."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from syncd.api.build import build
from syncd.api.parts import Parts
from syncd.engine.agenda import Agenda
from syncd.engine.asking import Asking
from syncd.engine.browse import Browser
from syncd.engine.busy import BusyReader
from syncd.engine.callbacks import Callbacks
from syncd.engine.control import Control
from syncd.engine.exchanging import Exchanging
from syncd.engine.expiries import Expiries
from syncd.engine.feeds import Feeds
from syncd.engine.further import Further
from syncd.engine.hints import Hints
from syncd.engine.hub import Hub
from syncd.engine.invitations import Invitations
from syncd.engine.leaving import Leaving
from syncd.engine.managed import ManagedEvents
from syncd.engine.merged import MergedReader
from syncd.engine.plan import Plan
from syncd.engine.room_calendars import RoomCalendars
from syncd.engine.stream import StreamReader
from syncd.engine.tick import Ticker
from syncd.engine.tokens import Tokens
from syncd.model.access import Scope, Token, digest, token_text
from syncd.model.ids import TokenId
from syncd.runtime.outbound import Guard
from syncd.web.authorize import AuthorizePages
from tests.api.serving import SECRET, inline
from tests.contract.rig import USER, Json, Rig, S
from tests.engine.pushing import pushing


class Application:
    """Asks with a token of the rig's user."""

    def __init__(self, client: TestClient[Any, Any], token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **query: str) -> tuple[int, Json, Mapping[str, str]]:
        """Return status, body and headers."""
        async with self._client.get(path, params=query, headers=self._headers) as answer:
            return answer.status, await answer.json(), answer.headers

    async def listed(self, path: str, **query: str) -> list[Json]:
        """Return all objects of a Kloudless list, page by page."""
        found, page = list[Json](), "1"
        while page:
            status, told, _ = await self.get(path, **query, page=page)
            assert status == 200, told
            found += told["objects"]
            page = told["next_page"]
        return found

    async def profiles(self) -> list[Json]:
        """Return what ``GET /v1/profiles`` lists."""
        async with self._client.get("/v1/profiles", headers=self._headers) as answer:
            assert answer.status == 200
            listed: list[Json] = (await answer.json())["profiles"]
            return listed


@asynccontextmanager
async def served(rig: Rig[S]) -> AsyncIterator[Application]:
    """Serve the rig's store."""
    store, clock, hub, vault = rig.store, rig.clock, Hub(), rig.vault
    hints = Hints(store, rig.opener, clock, rig.meter, base=None, interval=timedelta(hours=1))
    leaving = Leaving(store, rig.opener)
    invitations = Invitations(store, rig.linking, leaving, vault, clock)
    asking = Asking(store, invitations, rig.opener, vault, clock)
    async with (
        Ticker(store, rig.poller, clock, rig.meter, Plan()) as ticker,
        pushing(store, hub, rig.linking, clock) as (subscriptions, deliverer),
    ):
        parts = Parts(
            store=store,
            vault=vault,
            stream=StreamReader(store, hub, clock),
            merged=MergedReader(store, hub, clock),
            subscriptions=subscriptions,
            deliverer=deliverer,
            callbacks=Callbacks(store, subscriptions, deliverer, Guard(()).admits),
            browser=Browser(store, inline, clock),
            writer=rig.writer,
            managed=ManagedEvents(store, rig.writer, hub, clock),
            agenda=Agenda(store, inline, clock),
            busy=BusyReader(store, inline),
            further=Further(rig.opener, store),
            room_calendars=RoomCalendars(rig.opener, clock),
            linking=rig.linking,
            invitations=invitations,
            asking=asking,
            exchanging=Exchanging(store, Tokens(store, clock), clock),
            pages=AuthorizePages(asking, clock),
            tokens=Tokens(store, clock),
            expiries=Expiries(store, vault, clock),
            feeds=Feeds(store, vault, clock),
            ticker=ticker,
            control=Control(store, hub, clock),
            hints=hints,
            clock=clock,
            meter=rig.meter,
            public_url="https://syncd.example",
            listen="127.0.0.1:8470",
        )
        token = Token(
            id=TokenId("contract"),
            digest=digest(SECRET),
            scopes=frozenset({Scope.ALL}),
            created=clock.now(),
            user_id=USER,
        )
        await store.add_token(token)
        async with TestClient(TestServer(build(parts))) as client:
            yield Application(client, token_text(token.id, SECRET))
