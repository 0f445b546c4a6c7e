"""The whole HTTP side over a real SQLite store, a fake provider and a fake clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp_jinja2
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from syncd.api.build import add, build
from syncd.api.limits import READ_AT_MOST
from syncd.api.parts import Pace, Parts, Rates
from syncd.api.route import Route
from syncd.engine.agenda import Agenda
from syncd.engine.asking import Asking
from syncd.engine.browse import Browser
from syncd.engine.busy import BusyReader
from syncd.engine.callbacks import Callbacks
from syncd.engine.consents import Consents
from syncd.engine.control import Control
from syncd.engine.exchanging import Exchanging
from syncd.engine.expiries import Expiries
from syncd.engine.feeds import Feeds
from syncd.engine.further import Further
from syncd.engine.instances import Expand
from syncd.engine.invitations import Invitations
from syncd.engine.leaving import Leaving
from syncd.engine.link import Linking
from syncd.engine.managed import ManagedEvents
from syncd.engine.merged import MergedReader
from syncd.engine.room_calendars import RoomCalendars
from syncd.engine.stream import StreamReader
from syncd.engine.tick import Ticker
from syncd.engine.tokens import Tokens
from syncd.engine.write import Writer
from syncd.formats.expand import Expansion, Recurring, expand_series
from syncd.model.access import Scope, Token, User, digest, token_text
from syncd.model.ids import TokenId, UserId
from syncd.model.profile import Profile, Reason, changed
from syncd.runtime.outbound import Guard
from syncd.runtime.wiring import desk_of
from syncd.web.authorize import AuthorizePages
from syncd.web.build import add_pages
from syncd.web.dashboard.desk import Facts
from tests.api.templates import Kept
from tests.engine.ground import PLAN, USER, Ground, on_store
from tests.engine.pushing import pushing
from tests.fakes.clock import FakeClock
from tests.fakes.linker import FakeLinker
from tests.fakes.vault import FakeVault
from tests.store.opening import opened

SECRET = "s" * 43
QUICK = Pace(
    heartbeat=timedelta(milliseconds=200),
    stall=timedelta(milliseconds=500),
    token_check=timedelta(milliseconds=50),
)
TEMPLATES = Kept()
_numbers = count(1)


FACTS = Facts(
    version="1.2.3",
    python="3.11.9",
    started_at=datetime(2026, 11, 17, 6, tzinfo=UTC),
    database="SQLite 3.51.3",
    wal_bytes=4 << 20,
    free_bytes=52 << 30,
    writer_wait=timedelta(milliseconds=0.4),
    lag=(timedelta(milliseconds=0.3), timedelta(milliseconds=2.1)),
    memory_bytes=97 << 20,
    rounds_here=True,
    schedule=(("beat", timedelta(seconds=1)), ("retention", timedelta(hours=1))),
    checks=(("store", None), ("disk", None), ("vault", None)),
    settings=(("server.listen", "127.0.0.1:8470"), ("retention", "30 days")),
)


async def facts() -> Facts:
    return FACTS


async def inline(
    series: Sequence[Recurring], after: datetime, before: datetime, limit: int
) -> Sequence[Expansion | None]:
    return [expand_series(one, after, before, limit) for one in series]


@dataclass
class Api:
    """A running server with one polled or unpolled profile, and a token for it."""

    client: TestClient[Any, Any]
    ground: Ground
    parts: Parts
    linker: FakeLinker
    everything: str = ""  # a token of the profile's user with every scope

    @property
    def account(self) -> int:
        return int(self.ground.profile_id)

    @property
    def clock(self) -> FakeClock:
        return self.ground.clock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.client.port}"

    async def token(self, *scopes: Scope, **fields: Any) -> str:  # noqa: ANN401 - of a Token
        """Make a token; of the user unless ``fields`` say else."""
        reach = {"user_id", "profile_id", "application_id", "admin"} & fields.keys()
        token = Token(
            id=TokenId(f"t{next(_numbers)}"),
            digest=digest(SECRET),
            scopes=frozenset(scopes or {Scope.ALL}),
            created=self.clock.now(),
            **{**({} if reach else {"user_id": USER}), **fields},
        )
        await self.ground.store.add_token(token)
        return token_text(token.id, SECRET)

    async def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,  # noqa: ANN401 - of a request
    ) -> ClientResponse:
        """Send with the token of everything, another, or none (``""``)."""
        token = self.everything if token is None else token
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.request(method, path, headers=bearer | (headers or {}), **more)

    async def get(self, path: str, **more: Any) -> ClientResponse:  # noqa: ANN401 - of a request
        return await self.send("GET", path, **more)

    async def json(self, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the body of a 200."""
        response = await self.get(path, **more)
        body = await response.json(content_type=None)
        assert response.status == 200, body
        return body

    async def pages(self, path: str, size: int) -> list[Any]:
        """Return all objects of a list, page by page."""
        found, page = list[Any](), None
        while True:
            after = "" if page is None else f"&page={page}"
            sign = "&" if "?" in path else "?"
            body = await self.json(f"{path}{sign}page_size={size}{after}")
            assert len(body["objects"]) == body["count"] <= size
            found += body["objects"]
            page = body["next_page"]
            if page is None:
                return found

    async def another(self, name: str = "eve") -> Ground:
        """Add another user with a profile of her own."""
        user = UserId(f"acc_{name}")
        await self.ground.store.add_user(User(id=user, name=name, created=self.clock.now()))
        made = await on_store(self.ground.store, self.clock)
        profile = await made.profile()
        await self.ground.store.save_profile(replace(profile, user_id=user))
        return made

    async def disconnect(self) -> Profile:
        """Let the profile lose its login, as proven refusals do."""
        control = self.parts.control
        return await control._change(
            self.ground.profile_id,
            lambda one, now: changed(one, now, refused=Reason.CREDENTIALS_REFUSED, refused_at=now),
        )


@asynccontextmanager
async def serving(  # noqa: PLR0913 - what may differ
    where: Path | str,
    *,
    rates: Rates | None = None,
    pace: Pace = QUICK,
    expand: Expand = inline,
    extra: Sequence[Route] = (),
    per_owner: int = 1000,
    **more: Any,  # noqa: ANN401 - of Parts
) -> AsyncIterator[Api]:
    """Serve one profile of the user ``ada``, connected and not yet polled; ``extra`` routes too.

    ``where`` is a folder for SQLite, or the address of a database.
    """
    clock, linker = FakeClock(), FakeLinker()
    async with opened(where, clock=clock) as store:
        await store.add_user(User(id=USER, name="ada", created=clock.now()))
        ground = await on_store(store, clock)
        browser = Browser(store, expand, clock)
        linking = Linking(store, linker, FakeVault(), clock, ground.hub)
        async with (
            Ticker(store, ground.poller, clock, ground.meter, PLAN) as ticker,
            Writer(
                store, ground.server, browser, ground.hub, clock, written=ground.written
            ) as writer,
            pushing(store, ground.hub, linking, clock, most=per_owner) as (
                subscriptions,
                deliverer,
            ),
        ):
            leaving = Leaving(store, linker)
            invitations = Invitations(store, linking, leaving, FakeVault(), clock)
            asking = Asking(store, invitations, linker, FakeVault(), clock)
            parts = Parts(
                store=store,
                vault=FakeVault(),
                stream=StreamReader(store, ground.hub, clock),
                merged=MergedReader(store, ground.hub, clock),
                subscriptions=subscriptions,
                deliverer=deliverer,
                callbacks=Callbacks(store, subscriptions, deliverer, Guard(()).admits),
                browser=browser,
                writer=writer,
                managed=ManagedEvents(store, writer, ground.hub, clock),
                agenda=Agenda(store, expand, clock),
                busy=BusyReader(store, expand),
                further=Further(ground.server, store),
                room_calendars=RoomCalendars(ground.server, clock),
                linking=linking,
                invitations=invitations,
                asking=asking,
                exchanging=Exchanging(store, Tokens(store, clock), clock),
                pages=AuthorizePages(asking, clock),
                tokens=Tokens(store, clock),
                expiries=Expiries(store, FakeVault(), clock),
                feeds=Feeds(store, FakeVault(), clock),
                ticker=ticker,
                control=Control(store, ground.hub, clock, ground.hints, leaving),
                hints=ground.hints,
                clock=clock,
                meter=ground.meter,
                public_url="https://syncd.example",
                listen="127.0.0.1:8470",
                rates=rates or Rates(),
                per_owner=per_owner,
                pace=pace,
                **more,
            )
            app = build(parts)
            for one in extra:
                add(app, one)
            consents = Consents(store, linker, FakeVault(), clock, public_url=parts.public_url)
            add_pages(
                app,
                linking=parts.linking,
                consents=consents,
                invitations=parts.invitations,
                linker=linker,
                expiries=parts.expiries,
                clock=clock,
                desk=desk_of(parts, facts),
            )
            aiohttp_jinja2.get_env(app).bytecode_cache = TEMPLATES
            server = TestServer(app)
            await server.start_server(
                max_line_size=READ_AT_MOST["max_line_size"],
                max_field_size=READ_AT_MOST["max_field_size"],
            )
            async with TestClient(server) as client:
                api = Api(client, ground, parts, linker)
                api.everything = await api.token()
                yield api
