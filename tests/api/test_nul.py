"""PostgreSQL knows no NUL in text: no request with one is a fault of ours, whatever it names."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel

from syncd.api.build import routes
from syncd.api.route import Route
from tests.api.desk import desk_of
from tests.api.serving import Api, serving
from tests.api.test_routes import Places, example, name
from tests.store.opening import postgres
from tests.web.desk import Operator
from tests.web.desk import routes as pages

NUL = "\0"
WORDS = (  # of the pages for people, which no document names
    *("after", "before", "status", "page", "q", "state", "provider", "profile", "user", "type"),
    *("code", "action", "client_id", "return_to", "cursor", "calendar", "all", "calendar_id"),
)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with postgres() as where, serving(where) as made:
        yield made


def parameters(shape: type[BaseModel]) -> Iterator[str]:
    for field, one in shape.model_fields.items():
        yield one.alias or field


def spoiled(body: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """Yield a body with NUL at the end of one text, for each text in it."""
    match body:
        case str():
            yield f"{body}{NUL}"
        case dict():
            for key, inner in body.items():
                yield from ({**body, key: one} for one in spoiled(inner))
        case list():
            for at, inner in enumerate(body):
                yield from ([*body[:at], one, *body[at + 1 :]] for one in spoiled(inner))
        case _:
            pass


def requests(route: Route, account: int) -> Iterator[tuple[str, Any]]:
    """Yield paths and bodies, each with NUL in one place."""
    told = Places(account).fill(route)
    body = example(route) or None
    for part in ("none", "cal_none"):
        if part in told:
            yield told.replace(part, f"{part}%00"), body
    for parameter in parameters(route.query):
        yield f"{told}?{quote(parameter)}=a%00", body
    yield from ((told, one) for one in spoiled(body))


async def test_a_nul_is_never_our_fault(api: Api) -> None:
    sent, broken = 0, list[str]()
    for route in routes():
        for path, body in requests(route, api.account):
            async with api.client.request(
                route.method,
                path,
                json=body,
                allow_redirects=False,
                headers={"Authorization": f"Bearer {api.everything}"},
            ) as answer:
                sent += 1
                if answer.status >= 500:
                    broken.append(f"{name(route)}: {path} {body}")
    assert broken == []
    assert sent > 150


async def test_a_nul_is_no_fault_of_the_pages_either(api: Api) -> None:
    operator = Operator(api)
    assert (await operator.log_in()).status == 303
    asked = [
        *(path.replace("none", "none%00") for path in pages(api, "GET") if "none" in path),
        *(f"{path}?{word}=a%00" for path in pages(api, "GET") for word in WORDS),
        *(f"/{path}?{word}=a%00" for path in ("oauth/callback/google",) for word in WORDS),
        *(f"/{path}/a%00" for path in ("connect", "relink", "calendars", "oauth/callback")),
        "/calendars/a%00/view",
        *(f"/actions?action={action}&code=a%00" for action in ("unsubscribe_notification", "a")),
    ]
    for path in asked:
        assert (await operator.get(path)).status < 500, path
    for path in pages(api, "POST"):
        for told in (path, path.replace("none", "none%00")):
            answer = await operator.post(told, **dict.fromkeys((*WORDS, "name", "token"), "a\0"))
            assert answer.status < 500, told


async def test_a_nul_is_no_fault_of_those_who_sign_in(api: Api) -> None:
    desk = await desk_of(api)
    for path in ("/v1/oauth", "/oauth/authorize", "/v1/oauth/token", "/oauth/token"):
        for word in ("client_id", "redirect_uri", "state", "scope", "code", "refresh_token"):
            given = {**desk.client, "grant_type": "authorization_code", "code": "c", word: "a\0"}
            method = "POST" if path.endswith("token") else "GET"
            more: dict[str, Any] = {"json": given} if method == "POST" else {"params": given}
            answer = await api.send(method, path, token="", allow_redirects=False, **more)
            assert answer.status < 500, (path, word)
