"""Somebody with a browser: keeps its cookies, fills in forms, follows nothing by itself."""

import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientResponse

from tests.api.serving import Api

_HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass
class Visitor:
    """One browser; ``headers`` are those of a proxy in front, or of whoever lured it here."""

    api: Api
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> ClientResponse:
        return await self._ask("GET", path)

    async def head(self, path: str) -> ClientResponse:
        return await self._ask("HEAD", path)

    async def post(self, path: str, **fields: str) -> ClientResponse:
        return await self._ask("POST", path, data=fields)

    async def hidden(self, path: str) -> dict[str, str]:
        """Open a page and return the hidden fields of its first form."""
        answer = await self.get(path)
        text = await answer.text()
        assert answer.status == 200, text
        return dict(_HIDDEN.findall(text.partition("</form>")[0]))

    async def submit(self, path: str, **fields: str) -> ClientResponse:
        """Open a page, fill in its first form and press the button."""
        return await self.post(path, **(await self.hidden(path) | fields))

    async def state(self, path: str, **fields: str) -> str:
        """Press the button that leads to a provider; return the state that went along."""
        answer = await self.submit(path, **fields)
        assert answer.status == 303, await answer.text()
        return parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]

    async def _ask(self, method: str, path: str, **more: Any) -> ClientResponse:  # noqa: ANN401 - of a request
        cookie = "; ".join(f"{name}={one}" for name, one in self.cookies.items())
        headers = {**self.headers, **({"Cookie": cookie} if cookie else {})}
        answer = await self.api.client.request(
            method, path, headers=headers, allow_redirects=False, **more
        )
        for line in answer.headers.getall("Set-Cookie", []):
            for name, one in SimpleCookie(line).items():
                self.cookies[name] = one.value
                if one["max-age"] == "0":
                    del self.cookies[name]
        return answer
