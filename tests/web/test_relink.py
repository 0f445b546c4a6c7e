"""The relink page (api.md N1, N2, N4, N5; reliability.md §6), over the real store."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from http.cookies import SimpleCookie
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import ClientResponse, DummyCookieJar

from syncd.model.errors import MalformedReplyError, NotFoundError, TransientError
from syncd.ports.link import SIGN_IN_URL
from tests.api.serving import Api, serving
from tests.fakes.linker import RIGHT

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


@dataclass
class Person:
    """Somebody with a browser and a link."""

    api: Api
    path: str
    cookie: str = ""

    async def open(self) -> ClientResponse:
        return await self._ask("GET", self.path)

    async def form(self) -> dict[str, str]:
        """Open the page and return the hidden fields of its form."""
        page = await self.open()
        assert page.status == 200
        set_cookie = SimpleCookie(page.headers["Set-Cookie"])
        self.cookie = "; ".join(f"{name}={one.value}" for name, one in set_cookie.items())
        return dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', await page.text()))

    async def submit(self, password: str, **fields: str) -> ClientResponse:
        """Open the page, type the password and press the button."""
        return await self.post({**await self.form(), "password": password, **fields})

    async def post(self, fields: dict[str, str]) -> ClientResponse:
        return await self._ask("POST", self.path, data=fields, allow_redirects=False)

    async def _ask(self, method: str, path: str, **more: object) -> ClientResponse:
        headers = {"Cookie": self.cookie} if self.cookie else {}
        return await self.api.client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]  # of a request


@pytest.fixture
async def person(tmp_path: Path) -> AsyncIterator[Person]:
    """A person whose profile lost its login, at the link that the API shows."""
    async with serving(tmp_path) as api:
        api.client.session._cookie_jar = DummyCookieJar()
        profile = await api.disconnect()
        settings = {SIGN_IN_URL: "https://dav.example:8443/ada/"}
        await api.ground.store.save_profile(replace(profile, settings=settings))
        api.linker.identity = profile.identity
        account = await api.json("/v1/accounts/me")
        yield Person(api, account["relink_url"].removeprefix(api.url))


async def state(person: Person) -> str:
    return str((await person.api.json("/v1/accounts/me"))["state"])


async def test_looking_changes_nothing_however_often(person: Person) -> None:
    """N1: link scanners prefetch; the URL stays the same and works on."""
    before = await person.api.ground.profile()
    for _ in range(3):
        page = await person.open()
        assert page.status == 200
        head = await person._ask("HEAD", person.path)
        assert (head.status, await head.read()) == (200, b"")
    assert await person.api.ground.profile() == before
    assert person.api.linker.tries == []
    account = await person.api.json("/v1/accounts/me")
    assert account["relink_url"].endswith(person.path)


async def test_the_page_tells_whose_login_at_which_server(person: Person) -> None:
    """N1, N2: the login is fixed, the server is shown."""
    text = await (await person.open()).text()
    assert "ada@example.org" in text
    assert "dav.example:8443" in text
    assert 'type="password"' in text
    assert "<script" not in text


async def test_the_right_password_connects_again_and_kills_the_link(person: Person) -> None:
    """N2, N5, I12: ids and stream stay; the first read is over, so the state is what it was."""
    cursor = (await person.api.json("/v1/accounts/me/events/latest"))["cursor"]
    answer = await person.submit(RIGHT)
    assert (answer.status, answer.headers["Location"]) == (303, "/relink/done")
    (login,) = person.api.linker.tries
    assert (login.provider, login.username) == ("caldav", "ada@example.org")
    assert login.url == "https://dav.example:8443/ada/"
    assert await state(person) == "initial"
    assert (await person._ask("GET", "/relink/done")).status == 200
    assert (await person.open()).status == 404
    assert (await person.post({})).status == 404
    (record,) = (await person.api.json(f"/v1/accounts/me/events?cursor={cursor}"))["objects"]
    assert record["changes"]["state"] == {"old": "disconnected", "new": "initial"}


async def test_the_next_disconnection_has_another_link(person: Person) -> None:
    """N1."""
    await person.submit(RIGHT)
    await person.api.disconnect()
    account = await person.api.json("/v1/accounts/me")
    assert not account["relink_url"].endswith(person.path)
    assert (await person.open()).status == 404


async def test_a_wrong_password_shows_the_form_again_with_the_sentence(person: Person) -> None:
    """N2: 422, and a second try may succeed."""
    answer = await person.submit("wrong")
    assert answer.status == 422
    text = await answer.text()
    assert "The server refused the password." in text
    assert "wrong" not in text
    assert await state(person) == "disconnected"
    assert (await person.submit(RIGHT)).status == 303


@pytest.mark.parametrize(
    "failure",
    [
        TransientError("dav.example does not answer."),
        MalformedReplyError("dav.example answers with a web page."),
        NotFoundError("There are no calendars at dav.example."),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_server_that_cannot_be_asked_is_502_and_nothing_is_lost(
    person: Person, failure: Exception
) -> None:
    """N2: nor does it count as a failed try."""
    person.api.linker.failure = failure  # type: ignore[assignment]  # of the tree
    for _ in range(7):
        answer = await person.submit(RIGHT)
        assert answer.status == 502
        assert str(failure) in await answer.text()
    person.api.linker.failure = None
    assert (await person.submit(RIGHT)).status == 303


async def test_another_persons_login_changes_nothing(person: Person) -> None:
    """N4, I12."""
    before = await person.api.ground.profile()
    person.api.linker.identity = "https://dav.example/eve"
    answer = await person.submit(RIGHT)
    assert answer.status == 422
    assert "sign in as ada@example.org" in await answer.text()
    assert await person.api.ground.profile() == before


async def test_five_failed_tries_in_a_quarter_of_an_hour_are_enough(person: Person) -> None:
    """api.md §4: also if the next password is right; per link."""
    for _ in range(5):
        assert (await person.submit("wrong")).status == 422
    refused = await person.submit(RIGHT)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "900")
    assert "text/html" in refused.headers["Content-Type"]
    assert len(person.api.linker.tries) == 5
    person.api.clock.advance(timedelta(minutes=15))
    assert (await person.submit(RIGHT)).status == 303


async def test_a_form_from_elsewhere_is_refused(person: Person) -> None:
    """api.md §4: the token is bound to cookie and page."""
    fields = await person.form() | {"password": RIGHT}
    cookie = person.cookie
    for wrong in ({"token": "0" * 64}, {"token": ""}):
        assert (await person.post(fields | wrong)).status == 403
    person.cookie = ""
    assert (await person.post(fields)).status == 403
    person.cookie = "syncd-form=another"
    assert (await person.post(fields)).status == 403
    assert person.api.linker.tries == []
    person.cookie = cookie
    assert (await person.post(fields)).status == 303


async def test_the_cookie_is_lax_and_unseen_by_scripts(person: Person) -> None:
    """api.md §4: over https it is __Host- and Secure."""
    cookie = (await person.open()).headers["Set-Cookie"]
    assert cookie.startswith("syncd-form=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with serving(tmp_path, proxies=(ip_network("127.0.0.0/8"),)) as api:
        await api.disconnect()
        url = (await api.json("/v1/accounts/me"))["relink_url"].removeprefix(api.url)
        page = await api.get(url, token="", headers={"X-Forwarded-Proto": "https"})
        cookie = page.headers["Set-Cookie"]
        assert cookie.startswith("__Host-syncd-form=")
        assert "Secure" in cookie.split("; ")


async def test_every_page_is_private_and_takes_nothing_from_outside(person: Person) -> None:
    """api.md §4: also the dead, the refusing and the closing one."""
    pages = [await person.open(), await person.submit("wrong")]
    pages += [await person._ask("GET", "/relink/done"), await person._ask("GET", "/relink/none")]
    assert [page.status for page in pages] == [200, 422, 200, 404]
    for page in [*pages, await person.submit(RIGHT)]:
        assert HEADERS.items() <= page.headers.items()
        policy = page.headers["Content-Security-Policy"]
        words = {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"}
        assert words | {"form-action 'self'"} <= set(policy.split("; "))
    style = await person._ask("GET", "/static/syncd.css")
    assert (style.status, style.content_type) == (200, "text/css")


async def test_what_servers_and_people_write_is_escaped(person: Person) -> None:
    person.api.linker.failure = TransientError("<script>alert(1)</script>")
    text = await (await person.submit(RIGHT)).text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


async def test_nonsense_in_place_of_a_form_is_no_try(person: Person) -> None:
    person.cookie = ""
    many = "&".join(f"a{number}=b" for number in range(50))
    for body in (b"\xff\x00", many.encode(), b""):
        answer = await person._ask("POST", person.path, data=body)
        assert answer.status == 403
    assert person.api.linker.tries == []


async def test_icloud_is_asked_for_an_app_specific_password(person: Person) -> None:
    """IC2: the page says how to make one; other servers are spared it."""
    text = await (await person.open()).text()
    assert "app-specific" not in text.lower()
    ground = person.api.ground
    apple = replace(await ground.profile(), provider="icloud", login="ada@icloud.com")
    await ground.store.save_profile(apple)
    text = await (await person.open()).text()
    for words in ("iCloud", "App-specific password</label>"):
        assert words in text
    assert 'href="https://account.apple.com/"' in text
    assert "never the password of the Apple Account" in text
    assert (await person.submit(RIGHT)).status == 303
    assert person.api.linker.tries[-1].provider == "icloud"
