"""``syncd demo``: everything at work on a CalDAV server of its own; nothing of it is kept.

The daemon is the real one, and what is printed comes over its HTTP interface.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from rich.console import Console

from syncd.model.errors import TransientError
from syncd.runtime import log
from syncd.runtime.clock import SystemClock
from syncd.runtime.daemon import Signals, Sockets, running
from syncd.runtime.demo_server import LOGIN, CalendarServer, calendar_server, free_port
from syncd.runtime.demo_story import CALENDARS, Step, Story
from syncd.runtime.lines import line
from syncd.runtime.lock import only_writer
from syncd.runtime.notify import Notifier
from syncd.runtime.operations import access, profiles
from syncd.runtime.settings import Settings
from syncd.runtime.wiring import Core

PAUSE_SECONDS = 1.2  # between two things that Ada does; syncd polls on demand once a second
PATIENCE_SECONDS = 20.0


async def show_demo(*, once: bool) -> None:
    """Tell the story; then end, or stay until Ctrl-C. Raises MisconfiguredError, TransientError."""
    log.configure("error")
    console = Console(highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="syncd-demo-", ignore_cleanup_errors=True) as folder:
        async with (
            calendar_server(Path(folder) / "radicale") as server,
            _daemon(Path(folder) / "state") as core,
        ):
            await Demo(core, server, console).tell(stay=not once)


@asynccontextmanager
async def _daemon(state_dir: Path) -> AsyncIterator[Core]:
    """Run the daemon without any configuration; only this machine itself may be reached."""
    address = f"127.0.0.1:{free_port()}"
    settings = Settings.model_validate(
        {
            "state_dir": state_dir,
            "server": {"listen": address, "public_url": f"http://{address}"},
            "store": {"url": f"sqlite:///{state_dir}/syncd.db"},
            "vault": {"key_file": ""},
            "outbound": {"allow_private": (ip_network("127.0.0.1/32"),)},
        }
    )
    with only_writer(settings.lock_file), Sockets(settings) as sockets:
        async with running(settings, sockets, Notifier()) as core:
            yield core


class Demo:
    """The story, told by the stream."""

    def __init__(self, core: Core, server: CalendarServer, console: Console) -> None:
        """Begin before anything is connected."""
        self._core = core
        self._server = server
        self._console = console
        self._address = core.settings.server.public_url
        self._token = self._admin = ""
        self._cursor = ""

    async def tell(self, *, stay: bool) -> None:
        """Connect, let Ada edit, print what the stream says."""
        story = Story(SystemClock().now())
        await self._fill(story)
        added = await profiles.add(
            self._core,
            provider="caldav",
            url=self._server.url,
            username=LOGIN,
            password=self._server.password,
        )
        made = await access.create_token(self._core, profile=added["account_id"])
        self._token = made["token"]
        self._admin = (await access.create_token(self._core, admin=True, name="demo"))["token"]
        self._say(f"[bold]syncd {self._address}[/bold] follows a CalDAV server, {self._server.url}")
        async with ClientSession(
            headers={"Authorization": f"Bearer {self._token}"}, trust_env=False
        ) as session:
            self._say("\n[bold]Ada connects; syncd reads her calendars[/bold]")
            await self._read(session, event=len(list(story.beginning())), account=2)
            for step in story.steps():
                await asyncio.sleep(PAUSE_SECONDS)
                await self._take(step, session)
            self._explain(story.next_tea(), stay=stay)
            if stay:
                await self._stay(session)

    async def _fill(self, story: Story) -> None:
        for calendar, name in CALENDARS.items():
            await self._server.make_calendar(calendar, name)
        for calendar, uid, entry in story.beginning():
            await self._server.put(calendar, uid, entry)

    async def _take(self, step: Step, session: ClientSession) -> None:
        self._say(f"\n[bold]{step.says}[/bold]")
        await step.does(self._server)
        for profile in await self._core.store.profiles():
            await self._core.ticker.poll_now(profile.id, wait=None)
        await self._read(session, event=step.activities)

    async def _read(self, session: ClientSession, **wanted: int) -> None:
        """Print the stream until it has told of so many activities of each kind."""
        left = Counter(wanted)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while any(count > 0 for count in left.values()):
                    left.subtract(one["metadata"]["type"] for one in await self._page(session))
        except TimeoutError:
            raise TransientError("the stream did not tell of it in time") from None

    async def _page(self, session: ClientSession) -> list[dict[str, Any]]:
        query = {"wait": "10", **({"cursor": self._cursor} if self._cursor else {})}
        async with session.get(f"{self._address}/v1/accounts/me/events", params=query) as answer:
            answer.raise_for_status()
            page = await answer.json()
        self._cursor = page["cursor"]
        for record in page["objects"]:
            self._say("  " + line(record))
        return list(page["objects"])

    def _explain(self, tea: Mapping[str, str], *, stay: bool) -> None:
        after = "for as long as this runs" if stay else "while `syncd demo` runs, without --once"
        self._say(f"\n[bold]The same with curl, {after}[/bold]")
        curl = 'curl -H "Authorization: Bearer $TOKEN"'
        events = "$ADDRESS/v1/accounts/me/events"
        calendar = "$ADDRESS/v1/accounts/me/cal/calendars/primary"
        for text in (
            f"ADDRESS={self._address} TOKEN={self._token} CURSOR={self._cursor}",
            f"{curl} {events}",
            f'{curl} "{events}?cursor=$CURSOR&wait=60"',
            f"{curl} -N {events}/stream",
            f"{curl} {calendar}/events -d '{json.dumps(tea)}'",
        ):
            self._say(f"  {text}", markup=False)
        self._say(
            f"\nThe last one writes: it is at the CalDAV server when it is answered, and "
            f"in the stream. All of the API: {self._address}/docs"
        )
        self._say(f"\n[bold]The same in a browser, {after}[/bold]")
        self._say(f"  {self._address}/  log in with  {self._admin}", markup=False)

    async def _stay(self, session: ClientSession) -> None:
        signals = Signals()
        signals.listen()
        self._say(
            f"\nAdd events at {self._server.url} as {LOGIN}, password {self._server.password}; "
            "they appear here. Ctrl-C ends it.",
            markup=False,
        )
        async with asyncio.TaskGroup() as group:
            follower = group.create_task(self._follow(session), name="follow")
            await signals.stop.wait()
            follower.cancel()

    async def _follow(self, session: ClientSession) -> None:
        while True:
            await self._page(session)

    def _say(self, text: str, *, markup: bool = True) -> None:
        self._console.print(text, markup=markup)
