"""A daemon with a real Radicale behind it, for clients that know nothing of event loops."""

import asyncio
import re
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.journeys.daemon import SETTINGS, Daemon
from tests.servers.caldav import Radicale
from tests.servers.dav_client import DavClient

T = TypeVar("T")
_HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
PASSWORD = "as-good-as-any"  # noqa: S105 - of a server that lives for a test
CHANGED = "changed"
A_SECOND = 1.02  # N13: at most one poll a second is started on demand
SOON = SETTINGS.replace("[outbound]", "disconnect_proof_seconds = 0\n[outbound]")
QUIET = SOON.replace("interval_seconds = 5", "interval_seconds = 3600")  # polls only when asked


@dataclass(slots=True)
class Person:
    """Whose profile is connected: her names, a token with every scope, her other device."""

    world: "World"
    name: str
    user_id: str
    account_id: str
    profile_id: str
    token: str
    device: DavClient
    _synced: float = 0.0

    def put(self, calendar: str, name: str, ics: str) -> None:
        """Write a file with the other device; nothing is polled."""
        self.world.do(self.device.put(calendar, f"{name}.ics", ics))

    def sync(self) -> None:
        """Poll, and wait for it; a poll that ended within a second would count as this one."""
        self.world.do(asyncio.sleep(self._synced + A_SECOND - time.monotonic()))
        self.world.ask("profile", "sync", self.account_id, "--wait")
        self._synced = time.monotonic()

    def narrow(self, *scopes: str, profile: bool = False) -> str:
        """Make a token with these scopes only; of her profile, or of all that she has."""
        whose = ("--profile", self.account_id) if profile else ("--user", self.name)
        named = [word for scope in scopes for word in ("--scope", scope)]
        return str(self.world.ask("token", "create", *whose, *named)["token"])

    def send(self, method: str, path: str, token: str = "", **more: Any) -> requests.Response:  # noqa: ANN401
        """Send a request as it stands, with her token or another."""
        headers = {"Authorization": f"Bearer {token or self.token}", **more.pop("headers", {})}
        url = path if path.startswith("http") else self.world.address + path
        return requests.request(
            method, url, headers=headers, timeout=20, allow_redirects=False, **more
        )


class World:
    """The daemon, the server, and the command line; every method returns when it is done."""

    def __init__(self, runner: asyncio.Runner, daemon: Daemon, server: Radicale) -> None:
        self._runner, self._daemon, self._server = runner, daemon, server
        self._numbers = count(1)

    @property
    def address(self) -> str:
        return self._daemon.address

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def ask(self, *arguments: str, text: str = "") -> Any:  # noqa: ANN401 - JSON
        """Run a command of ``syncd`` and return its answer."""
        return self.do(self._daemon.ask(*arguments, text=text))

    def application(self, name: str, *options: str) -> Any:  # noqa: ANN401 - JSON
        """Register an application; a worker may come back to a file, and names are taken once."""
        return self.ask("application", "add", f"{name} {next(self._numbers)}", *options)

    def person(
        self, *calendars: str, files: dict[str, str] | None = None, calendar: str = ""
    ) -> Person:
        """Connect a new user's profile whose server has these calendars, and poll it.

        ``files`` stand in ``calendar``, or in the first one.
        """
        name = f"p{next(self._numbers)}@example.org"
        device = self._server.let_in(name, PASSWORD)
        for one in calendars:
            self.do(device.mkcalendar(one, name=one.title()))
        for key, ics in (files or {}).items():
            self.do(device.put(calendar or calendars[0], f"{key}.ics", ics))
        self.ask("user", "add", name)
        return self.connect(name, name, device)

    def connect(self, user: str, login: str, device: DavClient) -> Person:
        """Connect a login that the server knows for a user."""
        added = self.ask(
            *("profile", "add", "caldav", "--user", user, "--url", self._server.url),
            *("--username", login, "--password-stdin"),
            text=PASSWORD,
        )
        made = self.ask("token", "create", "--user", user)
        person = Person(
            world=self,
            name=user,
            user_id=added["user_id"],
            account_id=added["account_id"],
            profile_id=added["profile_id"],
            token=made["token"],
            device=device,
        )
        person.sync()
        return person

    def stranger(self, *calendars: str) -> str:
        """Let somebody in at the server whom nobody has connected; return the login."""
        login = f"p{next(self._numbers)}@example.org"
        device = self._server.let_in(login, PASSWORD)
        for one in calendars:
            self.do(device.mkcalendar(one, name=one.title()))
        return login

    def device(self, login: str) -> DavClient:
        """Return another device of a person whom the server knows."""
        return self._server.let_in(login, PASSWORD)

    def sign_in(self, url: str, login: str) -> dict[str, str]:
        """Go where an application sends people, sign in, and return what it is told afterwards."""
        with requests.Session() as browser:
            page = browser.get(url, timeout=20)
            assert page.status_code == 200, page.text
            form = dict(_HIDDEN.findall(page.text.partition("</form>")[0]))
            form |= {"provider": "caldav", "url": self._server.url}
            form |= {"username": login, "password": PASSWORD}
            end = browser.post(page.url, data=form, timeout=20, allow_redirects=False)
            return _told(end)

    def turned_away(self, url: str) -> dict[str, str]:
        """Go where an application sends people, and be sent back at once."""
        return _told(requests.get(url, timeout=20, allow_redirects=False))

    def another_login(self, person: Person, *calendars: str) -> Person:
        """Connect one more profile for the same user."""
        login = f"p{next(self._numbers)}@example.org"
        device = self._server.let_in(login, PASSWORD)
        for one in calendars:
            self.do(device.mkcalendar(one, name=one.title()))
        return self.connect(person.name, login, device)

    def lock_out(self, person: Person) -> None:
        """Change her password at the server, and let the daemon prove it."""
        login = person.device.path("").strip("/")
        self._server.let_in(login, CHANGED)
        told = None
        for _ in range(10):
            person.send("POST", f"/v1/profiles/{person.account_id}/sync?wait=5")
            told = person.send("GET", f"/v1/profiles/{person.account_id}").json()
            if told["state"] == "disconnected":
                return
            self.do(asyncio.sleep(A_SECOND))
        raise AssertionError(told)

    def mend(self, person: Person, url: str) -> None:
        """Go where a person reconnects, and enter the new password; her device knows it too."""
        with requests.Session() as browser:
            page = browser.get(url, timeout=20)
            form = dict(_HIDDEN.findall(page.text)) | {"password": CHANGED}
            end = browser.post(page.url, data=form, timeout=20, allow_redirects=False)
            assert end.status_code == 303, end.text
        person.device = self._server.let_in(person.device.path("").strip("/"), CHANGED)


def _told(answer: requests.Response) -> dict[str, str]:
    """Return what an application is told in the address that a browser is sent to."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


@contextmanager
def running(folder: Path, settings: str = QUIET) -> Iterator[World]:
    """Start the server and the daemon."""
    daemon = Daemon(folder / "syncd", settings=settings)
    daemon.configure()
    server = Radicale(folder / "radicale")
    with asyncio.Runner() as runner:
        runner.run(server.start())
        try:
            runner.run(daemon.start())
            yield World(runner, daemon, server)
        finally:
            runner.run(daemon.stop())
            runner.run(server.stop())
