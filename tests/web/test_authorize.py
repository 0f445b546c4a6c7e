"""Where applications send people (K6, C18): who is let on, who is sent back, who is told nothing.

Each refusal stands beside the request that it differs from by one thing.
"""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from aiohttp import ClientResponse

from syncd.model.invitation import OUT_OF_BAND
from tests.api.desk import BACK, ORIGIN, Desk, desk_of, told
from tests.api.serving import serving
from tests.web.visitor import Visitor

POPUP = {"response_type": "token", "redirect_uri": OUT_OF_BAND, "request_id": "77"}
VARIANTS = [
    f"{BACK}/",
    BACK.upper(),
    BACK.replace("desk", "Desk"),
    BACK.replace("https", "http"),
    BACK.replace(".example", ".example:443"),
    f"{BACK}?more=1",
    f"{BACK}?",
    f"{BACK}#x",
    f"{BACK}/../admin",
    f"{BACK}%2F..",
    BACK.replace("://", "://desk.example@evil.example/"),
    BACK.replace("://", "://u:p@"),
    BACK.replace(".example", ".example.evil.example"),
    BACK.replace("/back", "\\@evil.example/back"),
    f" {BACK}",
    f"{BACK}\x00",
    "//desk.example/back",
    "/back",
    "javascript:alert(1)",
]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with serving(tmp_path) as api:
        yield await desk_of(api)


async def stopped(answer: ClientResponse, word: str) -> None:
    """Check that nobody but the person is told."""
    text = await answer.text()
    assert answer.status == 400, answer.headers.get("Location")
    assert answer.content_type == "text/html"
    assert "Location" not in answer.headers
    assert word in html.unescape(text)
    assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_a_good_request_leads_to_the_connect_page(desk: Desk) -> None:
    """The control of all refusals here; it changes nothing yet."""
    for path in (desk.kloudless(), desk.cronofy(), desk.kloudless().replace("oauth?", "oauth/?")):
        answer = await desk.person.get(path)
        assert answer.status == 303
        page = await desk.person.get(answer.headers["Location"])
        assert page.status == 200
        assert "Desk" in await page.text()
    assert len(await desk.api.ground.store.profiles()) == 1


async def test_who_is_asked_for_little_is_told_that_the_application_has_a_key(desk: Desk) -> None:
    """R6: a consent narrows its tokens; the key opens all that was connected through it."""
    told = "gave Desk a key, which opens everything"
    for ask, less in (
        (desk.kloudless(), False),
        (desk.kloudless(scope="any:read.calendar"), True),
        (desk.cronofy(), True),
    ):
        path = (await desk.person.get(ask)).headers["Location"]
        for page in (path, f"{path}?provider=caldav"):
            assert (told in await (await desk.person.get(page)).text()) == less, page
    given = await desk.account(scope="any:read.calendar")
    place = f"/v1/accounts/{given['account_id']}"
    narrow = await desk.api.send("POST", f"{place}/subscriptions", token=given["access_token"])
    assert narrow.status == 403
    key = {"Authorization": f"APIKey {desk.api_key}"}
    whole = await desk.api.send("POST", f"{place}/subscriptions", token="", headers=key)
    assert whole.status == 201


@pytest.mark.parametrize("uri", VARIANTS, ids=repr)
async def test_a_redirect_uri_that_differs_in_anything_is_a_page(desk: Desk, uri: str) -> None:
    """Never a redirect: neither of both dialects sends anybody there."""
    for path in (desk.kloudless(redirect_uri=uri), desk.cronofy(redirect_uri=uri)):
        await stopped(await desk.person.get(path), "redirect_uri")


async def test_a_missing_address_or_client_is_a_page(desk: Desk) -> None:
    for ask in (desk.kloudless, desk.cronofy):
        await stopped(await desk.person.get(ask(redirect_uri="")), "redirect_uri")
        await stopped(await desk.person.get(ask(client_id="")), "client_id")
        await stopped(await desk.person.get(ask(client_id="app_none")), "client_id")
        await stopped(await desk.person.get(ask(client_id=desk.application.name)), "client_id")


async def test_another_applications_address_is_a_page(desk: Desk) -> None:
    other = await desk_of(desk.api, "Other", "https://other.example/back")
    await stopped(await desk.person.get(desk.kloudless(redirect_uri=other.back)), "redirect_uri")
    assert (await desk.person.get(other.kloudless())).status == 303


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "response_type"])
async def test_a_member_that_is_given_twice_is_a_page(desk: Desk, name: str) -> None:
    """RFC 6749 §3.1: who knows which is meant."""
    good = desk.kloudless()
    twice = parse_qs(urlsplit(good).query)[name][0]
    answer = await desk.person.get(f"{good}&{urlencode({name: twice})}")
    await stopped(answer, name)
    assert ".." not in await answer.text()


async def test_every_other_fault_goes_back_with_the_state_as_it_was_given(desk: Desk) -> None:
    """K6: ``error`` and ``error_description``, as the client reads both."""
    state = "a b/+%&=ü\"'<>"
    wrong = {
        "unsupported_response_type": {"response_type": "id_token"},
        "invalid_scope": {"scope": "gdrive box:normal.storage"},
        "invalid_request": {"response_type": ""},
    }
    for error, query in wrong.items():
        for ask in (desk.kloudless, desk.cronofy):
            answer = await desk.person.get(ask(state=state, **query))
            assert answer.status == 303
            assert answer.headers["Location"].startswith(f"{BACK}?error=")
            found = told(answer)
            assert (found["error"], found["state"]) == (error, state)
            assert found["error_description"]
    both = await desk.person.get(desk.kloudless(response_type="code token"))
    assert told(both)["error"] == "unsupported_response_type"
    implicit = await desk.person.get(desk.cronofy(response_type="token"))
    assert told(implicit)["error"] == "unsupported_response_type"


async def test_a_token_and_its_faults_come_back_in_the_fragment(desk: Desk) -> None:
    """RFC 6749 §4.2.2: no server of the application sees them."""
    wrong = await desk.person.get(desk.kloudless(response_type="token", scope="gdrive"))
    assert urlsplit(wrong.headers["Location"]).query == ""
    assert told(wrong)["error"] == "invalid_scope"
    right = await desk.connected(desk.kloudless(response_type="token", scope="read_events"))
    assert urlsplit(right.headers["Location"]).query == ""
    found = told(right)
    assert (found["token_type"], found["scope"], found["state"]) == (
        *("Bearer", "read_events"),
        "s t&a=te",
    )
    verified = await desk.api.json("/v1/oauth/token", token=found["access_token"])
    assert verified["client_id"] == desk.application.id


@pytest.mark.parametrize(
    "query",
    [
        {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
        {"code_challenge": "x" * 43},
        {"code_challenge": "short", "code_challenge_method": "S256"},
        {"code_challenge": "é" * 43, "code_challenge_method": "S256"},
    ],
    ids=["plain", "no method", "short", "no ASCII"],
)
async def test_pkce_is_s256_or_nothing(desk: Desk, query: dict[str, str]) -> None:
    for ask in (desk.kloudless, desk.cronofy):
        assert told(await desk.person.get(ask(**query)))["error"] == "invalid_request"
        good = ask(code_challenge="x" * 43, code_challenge_method="S256")
        assert (await desk.person.get(good)).headers["Location"].startswith("/connect/")


async def test_a_popup_tells_the_window_of_a_registered_origin_and_no_other(desk: Desk) -> None:
    """K6, R19: a token for an origin that is not the application's is sent nowhere."""
    for origin in ("", "https://evil.example", f"{ORIGIN}/", ORIGIN.upper()):
        await stopped(await desk.person.get(desk.kloudless(**POPUP, origin=origin)), "origin")
    last = await desk.connected(desk.kloudless(**POPUP, origin=ORIGIN, state="123"))
    assert last.status == 200
    found = dict(re.findall(r'data-(origin|message)="([^"]*)"', await last.text()))
    assert found["origin"] == ORIGIN
    message = json.loads(html.unescape(found["message"]).removeprefix("kloudless:"))
    assert (message["type"], message["id"]) == ("authentication", "77")
    assert set(message["data"]) == {"access_token", "token_type", "scope", "state"}
    assert message["data"]["state"] == "123"
    assert "Cross-Origin-Opener-Policy" not in last.headers
    assert "script-src 'self'" in last.headers["Content-Security-Policy"]
    wrong = await desk.person.get(desk.kloudless(**POPUP, origin=ORIGIN, scope="gdrive"))
    assert wrong.status == 200
    assert "invalid_scope" in await wrong.text()


async def test_the_link_works_in_the_browser_that_began_and_in_no_other(desk: Desk) -> None:
    """Who lures somebody else into a request of one's own gets nothing (login CSRF)."""
    path = (await desk.person.get(desk.kloudless())).headers["Location"]
    lured = Visitor(desk.api)
    await lured.get(desk.kloudless())  # has a cookie of our pages, but another
    for stranger in (Visitor(desk.api), lured):
        assert (await stranger.get(path)).status == 404
        assert (await stranger.post(path)).status == 404
    assert (await desk.person.get(path)).status == 200


async def test_a_form_is_filled_as_the_application_says(desk: Desk) -> None:
    """K6: ``extra_data``, which some clients encode once more; a single service is chosen."""
    extra = json.dumps({"url": "dav.example/<b>", "username": "bo", "domain": "x"})
    for text in (extra, quote(extra)):
        answer = await desk.person.get(desk.kloudless(scope="caldav", extra_data=text))
        page = html.unescape(await (await desk.person.get(answer.headers["Location"])).text())
        assert 'value="dav.example/<b>"' in page
        assert 'value="bo"' in page
    for text in ("no json", "[]", '"a"'):
        found = told(await desk.person.get(desk.kloudless(extra_data=text)))
        assert found["error"] == "invalid_request"
        assert "extra_data" in found["error_description"]


async def test_a_provider_is_preselected_by_its_name(desk: Desk) -> None:
    """C18; an unknown one is as good as none."""
    for name, words in (("apple", "app-specific"), ("nothing", "Google")):
        answer = await desk.person.get(desk.cronofy(provider_name=name))
        text = await (await desk.person.get(answer.headers["Location"])).text()
        assert words in text


async def test_a_registration_that_ends_takes_its_links_along(desk: Desk) -> None:
    """An address that was taken away meanwhile is led to no more; nor is a removed application."""
    path = (await desk.person.get(desk.kloudless())).headers["Location"]
    assert (await desk.person.get(path)).status == 200
    store, application = desk.api.ground.store, desk.application
    await store.remove_application(application.id, desk.api.clock.now())
    assert (await desk.person.get(path)).status == 404
    await stopped(await desk.person.get(desk.kloudless()), "client_id")


async def test_nobody_floods_the_store_with_questions(desk: Desk) -> None:
    for _ in range(100):
        assert (await desk.person.get(desk.kloudless())).status == 303
    refused = await desk.person.get(desk.kloudless())
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) >= 1


async def test_a_person_who_declines_is_sent_back_saying_so(desk: Desk) -> None:
    path = (await desk.person.get(desk.kloudless())).headers["Location"]
    found = told(await desk.person.submit(path, cancel="1"))
    assert found["error"] == "access_denied"
    assert found["error_description"]
    assert found["state"] == "s t&a=te"
    assert (await desk.person.get(path)).status == 404
