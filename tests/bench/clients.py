"""The clients that are compared: syncd's own polls in process, and the peers as subprocesses."""

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.engine.tick import Ticker
from syncd.model.access import User
from syncd.model.ids import UserId
from syncd.model.profile import Profile
from syncd.ports.link import Login
from syncd.ports.vault import Secret
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.clock import SystemClock
from syncd.runtime.heap import settle_heap
from syncd.runtime.vault import open_ring, write_ring
from syncd.store.open import SqlStore
from tests.bench.counting import counted
from tests.fakes.meter import FakeMeter
from tests.peers import peer_python
from tests.servers.dav_client import DavClient
from tests.servers.seeding import ics
from tests.store.opening import opened

CROWD = 16  # profiles that one tick polls at once, as the daemon does
UNBOUND = 10**6  # polls a second: what a poll costs is measured, not how they are spread
SETTLED = 2.1  # seconds until the second look after a change is due (D13)
CHANGES = 10
VDIRSYNCER = """
[general]
status_path = "{folder}/status"
[pair bench]
a = "here"
b = "there"
collections = ["cal0"]
[storage here]
type = "filesystem"
path = "{folder}/files"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{url}"
username = "{username}"
password = "{password}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server in its own process."""

    port: int
    home: str
    username: str
    password: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def login(self, port: int | None = None) -> Login:
        """Return who signs in, maybe through another port."""
        return Login(
            provider="caldav",
            url=f"http://127.0.0.1:{port or self.port}/",
            username=self.username,
            password=Secret(self.password),
        )

    async def change(self, title: str) -> None:
        """Rewrite ten events, as another device would."""
        device = DavClient(self.url, self.home, self.username, self.password)
        for number in range(CHANGES):
            await device.put("cal0", f"bench-{number}.ics", ics(number, title))


@contextmanager
def served(kind: str, folder: Path, *, count: int, calendars: int = 1) -> Iterator[Site]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.serve"]
    arguments = [kind, str(folder), str(count), str(calendars)]
    with subprocess.Popen(  # noqa: S603
        [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Site(**json.loads(process.stdout.readline()))
        process.stdin.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one operation costs a client: median CPU seconds, requests, bytes both ways."""

    cpu: float
    requests: int = 0
    bytes: int = 0


class Remembering:
    """A session that can send its last request again."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._last: tuple[Any, Any] = ((), {})

    def request(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - aiohttp's
        self._last = given, named
        return self._session.request(*given, **named)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - aiohttp's
        return getattr(self._session, name)

    async def again(self) -> None:
        """Send the last request once more, as a bare aiohttp loop would, and read the answer."""
        given, named = self._last
        async with self._session.request(*given, **named | {"timeout": None}) as response:
            await response.read()


@dataclass(slots=True, kw_only=True)
class Ours:
    """syncd's poll of one profile, as the daemon runs it: SQLite and all."""

    store: SqlStore
    poller: Poller
    ticker: Ticker
    linking: Linking
    session: Remembering
    profiles: list[Profile] = field(default_factory=list)

    async def connect(self, login: Login) -> None:
        """Connect one more profile, of a user of its own."""
        user = UserId(f"acc_{len(self.profiles)}")
        await self.store.add_user(User(id=user, name=user, created=SystemClock().now()))
        self.profiles.append(await self.linking.connect(user, login))

    async def poll(self, *, listing: bool = False) -> float:
        """Poll the first profile once; return its CPU seconds."""
        profile = await self.store.profile(self.profiles[0].id)
        begun = time.process_time()
        polled = await self.poller.poll(profile, listing=listing)
        taken = time.process_time() - begun
        assert polled.error is None, polled.error
        return taken

    async def tick(self) -> float:
        """Poll all profiles as one tick of the schedule does; return the CPU seconds of a poll."""
        begun = time.process_time()
        await self.ticker.tick()
        await self.ticker.settled()
        taken = time.process_time() - begun
        before = {one.id: one.polled_at for one in self.profiles}
        self.profiles = await self._all()
        for profile in self.profiles:
            assert profile.last_error is None, profile.last_error
            assert before[profile.id] != profile.polled_at
        return taken / len(self.profiles)

    async def bare(self) -> float:
        """Send a poll's request once a profile, all at once; return the CPU seconds of one."""
        begun = time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in self.profiles:
                group.create_task(self.session.again())
        return (time.process_time() - begun) / len(self.profiles)

    async def _all(self) -> list[Profile]:
        found = list[Profile]()
        while page := await self.store.profiles(after=found[-1].id if found else None):
            found += page
        return found


@asynccontextmanager
async def ours(
    folder: Path, *, settings: Mapping[str, Mapping[str, str]] | None = None
) -> AsyncIterator[Ours]:
    """Yield a syncd that knows ``settings``, and polls all of its profiles in one tick."""
    await asyncio.to_thread(folder.mkdir)
    write_ring(folder / "keys")
    vault, clock, hub = open_ring(folder / "keys"), SystemClock(), Hub()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder, clock=clock))
        http = await stack.enter_async_context(ClientSession())
        session = Remembering(http)
        rim = Rim(
            session=lambda: session,  # type: ignore[arg-type, return-value]  # all that is asked
            clock=clock,
            settings=settings or {},
        )
        opener = Opener(KINDS, rim, store, vault)
        # due again at once, and as many in each tick as there are
        plan = Plan(default_interval=timedelta(), polls_per_second=UNBOUND, polls_at_once=CROWD)
        poller = Poller(store, opener, hub, clock, FakeMeter(), plan)
        ticker = Ticker(store, poller, clock, FakeMeter(), plan)
        await stack.enter_async_context(ticker)
        linking = Linking(store, opener, vault, clock, hub)
        yield Ours(store=store, poller=poller, ticker=ticker, linking=linking, session=session)


async def our_costs(
    site: Site, folder: Path, *, polls: int = 20, crowd: int = CROWD
) -> dict[str, Cost]:
    """Measure first read, quiet polls and polls with ten changes: CPU directly, then traffic.

    ``quiet`` is one of many polls that a tick starts, ``alone`` one that is polled by itself;
    ``bare`` is the request of a quiet poll without syncd, between these polls.
    """
    cpu: dict[str, float] = {}
    async with ours(folder / "direct") as direct:
        await direct.connect(site.login())
        cpu["first"] = await direct.poll(listing=True)
        await asyncio.sleep(SETTLED)
        await direct.poll()
        settle_heap()  # as the daemon does
        cpu["alone"] = statistics.median([await direct.poll() for _ in range(polls)])
        ten = list[float]()
        for turn in range(3):
            await site.change(f"Ours {turn}")
            ten.append(await direct.poll())
        cpu["ten"] = statistics.median(ten)
        while len(direct.profiles) < crowd:
            await direct.connect(site.login())
        await direct.tick()  # first reads
        await asyncio.sleep(SETTLED)
        await direct.tick()
        turns = [(await direct.tick(), await direct.bare()) for _ in range(polls)]
        quiet, bare = zip(*turns, strict=True)
        cpu["quiet"], cpu["bare"] = statistics.median(quiet), statistics.median(bare)
    with counted(site.port) as traffic:
        async with ours(folder / "counted") as seen:
            await seen.connect(site.login(traffic.port))
            told = dict[str, tuple[int, int]]()
            for name in ("first", "settle", "quiet", "alone", "ten"):
                if name == "settle":
                    await asyncio.sleep(SETTLED)
                if name == "ten":
                    await site.change("Counted")
                traffic.reset()
                await seen.poll(listing=name == "first")
                await asyncio.sleep(0.1)
                told[name] = (traffic.requests, traffic.bytes)
    told["bare"] = told["quiet"]
    return {
        name: Cost(cpu=value, requests=told[name][0], bytes=told[name][1])
        for name, value in cpu.items()
    }


async def caldav_costs(site: Site, *, polls: int = 2) -> dict[str, Cost]:
    """Measure ``get_objects_by_sync_token`` and the ``sync()`` after it, in process."""
    script = Path(__file__).with_name("peer_caldav.py")
    url = f"{site.url.rstrip('/')}{site.home}cal0/"
    process = await asyncio.create_subprocess_exec(
        *(str(await asyncio.to_thread(peer_python)), "-W", "ignore", str(script)),
        *(url, site.username, site.password),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    found: dict[str, list[float]] = {"quiet": [], "ten": [], "again": []}
    for turn in range(polls * 2):
        process.stdin.write(b"\n")
        assert await process.stdout.readline() == b"ready\n"
        if turn % 2:
            await site.change(f"Theirs {turn}")
        process.stdin.write(b"\n")
        told: dict[str, Any] = json.loads(await process.stdout.readline())
        found["ten" if turn % 2 else "quiet"].append(told["first"] + told["again"])
        if not turn % 2:
            found["again"].append(told["again"])
    process.stdin.close()
    await process.wait()
    return {name: Cost(cpu=statistics.median(values)) for name, values in found.items()}


async def vdirsyncer_costs(site: Site, folder: Path, *, polls: int = 3) -> dict[str, Cost]:
    """Measure a whole ``vdirsyncer sync`` less a whole ``vdirsyncer --version``."""
    await asyncio.to_thread(folder.mkdir)
    config = folder / "config"
    url = f"{site.url.rstrip('/')}{site.home}"
    config.write_text(
        VDIRSYNCER.format(folder=folder, url=url, username=site.username, password=site.password)
    )
    binary = (await asyncio.to_thread(peer_python)).with_name("vdirsyncer")
    base = await _cpu([str(binary), "--version"])
    command = [str(binary), "-c", str(config)]
    await _cpu([*command, "discover"], answer=b"y\n" * 20)
    first = await _cpu([*command, "sync"])
    quiet = statistics.median([await _cpu([*command, "sync"]) for _ in range(polls)])
    await site.change("Vdirsyncer")
    ten = await _cpu([*command, "sync"])
    measured = {"first": first, "quiet": quiet, "ten": ten}
    return {name: Cost(cpu=value - base) for name, value in measured.items()}


async def _cpu(command: list[str], *, answer: bytes = b"") -> float:
    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, input=answer, check=True, capture_output=True)  # noqa: S603
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return await asyncio.to_thread(run)
