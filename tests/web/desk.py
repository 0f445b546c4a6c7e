"""An operator with a browser, without its pictures: cookies, forms, pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from aiohttp import ClientResponse

from tests.api.serving import Api

FORM = re.compile(r'name="form" value="([\w-]+)"')
NOT_IN = "Log in to syncd"
LEAD_ON = {"/dashboard/", "/dashboard/login"}


@dataclass
class Operator:
    """Somebody with an administrator's token; ``cookies`` are those of the browser."""

    api: Api
    token: str = ""
    form: str = ""

    async def log_in(self, *, to: str = "/") -> ClientResponse:
        """Show the token at the door."""
        self.token = self.token or await self.api.token(admin=True, name="operator")
        answer = await self.try_token(self.token, to=to)
        if answer.status == 303:
            self.form = self.form_of(await self.text("/"))
        return answer

    async def try_token(self, token: str, **fields: str) -> ClientResponse:
        """Open the page, type a token and press the button."""
        form = self.form_of(await (await self.get("/")).text())
        given = {"form": form, "token": token, "to": "/"} | fields
        return await self.send("/dashboard/login", given)

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.api.get(path, token="", headers=headers)

    async def text(self, path: str) -> str:
        """Return a page that there is."""
        answer = await self.get(path)
        body = await answer.text()
        assert answer.status == 200, body
        return body

    async def post(self, path: str, **fields: Any) -> ClientResponse:  # noqa: ANN401 - of a form
        """Send a form of the session."""
        return await self.send(path, {"form": self.form, **fields})

    async def send(self, path: str, fields: dict[str, Any]) -> ClientResponse:
        return await self.api.send("POST", path, token="", data=fields, allow_redirects=False)

    def forget(self) -> None:
        """Empty the browser's cookies."""
        self.jar.clear()

    @property
    def jar(self) -> Any:  # noqa: ANN401 - of aiohttp
        return self.api.client.session.cookie_jar

    @property
    def cookies(self) -> dict[str, str]:
        return {one.key: one.value for one in self.jar}

    @staticmethod
    def form_of(page: str) -> str:
        found = FORM.search(page)
        assert found
        return found[1]


def routes(api: Api, method: str) -> Iterator[str]:
    """Yield the dashboard's paths, filled in."""
    filled = {
        "profile": str(api.account),
        **dict.fromkeys(
            ("token", "application", "subscription", "delivery", "feed", "path"), "none"
        ),
    }
    for route in api.client.app.router.routes():
        place = route.resource.canonical if route.resource else ""
        ours = place == "/" or place.startswith("/dashboard/")
        if ours and route.method == method and place not in LEAD_ON:
            yield place.format(**filled)


def shown(page: str) -> str:
    """Return a page's text as it is read."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
